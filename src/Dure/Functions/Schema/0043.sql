CREATE INDEX invocations_finished ON invocations (finished_at, state, function_id, created_at, started_at) WHERE finished_at IS NOT NULL;

CREATE TABLE worker_drains (
    worker TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    caller TEXT NOT NULL,
    reason TEXT);
