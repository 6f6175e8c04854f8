import type { components } from './schema';

/** The shapes of the API, generated from the server's OpenAPI document: `npm run types` after it changed. */
export type Schema = components['schemas'];
export type FunctionView = Schema['FunctionView'];
export type VersionView = Schema['VersionViewPage']['items'][number];
export type InvocationView = Schema['InvocationView'];
export type AttemptView = NonNullable<InvocationView['attempts']>[number];
export type StatusView = Schema['StatusView'];
export type OverviewView = Schema['OverviewView'];
export type MachineView = Schema['MachineView'];

/** One page of a list; `next` is the cursor of the one after it. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** Values over time: buckets from `from` in steps of `step_ms` (Unix ms), aligned to the step, null where nothing was. */
export interface Series {
  from: number;
  to: number;
  step_ms: number;
  series: { name: string; unit?: string; min: (number | null)[]; max: (number | null)[]; mean: (number | null)[]; count: number[] }[];
}
