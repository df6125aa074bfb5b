-- Which dataset, and which series, a row is of, as DatasetId writes them; NULL in rows of runs and gold tables.
-- Kept with each row, so that no other statement puts them together.
ALTER TABLE ops.bronze_manifest ADD COLUMN dataset_id VARCHAR;
ALTER TABLE ops.bronze_manifest ADD COLUMN series_key VARCHAR;
ALTER TABLE ops.file_ingestions ADD COLUMN dataset_id VARCHAR;
ALTER TABLE ops.file_ingestions ADD COLUMN series_key VARCHAR;
ALTER TABLE ops.watermarks ADD COLUMN dataset_id VARCHAR;
ALTER TABLE ops.watermarks ADD COLUMN series_key VARCHAR;

UPDATE ops.bronze_manifest
SET dataset_id = concat(domain, '/', source, '/', dataset, CASE WHEN discriminator <> '' THEN '@' || discriminator END);
UPDATE ops.file_ingestions
SET dataset_id = concat(domain, '/', source, '/', dataset, CASE WHEN discriminator <> '' THEN '@' || discriminator END)
WHERE domain IS NOT NULL;
UPDATE ops.watermarks
SET dataset_id = concat(domain, '/', source, '/', dataset, CASE WHEN discriminator <> '' THEN '@' || discriminator END);

UPDATE ops.bronze_manifest SET series_key = concat(dataset_id, '/' || ticker);
UPDATE ops.file_ingestions SET series_key = concat(dataset_id, '/' || ticker) WHERE dataset_id IS NOT NULL;
UPDATE ops.watermarks SET series_key = concat(dataset_id, '/' || ticker);

-- Of which dataset a series is: its key alone does not tell, where a discriminator has a slash.
ALTER TABLE ops.data_dates ADD COLUMN dataset_id VARCHAR;
UPDATE ops.data_dates SET dataset_id = s.dataset_id FROM (
    SELECT series_key, any_value(dataset_id) AS dataset_id FROM (
        SELECT series_key, dataset_id FROM ops.file_ingestions UNION ALL
        SELECT series_key, dataset_id FROM ops.bronze_manifest UNION ALL
        SELECT series_key, dataset_id FROM ops.watermarks
    ) GROUP BY series_key
) AS s WHERE s.series_key = data_dates.key;
