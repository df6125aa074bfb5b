-- What made a table: the part of its declaration that decides its rows, written in the transaction that makes the table.
CREATE TABLE ops.table_declarations (
    table_name VARCHAR NOT NULL, dataset VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, declaration VARCHAR NOT NULL, made_at TIMESTAMP NOT NULL
);

-- Datasets that wait for their user, because what is due must not happen by itself.
CREATE TABLE ops.held (
    dataset VARCHAR NOT NULL, table_name VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    bronze_file_id VARCHAR, held_at TIMESTAMP NOT NULL
);
