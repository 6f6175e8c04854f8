/** A bucket, as `/api/storage/buckets` tells it. */
export interface BucketView {
  name: string;
  owner: string;
  created_at: string;
  versioning: 'off' | 'enabled' | 'suspended';
  acl: string;
  policy?: string | null;
  quota_bytes?: number | null;
  used_bytes: number;
  objects: number;
  replicate: string[];
}

export interface ObjectView {
  key: string;
  size: number;
  etag: string;
  modified_at: string;
  owner: string;
  content_type?: string;
  version_id?: string;
  latest: boolean;
  delete_marker: boolean;
  metadata?: Record<string, string>;
}

export interface ObjectPage {
  items: ObjectView[];
  prefixes: string[];
  next?: string;
}

export interface VerifyReport {
  provider: string;
  at: string;
  full: boolean;
  objects: number;
  bytes: number;
  missing: number;
  wrong: number;
  damaged: number;
  missing_here: number;
  damaged_here: number;
  pending: number;
  duration_ms: number;
}

export interface ProviderView {
  name: string;
  configured: boolean;
  functions: boolean;
  mode: 'async' | 'both';
  breaker: 'closed' | 'open' | 'half_open';
  retry_at?: string;
  pending_objects: number;
  pending_bytes: number;
  oldest_pending_at?: string;
  last_error?: string;
  last_error_at?: string;
  failures: number;
  lost: number;
  losses: { digest: string; bytes: number; reason: string; found_at: string }[];
  last_verify?: VerifyReport;
}

export interface StorageStatus {
  providers: ProviderView[];
  store?: Record<string, unknown>;
}

export interface AccessKeyView {
  id: string;
  user: string;
  scopes: string[];
  buckets: string[];
  created_at: string;
  expires_at?: string | null;
}

export interface CreatedKey {
  access_key_id: string;
  secret_access_key: string;
  user: string;
  expires_at?: string | null;
  endpoint: string;
  region: string;
}
