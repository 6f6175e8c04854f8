CREATE TABLE app_links (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    hash {blob} NOT NULL,
    owner TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    visits BIGINT NOT NULL DEFAULT 0) {clustered};
CREATE INDEX app_links_by_app ON app_links (app);
CREATE TABLE app_handovers (
    hash {blob} PRIMARY KEY,
    app TEXT NOT NULL,
    session TEXT NOT NULL,
    state {blob} NOT NULL,
    expires_at BIGINT NOT NULL) {clustered};
