-- Exchanges trade on days without a fixing: the last fixing before the bar is taken, so that no day is lost.
WITH dollar AS (
    SELECT date, units_per_eur AS usd_per_eur
    FROM gold.fact_fx_rate
    WHERE currency = 'USD'
),
converted AS (
    SELECT bars.*, dollar.date AS fixing_date, dollar.usd_per_eur, bars.adj_close / dollar.usd_per_eur AS adj_close_eur
    FROM silver.eod_bar AS bars
    ASOF LEFT JOIN dollar ON bars.date >= dollar.date
)
SELECT
    converted.ticker,
    converted.date,
    instruments.instrument_key,
    converted.open AS open_usd,
    converted.high AS high_usd,
    converted.low AS low_usd,
    converted.close AS close_usd,
    converted.volume,
    converted.adj_close AS adj_close_usd,
    converted.adj_close_eur,
    converted.usd_per_eur,
    converted.fixing_date,
    ln(converted.adj_close / lag(converted.adj_close) OVER by_ticker) AS log_return_usd,
    ln(converted.adj_close_eur / lag(converted.adj_close_eur) OVER by_ticker) AS log_return_eur
FROM converted
JOIN gold.dim_instrument AS instruments ON instruments.ticker = converted.ticker
WINDOW by_ticker AS (PARTITION BY converted.ticker ORDER BY converted.date)
