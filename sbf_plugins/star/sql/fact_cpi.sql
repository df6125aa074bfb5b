SELECT
    series_id,
    year,
    period,
    CASE WHEN period BETWEEN 'M01' AND 'M12' THEN make_date(year, CAST(substr(period, 2) AS BIGINT), 1) END AS month,
    value AS index_value,
    known_from
FROM silver.bls_cpi
WHERE value IS NOT NULL
