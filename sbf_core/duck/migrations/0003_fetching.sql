-- What a vendor gave with a payload to ask whether it changed since, and the place of a payload in a set of pages.
ALTER TABLE ops.bronze_manifest ADD COLUMN part INTEGER DEFAULT 0;
ALTER TABLE ops.bronze_manifest ADD COLUMN parts INTEGER DEFAULT 0;
ALTER TABLE ops.bronze_manifest ADD COLUMN etag VARCHAR;
ALTER TABLE ops.bronze_manifest ADD COLUMN last_modified VARCHAR;

-- The days that were asked for, so that a back-fill that was stopped goes on where it was.
ALTER TABLE ops.file_ingestions ADD COLUMN from_date DATE;
ALTER TABLE ops.file_ingestions ADD COLUMN to_date DATE;
