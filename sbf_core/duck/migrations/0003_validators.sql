-- What a vendor gave with a payload to ask whether it changed since.
ALTER TABLE ops.bronze_manifest ADD COLUMN etag VARCHAR;
ALTER TABLE ops.bronze_manifest ADD COLUMN last_modified VARCHAR;
