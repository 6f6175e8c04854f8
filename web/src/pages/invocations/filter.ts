import { STATES, type Run } from './types';

/** What the list is narrowed to, as it stands in the address. */
export interface Filter {
  states: string[];
  fn: string;
  version: string;
  owner: string;
  triggers: string[];
  /** `24h`, `7d`…, or `since/until` in RFC 3339. */
  range: string;
  text: string;
}

export const RANGES = ['15m', '1h', '24h', '7d', '30d'] as const;
export const TRIGGERS = ['api', 'schedule', 'rerun'] as const;
const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const list = (text: string | null): string[] => (text ?? '').split(',').filter(Boolean);

export function readFilter(query: URLSearchParams): Filter {
  return {
    states: list(query.get('state')).filter((s) => (STATES as readonly string[]).includes(s)),
    fn: query.get('function') ?? '',
    version: query.get('version') ?? '',
    owner: query.get('owner') ?? '',
    triggers: list(query.get('trigger')).filter((s) => (TRIGGERS as readonly string[]).includes(s)),
    range: query.get('range') ?? '',
    text: query.get('text') ?? '',
  };
}

export const isNarrowed = (filter: Filter): boolean => !!(filter.states.length || filter.fn || filter.version || filter.owner || filter.triggers.length || filter.range || filter.text);

/** The time that a range means now, Unix ms; a span begins at a whole second so that what is asked twice is the same. */
export function boundsOf(range: string, now: number): { since?: number; until?: number } {
  const span = /^(\d{1,4})([mhd])$/.exec(range);
  if (span) return { since: Math.floor((now - Number(span[1]) * UNITS[span[2]!]!) / 1000) * 1000 };
  const [since, until] = range.split('/').map((part) => Date.parse(part));
  return { since: Number.isFinite(since) ? since : undefined, until: Number.isFinite(until) ? until : undefined };
}

/** The filter as the API takes it. */
export function apiQuery(filter: Filter, now: number): string {
  const query = new URLSearchParams();
  const { since, until } = boundsOf(filter.range, now);
  if (filter.states.length) query.set('state', filter.states.join(','));
  if (filter.fn) query.set('function', filter.fn);
  if (filter.version) query.set('version', filter.version);
  if (filter.owner) query.set('owner', filter.owner);
  if (filter.triggers.length) query.set('trigger', filter.triggers.join(','));
  if (since !== undefined) query.set('since', new Date(since).toISOString());
  if (until !== undefined) query.set('until', new Date(until).toISOString());
  if (filter.text) query.set('text', filter.text);
  return query.toString();
}

/** Rows of a page. */
export const PAGE = 100;

/** Where the newest of what a query names are listed. */
export const firstPage = (query: string, rows = PAGE): string => `/api/invocations?${query}&limit=${rows}`;

/** Rows of what the overview shows as it happens, and where they are listed. */
export const NEWEST_SHOWN = 24;
export const NEWEST = firstPage('', NEWEST_SHOWN);

/** Whether one that was heard of belongs to the list. */
export function fits(filter: Filter, run: Run, now: number): boolean {
  const { since, until } = boundsOf(filter.range, now);
  const at = Date.parse(run.created_at);
  const text = filter.text.toLowerCase();
  return (
    (!filter.states.length || filter.states.includes(run.state)) &&
    (!filter.fn || run.function === filter.fn) &&
    (!filter.version || run.version.startsWith(filter.version) || String(run.version_number) === filter.version) &&
    (!filter.owner || run.owner === filter.owner) &&
    (!filter.triggers.length || filter.triggers.includes(run.trigger)) &&
    (since === undefined || at >= since) &&
    (until === undefined || at < until) &&
    (!text || run.id.startsWith(text) || [run.reason, run.error?.error_type, run.error?.error_message].some((part) => part?.toLowerCase().includes(text)))
  );
}

const quoted = (text: string): string => (/^[\w.:@/-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

/** The command that lists the same. */
export function commandOf(filter: Filter): string {
  const words = ['dure invocation list'];
  for (const state of filter.states) words.push(`--state ${state.toLowerCase()}`);
  if (filter.fn) words.push(`--function ${quoted(filter.fn)}`);
  if (filter.version) words.push(`--version ${quoted(filter.version)}`);
  if (filter.owner) words.push(`--owner ${quoted(filter.owner)}`);
  for (const trigger of filter.triggers) words.push(`--trigger ${trigger}`);
  const span = /^\d+[mhd]$/.test(filter.range);
  const [since, until] = span ? [filter.range] : filter.range.split('/');
  if (since) words.push(`--since ${quoted(since)}`);
  if (until) words.push(`--until ${quoted(until)}`);
  if (filter.text) words.push(`--text ${quoted(filter.text)}`);
  return words.join(' ');
}
