-- What recovery and repair did. A run that did not end well is looked after once, and then stands here.
CREATE TABLE ops.recoveries (run_id VARCHAR NOT NULL, payloads_adopted BIGINT NOT NULL, files_quarantined BIGINT NOT NULL, recovered_at TIMESTAMP NOT NULL);

-- Files that belong to no payload of the ledger, or are not what was recorded. They are moved, never deleted.
CREATE TABLE ops.quarantine (
    quarantine_path VARCHAR NOT NULL, original_path VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    payload_hash VARCHAR NOT NULL, content_length_bytes BIGINT NOT NULL, quarantined_at TIMESTAMP NOT NULL
);
