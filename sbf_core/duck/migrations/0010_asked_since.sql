-- Since when a vendor was asked for days of publication that it cuts to that, at the latest in a payload; NULL elsewhere,
-- and in rows of older versions.
ALTER TABLE ops.promotion_manifest ADD COLUMN asked_since TIMESTAMP;
