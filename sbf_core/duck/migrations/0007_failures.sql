-- What kind of failure a row tells of, one of FailureKind; NULL where it tells of none, and in rows of older versions.
ALTER TABLE ops.file_ingestions ADD COLUMN error_kind VARCHAR;
