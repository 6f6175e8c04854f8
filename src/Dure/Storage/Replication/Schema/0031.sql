CREATE TABLE replication_lost (
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    reason TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    PRIMARY KEY (provider, name)) {clustered};

CREATE TABLE replication_verified (
    provider TEXT PRIMARY KEY,
    finished_at BIGINT NOT NULL,
    report TEXT NOT NULL);
