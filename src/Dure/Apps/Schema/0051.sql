ALTER TABLE app_versions ADD COLUMN asleep_since BIGINT;
