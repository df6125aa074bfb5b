-- Prices that should be equal: of one ticker, day and adjustment, in one currency, or where one of them says none.
WITH stated AS (
    FROM (
        SELECT source, source_rank, ticker, date, currency, close_adjusted_for AS adjusted_for,
            CAST(open AS DECIMAL(24,8)) AS open, CAST(high AS DECIMAL(24,8)) AS high,
            CAST(low AS DECIMAL(24,8)) AS low, CAST(close AS DECIMAL(24,8)) AS close
        FROM bars
        WHERE close_adjusted_for IN ('nothing', 'splits')
    )
    UNPIVOT (price FOR measure IN (open, high, low, close))
)
SELECT
    one.ticker,
    one.date,
    one.measure,
    one.source,
    other.source AS other_source,
    one.adjusted_for,
    coalesce(one.currency, other.currency) AS currency,
    one.price,
    other.price AS other_price,
    abs(one.price - other.price) AS difference,
    $tick AS tick
FROM stated AS one
JOIN stated AS other
    ON other.ticker = one.ticker
    AND other.date = one.date
    AND other.measure = one.measure
    AND other.adjusted_for = one.adjusted_for
    AND other.source_rank > one.source_rank
WHERE (one.currency = other.currency OR one.currency IS NULL OR other.currency IS NULL)
    AND abs(one.price - other.price) > $tick
