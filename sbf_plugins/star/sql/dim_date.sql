WITH bounds AS (
    SELECT min(date) AS first_day, max(date) AS last_day
    FROM (SELECT date FROM rates UNION ALL SELECT date FROM bars)
)
SELECT
    CAST(day AS DATE) AS date,
    CAST(strftime(day, '%Y%m%d') AS INTEGER) AS date_key,
    year(day) AS year,
    quarter(day) AS quarter,
    month(day) AS month,
    day(day) AS day_of_month,
    isodow(day) AS iso_weekday,
    weekofyear(day) AS iso_week,
    isodow(day) > 5 AS is_weekend,
    last_day(day) = CAST(day AS DATE) AS is_month_end
FROM (SELECT unnest(generate_series(CAST(first_day AS TIMESTAMP), CAST(last_day AS TIMESTAMP), INTERVAL 1 DAY)) AS day FROM bounds)
