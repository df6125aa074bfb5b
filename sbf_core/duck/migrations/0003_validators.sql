-- What a vendor gave with a payload to ask whether it changed since, and the place of a payload in a set of pages.
ALTER TABLE ops.bronze_manifest ADD COLUMN part INTEGER DEFAULT 0;
ALTER TABLE ops.bronze_manifest ADD COLUMN parts INTEGER DEFAULT 0;
ALTER TABLE ops.bronze_manifest ADD COLUMN etag VARCHAR;
ALTER TABLE ops.bronze_manifest ADD COLUMN last_modified VARCHAR;
