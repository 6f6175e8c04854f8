import type { FunctionView, Schema, VersionView } from '../../lib/types';

export type { FunctionView, VersionView };
export type ReleaseView = Schema['ReleaseViewPage']['items'][number];
export type AheadView = Schema['AheadView'];
export type DiffView = Schema['DiffView'];
export type SourceFileView = Schema['SourceFileViewPage']['items'][number];
export type TemplateView = Schema['TemplateViewPage']['items'][number];
export type TestEventView = Schema['TestEventViewPage']['items'][number];
export type ActivityView = NonNullable<FunctionView['activity']>;

/** Where a function is in the API. */
export const apiOf = (name: string, below = '') => `/api/functions/${encodeURIComponent(name)}${below}`;

/** Where a function's page is. */
export const pageOf = (name: string, tab = '') => `/functions/${encodeURIComponent(name)}${tab && tab !== 'overview' ? `/${tab}` : ''}`;

/** The share of the last day's runs that succeeded; null when none ended. */
export function shareOf(activity: ActivityView | null | undefined): number | null {
  if (!activity) return null;
  const ended = activity.succeeded + activity.failed + activity.unknown;
  return ended === 0 ? null : activity.succeeded / ended;
}

/** `00:05:00`, `1.02:03:04.5`: how the API writes lengths of time; in milliseconds. */
export function spanOf(text: string | null | undefined): number | null {
  const found = /^(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(text ?? '');
  if (!found) return null;
  return ((Number(found[1] ?? 0) * 24 + Number(found[2])) * 60 + Number(found[3])) * 60_000 + Number(found[4]) * 1000;
}

/** The first digits of a digest. */
export const short = (digest: string) => digest.slice(0, 12);
