-- Where a request went on, as its journal line says.
ALTER TABLE ops.bronze_manifest ADD COLUMN cursor VARCHAR DEFAULT '';

-- Where the next request of a series goes on: moved in the transaction that promotes the answer which said so.
-- former: the places before it, oldest first, as a JSON list: an answer that was asked for from one of them covers what
-- came since.
CREATE TABLE ops.cursors (
    dataset VARCHAR NOT NULL, ticker VARCHAR, cursor VARCHAR NOT NULL, former VARCHAR NOT NULL,
    bronze_file_id VARCHAR NOT NULL, fetched_at TIMESTAMP NOT NULL
);

-- Since when the vendor has nothing of a series, and never had: it is asked for again rarely.
ALTER TABLE ops.data_dates ADD COLUMN unknown_since TIMESTAMP;
