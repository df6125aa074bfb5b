-- What became of a payload in the tables of further datasets, which read what another one fetched: a row a payload and
-- table. ops.promotion_manifest has what the dataset made of it for which it was fetched.
CREATE TABLE ops.readings (
    bronze_file_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, silver_table VARCHAR NOT NULL, status VARCHAR NOT NULL,
    rows_seen BIGINT, rows_inserted BIGINT, rows_updated BIGINT, rows_unchanged BIGINT, rows_rejected BIGINT, rows_closed BIGINT,
    rows_written BIGINT, coverage_from DATE, coverage_to DATE, declaration VARCHAR, error VARCHAR,
    started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP, asked_since TIMESTAMP
);
