import type { InvocationView, Schema } from '../../lib/types';

export type Run = InvocationView;
export type RunPage = Schema['InvocationPage'];
export type Facets = Schema['InvocationFacets'];
export type Facet = Facets['states'][number];
export type LogIndex = Schema['LogIndexView'];
export type LogWindow = Schema['LogWindow'];
export type LogHits = Schema['LogHits'];
export type LogHit = LogHits['hits'][number];

export const STATES = ['PENDING', 'PROCESSING', 'SUCCESS', 'FAILED', 'CANCELLED', 'UNKNOWN'] as const;

/** Whether it has ended. */
export const isOver = (run: { state: string }): boolean => run.state !== 'PENDING' && run.state !== 'PROCESSING';

/** Where one invocation is shown. */
export const hrefOf = (id: string): string => `/invocations/${id}`;
