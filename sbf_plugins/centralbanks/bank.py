"""A central bank that publishes exchange rates: how it is asked, what a rate is, and how it goes to gold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.api import Cadence, Column, DataRules, DatasetKeymapEntry, GoldSource, RestRecipe

#: Wide enough for each rate that was seen.
RATE = "DECIMAL(24,10)"
#: Of rates in gold: the product with a millionth stays exact in 38 digits.
PRICE = "DECIMAL(30,16)"
#: Of banks that write the digits of a double: 5.3795000000000002.
DOUBLE_DIGITS = "DECIMAL(34,20)"


def text(name: str, source: str = "", *, key: bool = False, nullable: bool = False, doc: str = "") -> Column:
    """A column of texts."""
    return Column(name=name, type="VARCHAR", source=source, key=key, nullable=nullable, doc=doc)


def number(name: str, source: str = "", *, unit: str, doc: str = "", missing: Sequence[str] = ()) -> Column:
    """A further rate, which may be absent."""
    return Column(name=name, type=RATE, source=source, nullable=True, unit=unit, doc=doc, missing=tuple(missing))


def day_column(
    source: str = "", *, name: str = "date", written: str = "", zone: str = "", doc: str = "day that the rate is for"
) -> Column:
    """A day: the date of the row where it is called so."""
    is_row = name == "date"
    return Column(
        name=name, type="DATE", key=is_row, row_date=is_row, source=source, date_format=written, zone=zone, doc=doc
    )


def columns(
    *further: Column,
    currency: str = "currency",
    date: str = "date",
    rate: str = "rate",
    units: str = "",
    day: Mapping[str, str] | None = None,
    type_: str = RATE,
    missing: Sequence[str] = (),
    quoted: str = "",
) -> tuple[Column, ...]:
    """What all banks have: a currency, a day, a rate as a number and as the bank wrote it; and further columns.

    Args:
        *further: columns that only this bank has.
        currency: the bank's name of the field, as those behind it.
        date: the day.
        rate: the price.
        units: for how many units it is; without it for one.
        day: how the day is written, e.g. ``{"written": "%d.%m.%Y"}``.
        type_: of the rate.
        missing: texts in the place of a rate that is none.
        quoted: the field of the rate as the bank wrote it, where that is another than ``rate``.
    """
    made = [
        text("currency", currency, key=True, doc="as the bank writes it; mostly ISO 4217"),
        day_column(date, doc="day that the rate is for", **(day or {})),
    ]
    if units:
        made.append(Column(name="units", type="BIGINT", source=units, unit="units of the currency", doc="of the rate"))
    gone = Column(name="rate", type=type_, source=rate, nullable=bool(missing), missing=tuple(missing))
    made += [
        attrs.evolve(gone, unit="of the currency of the base, for as many units as the bank says"),
        attrs.evolve(gone, name="quoted", type="VARCHAR", source=quoted or rate, doc="the rate as the bank wrote it"),
    ]
    return (*made, *further)


#: Countries of the euro; a code of ISO 4217 of any other begins with that of its country.
_COUNTRIES = {"bdi": "IT", "hnb": "HR", "lb": "LT"}


@attrs.frozen(kw_only=True)
class Priced:
    """How the rows of a silver table are prices: SQL over its columns, as in ``Bank``."""

    currency: str
    base: str
    price: str
    units: str = "1"
    fixing: str = "''"
    quoted: str = "quoted"
    only: str = "true"

    def source(self, bank: str, table: str) -> GoldSource:
        """Rows of a table in the shape that the gold model reads."""
        return GoldSource(
            table=f"silver.{table}",
            sql=(
                f"SELECT '{bank}' AS bank, {self.fixing} AS fixing, date, {self.currency} AS currency, "
                f"{self.base} AS base, CAST({self.price} AS {PRICE}) AS price, CAST({self.units} AS BIGINT) AS units, "
                f"CAST({self.quoted} AS VARCHAR) AS quoted FROM silver.{table} WHERE {self.only}"
            ),
        )


@attrs.frozen(kw_only=True)
class Bank:
    """One table of one bank.

    Attributes:
        name: word of the bank.
        dataset: what the table is called, where the bank has several; the silver table is ``NAME_fx_DATASET``.
        title: for readers.
        home: currency of the bank, in which its prices are unless ``base`` says otherwise.
        columns: of the silver table.
        url: its address; ``{from_date}`` alone asks for one day.
        ask: further arguments of the recipe.
        facts: further arguments of the dataset.
        rules: what tells data from none.
        terms, about: its terms, and where it tells of them.
        is_daily: one request is for one day.
        since: the first day that there is, where that is later or earlier than what a user would name.
        currency, base, price, units, fixing, only: SQL over the silver table for gold: ``price`` units of ``base`` are
            worth ``units`` of ``currency``. ``fixing`` tells rates of one day apart, ``only`` picks rows.
    """

    name: str
    dataset: str = "rates"
    title: str
    home: str
    columns: tuple[Column, ...]
    url: str
    ask: Mapping[str, Any] = attrs.field(factory=dict)
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    rules: Mapping[str, Any] = attrs.field(factory=dict)
    terms: str
    about: str
    is_daily: bool = False
    since: dt.date | None = None
    currency: str = "currency"
    base: str = ""
    price: str = "rate"
    units: str = "1"
    fixing: str = "''"
    only: str = "true"

    @property
    def word(self) -> str:
        """The name by which the settings choose it, and of its dataset: ``cnb``, ``bnm_history``."""
        return self.name if self.dataset == "rates" else f"{self.name}_{self.dataset}"

    @property
    def table(self) -> str:
        """Its silver table, without the schema."""
        return f"{self.name}_fx_{self.dataset}"

    def entry(self, since: dt.date) -> DatasetKeymapEntry:
        """Its dataset, asked for from a day on."""
        days = {"chunk_days": 1} if self.is_daily else {}
        facts = {
            "rows_at": "",
            "lookback_days": 3 if self.is_daily else 7,
            "first_date": self.since or since,
            "refresh_after_hours": 12,
            "cadence": Cadence(calendar="weekdays"),
            "tags": ("daily", "fx"),
            **self.facts,
        }
        return DatasetKeymapEntry(
            domain="fx",
            source="centralbanks",  # that of the plugin, so that its payloads name it
            dataset=self.word,
            silver_table=self.table,
            columns=self.columns,
            recipe=RestRecipe(url=self.url, limits=("4/second",), connections=2, **{**days, **self.ask}),
            is_data=DataRules(**{"may_be_empty": True, **self.rules}),
            opt_in=True,
            region=_COUNTRIES.get(self.name, self.home[:2]),
            frequency="day",
            cost="free",
            title=self.title,
            terms=self.terms,
            source_url=self.about,
            **facts,
        )

    def gold(self) -> GoldSource:
        """Its rows of ``gold.fx_reference_rate``."""
        base = self.base or f"'{self.home}'"
        priced = Priced(
            currency=self.currency, base=base, price=self.price, units=self.units, fixing=self.fixing, only=self.only
        )
        return priced.source(self.name, self.table)
