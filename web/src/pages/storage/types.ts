import type { Schema } from '../../lib/types';

export type BucketView = Schema['BucketView'] & { versioning: 'off' | 'enabled' | 'suspended' };
export type ObjectView = Schema['ObjectView'];
export type ObjectPage = Schema['ObjectPageView'];
export type StorageStatus = Schema['StorageStatusView'];
export type ProviderView = StorageStatus['providers'][number];
export type VerifyReport = NonNullable<ProviderView['last_verify']>;
export type AccessKeyView = Schema['AccessKeyViewPageView']['items'][number];
export type CreatedKey = Schema['CreatedAccessKeyView'];
