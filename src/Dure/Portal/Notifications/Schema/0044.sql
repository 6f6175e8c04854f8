CREATE TABLE notify_rules (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    event TEXT NOT NULL,
    function_name TEXT,
    channels TEXT NOT NULL,
    created_at BIGINT NOT NULL) {clustered};

CREATE TABLE notify_watches (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    invocation_id BIGINT NOT NULL,
    channels TEXT NOT NULL,
    created_at BIGINT NOT NULL) {clustered};

CREATE TABLE notify_messages (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    source_id TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    invocation TEXT,
    detail TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    gathers_until BIGINT NOT NULL,
    sealed_at BIGINT,
    in_portal BIGINT NOT NULL,
    read_at BIGINT) {clustered};

CREATE INDEX notify_messages_owner ON notify_messages (owner, id);

CREATE INDEX notify_messages_unread ON notify_messages (owner) WHERE read_at IS NULL AND in_portal = 1;

CREATE INDEX notify_messages_source ON notify_messages (source_id, gathers_until);

CREATE TABLE notify_outbox (
    id {serial},
    message_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    done_at BIGINT,
    last_error TEXT);

CREATE INDEX notify_outbox_due ON notify_outbox (next_at) WHERE done_at IS NULL;

CREATE INDEX notify_outbox_message ON notify_outbox (message_id);

CREATE TABLE notify_state (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL) {clustered};
