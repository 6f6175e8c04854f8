CREATE INDEX invocations_broken ON invocations (finished_at) WHERE state > 2;
