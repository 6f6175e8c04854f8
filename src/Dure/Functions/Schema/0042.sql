CREATE INDEX invocations_broken ON invocations (state, id) WHERE state > 2;
