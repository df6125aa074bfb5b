WITH priced AS (
    SELECT ticker, min(date) AS first_bar, max(date) AS last_bar
    FROM silver.eod_bar
    GROUP BY ticker
)
SELECT
    coalesce(listed.ticker, priced.ticker) AS ticker,
    listed.name,
    listed.cik,
    listed.exchange,
    priced.first_bar,
    priced.last_bar,
    listed.ticker IS NOT NULL AS is_listed
FROM silver.sec_company_ticker AS listed
FULL JOIN priced ON listed.ticker = priced.ticker
