CREATE TABLE apps (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    origin TEXT NOT NULL,
    machine TEXT NOT NULL,
    live_version BIGINT,
    previous_version BIGINT,
    removing BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    last_error_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL) {clustered};

CREATE TABLE app_versions (
    app TEXT NOT NULL,
    number BIGINT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    spec TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    drains_until BIGINT,
    PRIMARY KEY (app, number)) {clustered};

CREATE TABLE app_ports (
    port BIGINT PRIMARY KEY,
    app TEXT NOT NULL,
    version BIGINT NOT NULL,
    machine TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    UNIQUE (app, version)) {clustered};
