CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    nonce {blob} NOT NULL,
    tag {blob} NOT NULL,
    sealed {blob} NOT NULL) {clustered};
