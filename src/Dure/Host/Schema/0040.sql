CREATE TABLE people (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    email TEXT,
    password TEXT,
    provider TEXT,
    subject TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT) {clustered};
CREATE UNIQUE INDEX people_by_identity ON people (provider, subject);
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    how TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL) {clustered};
CREATE INDEX sessions_by_person ON sessions (person);
CREATE TABLE signin_links (
    hash {blob} PRIMARY KEY,
    person TEXT NOT NULL,
    expires_at BIGINT NOT NULL) {clustered};
CREATE TABLE signin_keys (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    nonce {blob} NOT NULL,
    tag {blob} NOT NULL,
    sealed {blob} NOT NULL) {clustered};
ALTER TABLE tokens ADD COLUMN person TEXT;
CREATE TABLE audit (
    id {serial},
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    how TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    status BIGINT NOT NULL);
CREATE INDEX audit_by_time ON audit (at);
