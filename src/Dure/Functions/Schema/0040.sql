ALTER TABLE invocations ADD COLUMN worker TEXT;

ALTER TABLE invocations ADD COLUMN slot TEXT;

ALTER TABLE invocations ADD COLUMN epoch BIGINT;

ALTER TABLE invocations ADD COLUMN cold BIGINT NOT NULL DEFAULT 0;

ALTER TABLE invocations ADD COLUMN attempt_started_at BIGINT;

ALTER TABLE invocations ADD COLUMN attempt_finished_at BIGINT;

ALTER TABLE invocations ADD COLUMN outcome BIGINT NOT NULL DEFAULT 0;

ALTER TABLE invocations ADD COLUMN attempt_reason TEXT;

UPDATE invocations SET (worker, slot, epoch, cold, attempt_started_at, attempt_finished_at, outcome, attempt_reason) =
    (SELECT a.worker, a.slot, a.epoch, a.cold, a.started_at, a.finished_at, a.outcome, a.reason
     FROM attempts a WHERE a.invocation_id = invocations.id AND a.attempt = invocations.attempt)
WHERE state < 2 AND EXISTS (SELECT 1 FROM attempts a WHERE a.invocation_id = invocations.id AND a.attempt = invocations.attempt);

DELETE FROM attempts WHERE EXISTS (SELECT 1 FROM invocations i WHERE i.id = attempts.invocation_id AND i.attempt = attempts.attempt AND i.state < 2);
