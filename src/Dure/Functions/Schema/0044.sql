CREATE INDEX invocations_broken_at ON invocations (finished_at) WHERE state > 2;
