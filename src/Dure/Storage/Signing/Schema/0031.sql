CREATE TABLE access_keys (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    nonce {blob} NOT NULL,
    tag {blob} NOT NULL,
    sealed {blob} NOT NULL,
    user_name TEXT NOT NULL,
    scopes BIGINT NOT NULL,
    buckets TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT);
