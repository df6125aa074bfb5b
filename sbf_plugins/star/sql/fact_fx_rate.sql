SELECT rates.date, rates.currency, currencies.currency_key, rates.rate AS units_per_eur
FROM silver.ecb_reference_rate AS rates
JOIN gold.dim_currency AS currencies ON currencies.currency = rates.currency
WHERE rates.rate IS NOT NULL
