CREATE TABLE function_releases (
    id {serial},
    function_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    owner TEXT NOT NULL,
    action TEXT NOT NULL,
    live_version BIGINT,
    canary_version BIGINT,
    canary_percent BIGINT NOT NULL DEFAULT 0);

CREATE INDEX function_releases_function ON function_releases (function_id, id);

CREATE TABLE test_events (
    function_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    owner TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (function_id, name)) {clustered};
