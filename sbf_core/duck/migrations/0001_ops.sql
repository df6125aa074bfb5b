-- The ledger. No keys, sequences or checks: ids come from Python, uniqueness from staging, so that the same SQL runs on DuckLake.
CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA IF NOT EXISTS silver;
CREATE SCHEMA IF NOT EXISTS gold;

CREATE TABLE ops.schema_migrations (version INTEGER NOT NULL, name VARCHAR NOT NULL, checksum VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL);

-- One row for the run itself (kind run), one per Bronze file or failed request of the run (file), one per gold table built (gold).
CREATE TABLE ops.file_ingestions (
    run_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP, status VARCHAR NOT NULL,
    domain VARCHAR, source VARCHAR, dataset VARCHAR, discriminator VARCHAR, ticker VARCHAR,
    bronze_file_id VARCHAR, rel_path VARCHAR, payload_hash VARCHAR, content_length_bytes BIGINT,
    table_name VARCHAR, bronze_rows BIGINT,
    rows_inserted BIGINT, rows_updated BIGINT, rows_unchanged BIGINT, rows_rejected BIGINT,
    error VARCHAR
);

CREATE TABLE ops.bronze_manifest (
    bronze_file_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    domain VARCHAR NOT NULL, source VARCHAR NOT NULL, dataset VARCHAR NOT NULL, discriminator VARCHAR NOT NULL, ticker VARCHAR,
    from_date DATE, to_date DATE, address VARCHAR NOT NULL, rel_path VARCHAR NOT NULL,
    payload_hash VARCHAR NOT NULL, content_length_bytes BIGINT NOT NULL, extension VARCHAR NOT NULL,
    status_code INTEGER, fetched_at TIMESTAMP NOT NULL, elapsed_seconds DOUBLE NOT NULL
);

CREATE TABLE ops.promotion_manifest (
    bronze_file_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, silver_table VARCHAR NOT NULL, status VARCHAR NOT NULL,
    rows_seen BIGINT, rows_inserted BIGINT, rows_updated BIGINT, rows_unchanged BIGINT, rows_rejected BIGINT, rows_closed BIGINT,
    rows_written BIGINT, coverage_from DATE, coverage_to DATE, declaration VARCHAR, error VARCHAR,
    started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP
);

CREATE TABLE ops.rejects (
    bronze_file_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, silver_table VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, column_name VARCHAR, row_json VARCHAR, rejected_at TIMESTAMP NOT NULL
);

CREATE TABLE ops.schema_drift (
    silver_table VARCHAR NOT NULL, field VARCHAR NOT NULL, change VARCHAR NOT NULL,
    bronze_file_id VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
);

-- How far silver is covered, per dataset and ticker. It steers fetching and never filters rows.
CREATE TABLE ops.watermarks (
    domain VARCHAR NOT NULL, source VARCHAR NOT NULL, dataset VARCHAR NOT NULL, discriminator VARCHAR NOT NULL, ticker VARCHAR,
    silver_table VARCHAR NOT NULL, coverage_from DATE, coverage_to DATE, updated_at TIMESTAMP NOT NULL
);

CREATE TABLE ops.data_dates (key VARCHAR NOT NULL, to_date DATE, checked_at TIMESTAMP NOT NULL);

CREATE TABLE ops.gold_manifest (
    gold_build_id BIGINT NOT NULL, run_id VARCHAR, table_name VARCHAR NOT NULL, status VARCHAR NOT NULL,
    rows_seen BIGINT, rows_written BIGINT, error_message VARCHAR, started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP
);

CREATE TABLE ops.gold_watermarks (table_name VARCHAR NOT NULL, watermark_date DATE, inputs VARCHAR, updated_at TIMESTAMP NOT NULL);

CREATE TABLE ops.gold_tests (
    gold_build_id BIGINT NOT NULL, table_name VARCHAR NOT NULL, test VARCHAR NOT NULL, status VARCHAR NOT NULL,
    failing_rows BIGINT NOT NULL, tested_at TIMESTAMP NOT NULL
);
