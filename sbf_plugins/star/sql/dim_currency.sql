-- ISO 4217 lists a currency once for each country that uses it; the ECB also knows currencies that ended before ISO's list of today.
WITH named AS (
    SELECT
        currency,
        min(currency_name) AS name,
        min(numeric_code) AS numeric_code,
        min(minor_units) AS minor_units,
        bool_and(is_fund) AS is_fund,
        count(*) AS countries
    FROM silver.iso4217_currency
    WHERE currency IS NOT NULL
    GROUP BY currency
),
fixed AS (
    SELECT currency, min(date) AS first_fixing, max(date) AS last_fixing
    FROM silver.ecb_reference_rate
    WHERE rate IS NOT NULL
    GROUP BY currency
)
SELECT
    coalesce(named.currency, fixed.currency) AS currency,
    named.name,
    named.numeric_code,
    named.minor_units,
    coalesce(named.is_fund, false) AS is_fund,
    coalesce(named.countries, 0) AS countries,
    fixed.first_fixing,
    fixed.last_fixing,
    named.currency IS NOT NULL AS is_current
FROM named
FULL JOIN fixed ON named.currency = fixed.currency
