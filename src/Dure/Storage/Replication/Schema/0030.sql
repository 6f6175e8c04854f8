CREATE TABLE replication (
    id {serial},
    kind BIGINT NOT NULL,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    body TEXT,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    last_error TEXT);

CREATE INDEX replication_due ON replication (provider, next_at);

CREATE INDEX replication_name ON replication (name);
