"""One gold table over the reference rates of all banks."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.api import AcceptedRange, Chart, GoldModel, GoldSource, NotNull
from sbf_plugins.centralbanks.bank import Bank, Priced

#: Powers of ten, by which a price becomes one of a single unit without a rest.
_UNITS = {10**power: f"0.{'0' * (power - 1)}1" if power else "1" for power in range(7)}
#: Metals are priced by the ounce by some banks and by the gram by others; XXX and XTS are no money.
_NO_MONEY = ("XAG", "XAU", "XPD", "XPT", "XTS", "XXX")

#: Tables of other plugins, with a price of so many ``base`` for one ``currency``.
OTHERS = (
    Priced(
        currency="currency", base="'BRL'", price="selling", fixing="'closing, selling'", quoted="selling"
    ).source("bcb", "bcb_ptax"),
    Priced(
        currency="series[3:5]", base="'CAD'", price="value", quoted="value",
        only="regexp_full_match(series, 'FX[A-Z]{3}CAD') AND value IS NOT NULL",
    ).source("boc", "boc_group"),
    Priced(
        currency="'GBP'", base="currency", price="value", only="currency IS NOT NULL AND value IS NOT NULL"
    ).source("boe", "boe_exchange_rate"),
    Priced(
        currency="CASE unit WHEN 'Yen per U.S. Dollar' THEN 'USD' WHEN 'U.S. Dollar per Euro' THEN 'EUR' END",
        base="CASE unit WHEN 'Yen per U.S. Dollar' THEN 'JPY' WHEN 'U.S. Dollar per Euro' THEN 'USD' END",
        price="value", quoted="value", fixing="series",
        only="unit IN ('Yen per U.S. Dollar', 'U.S. Dollar per Euro') AND value IS NOT NULL",
    ).source("boj", "boj_daily"),
    Priced(
        currency="'EUR'", base="currency", price="rate", quoted="rate", only="rate IS NOT NULL"
    ).source("ecb", "ecb_reference_rate"),
    Priced(
        currency="currency", base="'PLN'", price="mid", quoted="mid", fixing="table_name"
    ).source("nbp", "nbp_rate"),
    Priced(
        currency="'AUD'", base="unit", price="value",
        only="regexp_full_match(unit, '[A-Z]{3}') AND value IS NOT NULL",
    ).source("rba", "rba_f11_1"),
)  # fmt: skip


def reference_rates(banks: Sequence[Bank]) -> GoldModel:
    """The model over the banks that the settings choose, and over tables of other plugins where they are filled."""
    factors = " ".join(f"WHEN {units} THEN CAST({factor} AS DECIMAL(7,6))" for units, factor in _UNITS.items())
    metals = ", ".join(f"'{code}'" for code in _NO_MONEY)
    sql = f"""
SELECT bank, fixing, date, currency, base,
    -- exact: a price has sixteen decimals at most, and a factor six
    CAST(price * CASE units {factors} END AS DECIMAL(38,22)) AS rate,
    price, units, quoted, bank || ' ' || currency || base AS pair
FROM (
    -- several banks call the special drawing right so
    SELECT * REPLACE (
        if(currency = 'SDR', 'XDR', currency) AS currency, if(base = 'SDR', 'XDR', base) AS base
    )
    FROM rates
)
WHERE price > 0 AND currency <> base
    AND regexp_full_match(currency, '[A-Z]{{3}}') AND regexp_full_match(base, '[A-Z]{{3}}')
    AND currency NOT IN ({metals}) AND base NOT IN ({metals})
"""
    sources: list[GoldSource] = [*(bank.gold() for bank in banks), *OTHERS]
    return GoldModel(
        name="fx_reference_rate",
        key=("bank", "fixing", "date", "currency", "base"),
        date_column="date",
        sql=sql,
        sources={"rates": sources},
        tests=(NotNull(column="price"), NotNull(column="units"), AcceptedRange(column="rate", low=0)),
        charts=(Chart(name="rates", title="Reference rates", x="date", y="rate", series="pair", sessions=True),),
        doc=(
            "One row a rate of a bank: so many units of base for one unit of currency, exactly, in the direction in "
            "which the bank quotes; NULL where it prices a number of units that is no power of ten. price is of units."
        ),
    )
