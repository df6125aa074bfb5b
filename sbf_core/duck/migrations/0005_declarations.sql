-- What made a table: the part of its declaration that decides its rows, written in the transaction that makes the table.
CREATE TABLE ops.table_declarations (
    table_name VARCHAR NOT NULL, dataset VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, declaration VARCHAR NOT NULL, made_at TIMESTAMP NOT NULL
);

-- Tables that are not made again by themselves, because rows would go: they wait for their user.
CREATE TABLE ops.held_tables (
    table_name VARCHAR NOT NULL, dataset VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, reason VARCHAR NOT NULL, held_at TIMESTAMP NOT NULL
);

-- What a field that is not declared holds.
ALTER TABLE ops.schema_drift ADD COLUMN examples VARCHAR;
