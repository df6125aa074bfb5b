-- A ticker has one source: adjusted and raw prices, or those of two vendors, are never mixed in a series.
-- A price of zero or below has no logarithm: on one engine it would end the build, on another it would be infinite.
-- Exchanges trade on days without a fixing: the last fixing before the bar is taken, so that no day is lost.
WITH described AS (
    FROM profiles QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY source_rank) = 1
),
chosen AS (
    SELECT bars.* REPLACE (coalesce(bars.currency, described.currency) AS currency)
    FROM bars
    LEFT JOIN described ON described.ticker = bars.ticker
    QUALIFY bars.source_rank = min(bars.source_rank) OVER (PARTITION BY bars.ticker)
),
dollar AS (
    SELECT date, units_per_eur AS usd_per_eur FROM rates WHERE currency = 'USD'
),
converted AS (
    SELECT
        chosen.*,
        dollar.date AS fixing_date,
        dollar.usd_per_eur,
        chosen.adj_close / CASE chosen.currency WHEN 'USD' THEN dollar.usd_per_eur WHEN 'EUR' THEN 1 ELSE own.units_per_eur END AS adj_close_eur
    FROM chosen
    ASOF LEFT JOIN dollar ON chosen.date >= dollar.date
    ASOF LEFT JOIN rates AS own ON chosen.currency = own.currency AND chosen.date >= own.date
),
priced AS (
    SELECT *, CASE currency WHEN 'USD' THEN adj_close ELSE adj_close_eur * usd_per_eur END AS adj_close_usd FROM converted
)
SELECT
    priced.ticker,
    priced.date,
    instruments.instrument_key,
    priced.source,
    priced.currency,
    CAST(priced.open AS DECIMAL(24,8)) AS open,
    CAST(priced.high AS DECIMAL(24,8)) AS high,
    CAST(priced.low AS DECIMAL(24,8)) AS low,
    CAST(priced.close AS DECIMAL(24,8)) AS close,
    priced.close_adjusted_for,
    priced.volume,
    priced.adj_close,
    priced.adj_close_adjusted_for,
    priced.adj_close_usd,
    priced.adj_close_eur,
    priced.usd_per_eur,
    priced.fixing_date,
    CASE WHEN least(priced.adj_close_usd, lag(priced.adj_close_usd) OVER by_ticker) > 0
        THEN ln(priced.adj_close_usd / lag(priced.adj_close_usd) OVER by_ticker) END AS log_return_usd,
    CASE WHEN least(priced.adj_close_eur, lag(priced.adj_close_eur) OVER by_ticker) > 0
        THEN ln(priced.adj_close_eur / lag(priced.adj_close_eur) OVER by_ticker) END AS log_return_eur
FROM priced
JOIN gold.dim_instrument AS instruments ON instruments.ticker = priced.ticker
WINDOW by_ticker AS (PARTITION BY priced.ticker ORDER BY priced.date)
