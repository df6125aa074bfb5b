-- Where a small payload lies that stands in a pack with others: the file, and its first byte there.
ALTER TABLE ops.bronze_manifest ADD COLUMN pack VARCHAR DEFAULT '';
ALTER TABLE ops.bronze_manifest ADD COLUMN pack_offset BIGINT DEFAULT 0;
