import { t } from '../../lib/i18n';

const RESERVED = ['replication', 'keys'];

/** The page of a bucket, or of a folder in it. What an address cannot hold (`//`, `..`) goes into the query. */
export function folderPath(bucket: string, prefix = ''): string {
  const name = RESERVED.includes(bucket) ? `%${bucket.charCodeAt(0).toString(16)}${bucket.slice(1)}` : encodeURIComponent(bucket);
  const parts = prefix.replace(/\/$/, '').split('/');
  if (prefix && (!prefix.endsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..'))) return `/storage/${name}?prefix=${encodeURIComponent(prefix)}`;
  return `/storage/${name}${prefix ? `/${parts.map(encodeURIComponent).join('/')}/` : ''}`;
}

/** The address of an object's bytes. */
export function objectUrl(bucket: string, key: string, options: { version?: string; download?: boolean } = {}): string {
  const query = new URLSearchParams({ key });
  if (options.version) query.set('version', options.version);
  if (options.download) query.set('download', 'true');
  return `/api/storage/buckets/${encodeURIComponent(bucket)}/object?${query}`;
}

export const api = (bucket: string, path: string): string => `/api/storage/buckets/${encodeURIComponent(bucket)}/${path}`;

/** The last part of a key. */
export const baseName = (key: string): string => key.replace(/\/$/, '').split('/').pop()!;

export const tabsOf = () => [
  { id: 'buckets', title: t('storage.buckets'), to: '/storage' },
  { id: 'replication', title: t('storage.replication'), to: '/storage/replication' },
  { id: 'keys', title: t('storage.keys'), to: '/storage/keys' },
];
