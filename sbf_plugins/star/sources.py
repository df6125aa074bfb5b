"""Where the bars of the star schema come from: price sources that the user has, ranked, in one shape."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.api import GoldSource, UsageError

#: Official sources first, but for the one that has prices as traded alone.
USUAL_RANKS = ("fmp", "polygon", "tiingo", "wiki", "yahoo", "stooq", "alphavantage")

_BARS = {
    "wiki": GoldSource(
        table="silver.eod_bar",
        sql="""
SELECT 'wiki' AS source, ticker, date, 'USD' AS currency, open, high, low, close, 'nothing' AS close_adjusted_for,
    CAST(volume AS DECIMAL(24,4)) AS volume, adj_close, 'splits and dividends' AS adj_close_adjusted_for
FROM silver.eod_bar
""",
    ),
    "fmp": GoldSource(
        table="silver.fmp_eod",
        sql="""
SELECT 'fmp' AS source, symbol AS ticker, date, CAST(NULL AS VARCHAR) AS currency, open, high, low, close,
    'splits' AS close_adjusted_for, volume, CAST(close AS DOUBLE) AS adj_close, 'splits' AS adj_close_adjusted_for
FROM silver.fmp_eod
WHERE close IS NOT NULL
""",
    ),
    # Some exchanges quote in hundredths. A session that was still open is left out: the run after its end replaces it.
    "yahoo": GoldSource(
        table="silver.yahoo_eod",
        sql="""
WITH bars AS (
    SELECT *, CASE WHEN currency IN ('GBp', 'ZAc', 'ILA') THEN 100 ELSE 1 END AS parts FROM silver.yahoo_eod
)
SELECT 'yahoo' AS source, symbol AS ticker, date,
    CASE currency WHEN 'GBp' THEN 'GBP' WHEN 'ZAc' THEN 'ZAR' WHEN 'ILA' THEN 'ILS' ELSE currency END AS currency,
    open / parts AS open, high / parts AS high, low / parts AS low, close / parts AS close,
    'splits' AS close_adjusted_for, CAST(volume AS DECIMAL(24,4)) AS volume, close_adjusted / parts AS adj_close,
    'splits and dividends' AS adj_close_adjusted_for
FROM bars
WHERE is_final AND close_adjusted IS NOT NULL
""",
    ),
    "stooq": GoldSource(
        table="silver.stooq_eod_adjusted",
        sql="""
SELECT 'stooq' AS source,
    CASE WHEN symbol LIKE '%.us' THEN upper(replace(symbol, '.us', '')) ELSE symbol END AS ticker, date,
    CASE WHEN symbol LIKE '%.us' THEN 'USD' END AS currency, open, high, low, close,
    'splits and dividends' AS close_adjusted_for, volume, CAST(close AS DOUBLE) AS adj_close,
    'splits and dividends' AS adj_close_adjusted_for
FROM silver.stooq_eod_adjusted
""",
    ),
    # Of shares listed in the United States.
    "polygon": GoldSource(
        table="silver.polygon_eod",
        sql="""
SELECT 'polygon' AS source, symbol AS ticker, date, 'USD' AS currency, open, high, low, close,
    'splits' AS close_adjusted_for, volume, CAST(close AS DOUBLE) AS adj_close, 'splits' AS adj_close_adjusted_for
FROM silver.polygon_eod
WHERE is_adjusted
""",
    ),
    "tiingo": GoldSource(
        table="silver.tiingo_eod",
        sql="""
SELECT 'tiingo' AS source, symbol AS ticker, date, CAST(NULL AS VARCHAR) AS currency, open, high, low, close,
    'nothing' AS close_adjusted_for, CAST(volume AS DECIMAL(24,4)) AS volume, close_adjusted AS adj_close,
    'splits and dividends' AS adj_close_adjusted_for
FROM silver.tiingo_eod
""",
    ),
    # It says of no bar whether its session was over. One that came before New York closed on its day is left out; no
    # market that it has closes later on that day, and the bar that comes then has another volume.
    "alphavantage": GoldSource(
        table="silver.alphavantage_eod",
        sql="""
SELECT 'alphavantage' AS source, symbol AS ticker, date, CAST(NULL AS VARCHAR) AS currency, open, high, low, close,
    'nothing' AS close_adjusted_for, CAST(volume AS DECIMAL(24,4)) AS volume, CAST(close AS DOUBLE) AS adj_close,
    'nothing' AS adj_close_adjusted_for
FROM silver.alphavantage_eod
WHERE known_from >= timezone('UTC', timezone('America/New_York', date + INTERVAL 16 HOUR))
""",
    ),
}
#: Units of each currency for one euro.
RATES = (
    GoldSource(
        table="silver.ecb_reference_rate",
        sql="SELECT date, currency, rate AS units_per_eur FROM silver.ecb_reference_rate WHERE rate IS NOT NULL",
    ),
    GoldSource(
        sql=(
            "SELECT CAST(NULL AS DATE) AS date, CAST(NULL AS VARCHAR) AS currency, "
            "CAST(NULL AS DECIMAL(18,6)) AS units_per_eur WHERE false"
        )
    ),
)
#: Companies listed with the SEC.
LISTED = (
    GoldSource(
        table="silver.sec_company_ticker", sql="SELECT ticker, name, cik, exchange FROM silver.sec_company_ticker"
    ),
    GoldSource(
        sql=(
            "SELECT CAST(NULL AS VARCHAR) AS ticker, CAST(NULL AS VARCHAR) AS name, CAST(NULL AS BIGINT) AS cik, "
            "CAST(NULL AS VARCHAR) AS exchange WHERE false"
        )
    ),
)
_PROFILE = (
    "symbol AS ticker, company_name AS name, TRY_CAST(cik AS BIGINT) AS cik, "
    "exchange, currency, isin, sector, industry, country"
)
#: Profiles of companies: one by one, else the file of all.
PROFILES = (
    GoldSource(table="silver.fmp_profile", sql=f"SELECT {_PROFILE} FROM silver.fmp_profile"),
    GoldSource(table="silver.fmp_profile_bulk", sql=f"SELECT {_PROFILE} FROM silver.fmp_profile_bulk"),
    GoldSource(
        sql="SELECT CAST(NULL AS BIGINT) AS cik, "
        + ", ".join(
            f"CAST(NULL AS VARCHAR) AS {name}"
            for name in ("ticker", "name", "exchange", "currency", "isin", "sector", "industry", "country")
        )
        + " WHERE false"
    ),
)


def bars(ranks: Sequence[str], *, option: str = "prices") -> list[GoldSource]:
    """The sources of prices, best first. Raises ``UsageError`` for a name that is none.

    Args:
        ranks: their names.
        option: of the settings, which names them.
    """
    unknown = next((name for name in ranks if name not in _BARS), None)
    if unknown is not None or not ranks:
        what = f"there is no source of prices {unknown!r}" if unknown is not None else "no source of prices is named"
        raise UsageError(
            what, where=f"[options.star] {option}", fix=f"use some of {', '.join(USUAL_RANKS)}", code="OPTION"
        )
    return [_BARS[name] for name in dict.fromkeys(ranks)]
