CREATE TABLE buckets (
    id {serial},
    name TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    versioning BIGINT NOT NULL,
    acl BIGINT NOT NULL,
    cors TEXT,
    policy TEXT,
    tags TEXT,
    quota_bytes BIGINT,
    used_bytes BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    replicate TEXT);

CREATE TABLE objects (
    id {id},
    bucket_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    is_latest BIGINT NOT NULL,
    is_marker BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    owner TEXT NOT NULL,
    acl BIGINT NOT NULL,
    about TEXT,
    tags TEXT,
    group_id BIGINT NOT NULL,
    parts BIGINT NOT NULL);

CREATE INDEX objects_latest ON objects (bucket_id, key, is_marker) WHERE is_latest = 1;

CREATE INDEX objects_versions ON objects (bucket_id, key, id DESC);

CREATE TABLE contents (
    id {id},
    group_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    is_file BIGINT NOT NULL,
    replicated BIGINT NOT NULL,
    etag TEXT,
    checksums TEXT,
    modified_at BIGINT,
    crcs {blob} NOT NULL,
    bytes {blob});

CREATE INDEX contents_parts ON contents (group_id, number) WHERE number > 0;

CREATE TABLE digests (
    sha256 TEXT NOT NULL,
    content_id BIGINT NOT NULL,
    PRIMARY KEY (sha256, content_id)) {clustered};

CREATE TABLE garbage (
    content_id {id},
    at BIGINT NOT NULL);

CREATE TABLE corrupt (
    content_id {id},
    at BIGINT NOT NULL);

CREATE TABLE uploads (
    id {id},
    upload_id TEXT NOT NULL,
    bucket_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    owner TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    headers TEXT NOT NULL,
    acl BIGINT NOT NULL,
    tags TEXT,
    checksum_kind BIGINT,
    checksum_type BIGINT,
    object_id BIGINT,
    named TEXT);

CREATE INDEX uploads_open ON uploads (bucket_id, key, id) WHERE object_id IS NULL;

CREATE INDEX uploads_touched ON uploads (touched_at);
