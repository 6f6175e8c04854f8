ALTER TABLE versions ADD COLUMN removed_at BIGINT;
