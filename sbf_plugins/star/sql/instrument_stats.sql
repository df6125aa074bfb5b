-- Annualised volatility: sample standard deviation of daily log returns times the root of 252 trading days. Total return: last / first - 1.
-- Sums of doubles depend on their order, so that is fixed: the same rows always give the same bits.
SELECT
    ticker,
    count(log_return_usd) AS returns,
    min(date) AS first_date,
    max(date) AS last_date,
    stddev_samp(log_return_usd ORDER BY date) * sqrt(252) AS volatility_usd,
    stddev_samp(log_return_eur ORDER BY date) * sqrt(252) AS volatility_eur,
    arg_max(adj_close_usd, date) / arg_min(adj_close_usd, date) - 1 AS total_return_usd,
    arg_max(adj_close_eur, date) / arg_min(adj_close_eur, date) - 1 AS total_return_eur
FROM gold.fact_price_eod
GROUP BY ticker
