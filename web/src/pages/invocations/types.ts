import type { InvocationView } from '../../lib/types';

/** One invocation, with what lists leave out. */
export type Run = InvocationView & { callback_url?: string | null; scheduled_for?: string | null; version_number?: number | null };

/** A page of the list. */
export interface RunPage {
  items: Run[];
  next?: string | null;
  total?: number | null;
  total_is_exact?: boolean | null;
}

export interface Facet {
  value: string;
  count: number;
}

/** What there is within a filter. */
export interface Facets {
  total: number;
  total_is_exact: boolean;
  exact: boolean;
  states: Facet[];
  functions: Facet[];
  owners: Facet[];
}

/** A log as a whole. */
export interface LogIndex {
  lines: number;
  bytes: number;
  stride: number;
  offsets?: number[] | null;
  ended: boolean;
}

export interface LogWindow {
  from: number;
  lines: string[];
  cut?: number[] | null;
}

export interface LogHit {
  line: number;
  offset: number;
  at: number;
  length: number;
}

export interface LogHits {
  hits: LogHit[];
  next?: string | null;
  searched_lines: number;
  searched_bytes: number;
}

export const STATES = ['PENDING', 'PROCESSING', 'SUCCESS', 'FAILED', 'CANCELLED', 'UNKNOWN'] as const;
export type StateWord = (typeof STATES)[number];

/** Whether it has ended. */
export const isOver = (run: { state: string }): boolean => run.state !== 'PENDING' && run.state !== 'PROCESSING';

/** Where one invocation is shown. */
export const hrefOf = (id: string): string => `/invocations/${id}`;
