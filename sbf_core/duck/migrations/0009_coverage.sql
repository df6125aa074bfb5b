-- Which days of a series were asked for and wholly answered: stretches that do not meet unless one of them ends in days
-- that are not final. It says again what the manifests and promotions say, in few rows; where it says nothing of a
-- dataset they are asked. rule: what the declaration said of days when a row was written.
CREATE TABLE ops.coverage (
    dataset_id VARCHAR NOT NULL, ticker VARCHAR, from_date DATE NOT NULL, to_date DATE NOT NULL, final_to DATE,
    asked_at TIMESTAMP NOT NULL, bronze_file_id VARCHAR, rule VARCHAR NOT NULL
);
