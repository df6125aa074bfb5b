-- What the SEC says comes first, then what FMP says; the first and last bar are those of the best source of the ticker.
WITH priced AS (
    SELECT ticker, arg_min(source, source_rank) AS price_source, min(date) AS first_bar, max(date) AS last_bar
    FROM (FROM bars QUALIFY source_rank = min(source_rank) OVER (PARTITION BY ticker))
    GROUP BY ticker
),
described AS (
    FROM profiles QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY source_rank) = 1
)
SELECT
    ticker,
    coalesce(listed.name, described.name) AS name,
    coalesce(listed.cik, described.cik) AS cik,
    coalesce(listed.exchange, described.exchange) AS exchange,
    described.currency,
    described.isin,
    described.sector,
    described.industry,
    described.country,
    priced.price_source,
    priced.first_bar,
    priced.last_bar,
    listed.ticker IS NOT NULL AS is_listed
FROM listed
FULL JOIN described USING (ticker)
FULL JOIN priced USING (ticker)
