CREATE TABLE functions (
    id {id},
    name TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    live_version BIGINT,
    previous_version BIGINT,
    canary_version BIGINT,
    canary_percent BIGINT NOT NULL DEFAULT 0,
    deleted_at BIGINT);

CREATE TABLE versions (
    id {id},
    function_id BIGINT NOT NULL REFERENCES functions (id),
    number BIGINT NOT NULL,
    digest TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    built TEXT NOT NULL,
    UNIQUE (function_id, number),
    UNIQUE (function_id, digest));

CREATE TABLE invocations (
    id {id},
    function_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    state BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    owner TEXT NOT NULL,
    source BIGINT NOT NULL,
    durability BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    next_at BIGINT,
    errors BIGINT NOT NULL DEFAULT 0,
    deaths BIGINT NOT NULL DEFAULT 0,
    may_have_run BIGINT NOT NULL DEFAULT 0,
    cancel_requested BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    error TEXT,
    idempotency_key TEXT,
    request_hash {blob},
    callback_url TEXT,
    rerun_of BIGINT,
    scheduled_for BIGINT,
    log_bytes BIGINT NOT NULL DEFAULT 0,
    cpu_micros BIGINT,
    memory_peak_bytes BIGINT,
    payload_bytes BIGINT NOT NULL,
    payload_blob TEXT,
    result_bytes BIGINT,
    result_blob TEXT,
    payload {blob},
    result {blob});

CREATE INDEX invocations_function ON invocations (function_id, id);

CREATE INDEX invocations_open ON invocations (id) WHERE state < 2;

CREATE UNIQUE INDEX invocations_idempotency ON invocations (function_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE attempts (
    invocation_id BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    worker TEXT,
    slot TEXT,
    epoch BIGINT NOT NULL,
    cold BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    outcome BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    PRIMARY KEY (invocation_id, attempt)) {clustered};

CREATE TABLE steps (
    invocation_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (invocation_id, name)) {clustered};

CREATE TABLE schedules (
    function_id {id},
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    next_at BIGINT NOT NULL,
    missed BIGINT NOT NULL DEFAULT 0,
    last_missed_at BIGINT);

CREATE TABLE outbox (
    id {id},
    kind TEXT NOT NULL,
    invocation_id BIGINT NOT NULL,
    target TEXT NOT NULL,
    body TEXT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    done_at BIGINT,
    last_error TEXT);

CREATE INDEX outbox_due ON outbox (next_at) WHERE done_at IS NULL;

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL);
