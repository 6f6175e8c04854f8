import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, get } from './api';
import { watch, type LiveEvent } from './live';

/** What a page shows of the server: the last answer with its age, and what went wrong since. */
export interface Resource<T> {
  /** The last answer; stays while it is asked for again and when that fails. */
  data: T | undefined;
  /** Why the last try failed; null when it did not. */
  problem: ApiProblem | null;
  /** Asked for and never yet answered: show a skeleton, never an empty state. */
  loading: boolean;
  /** When `data` was observed, Unix ms. */
  at: number | undefined;
  reload: () => Promise<void>;
  /** Changes what is shown before the server says so; the next answer overrides it. */
  put: (change: (data: T) => T) => void;
}

export interface ResourceOptions {
  /** Live topics after whose events it is asked for again. */
  topics?: readonly string[];
  /** Decides what an event does: true asks again. Without it every event does. */
  onEvent?: (event: LiveEvent, put: (change: (data: any) => any) => void) => boolean | void;
  /** Asks again every so often, ms; for what no event tells of. */
  every?: number;
}

const KEPT = 60;
const kept = new Map<string, { data: unknown; at: number }>();
const RELOAD_AT_MOST_EVERY_MS = 250;

function keep(path: string, data: unknown, at: number): void {
  kept.delete(path);
  kept.set(path, { data, at });
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
}

/** Forgets what was seen, when somebody else signs in. */
export const forget = (): void => kept.clear();

const AHEAD_MS = 5000;
const ahead = new Map<string, Promise<unknown>>();

/** Asks ahead for what will be opened at once: whoever shows it takes this answer, if it comes within a few seconds. */
export function prefetch(path: string): void {
  const answer = get(path);
  // Whoever took it hears of the failure; whoever comes later asks again.
  answer.catch(() => ahead.delete(path));
  ahead.set(path, answer);
  setTimeout(() => ahead.delete(path), AHEAD_MS);
}

/** GET of JSON; the answer that was asked for ahead, where there is one, once. */
export function getAhead<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = ahead.get(path) as Promise<T> | undefined;
  ahead.delete(path);
  return answer ?? get<T>(path, signal);
}

/** GETs a path and keeps it fresh. Null asks for nothing. What was seen before is shown at once, and asked for again. */
export function useResource<T>(path: string | null, options: ResourceOptions = {}): Resource<T> {
  const [, render] = useState(0);
  const state = useRef<{ path: string | null; data?: T; at?: number; problem: ApiProblem | null; asking: AbortController | null; last: number }>({ path: null, problem: null, asking: null, last: 0 });
  const now = state.current;
  if (now.path !== path) {
    now.asking?.abort();
    const before = path ? kept.get(path) : undefined;
    state.current = { path, data: before?.data as T | undefined, at: before?.at, problem: null, asking: null, last: 0 };
  }
  const optionsNow = useRef(options);
  optionsNow.current = options;

  const put = useCallback((change: (data: T) => T) => {
    const mine = state.current;
    if (mine.data === undefined) return;
    mine.data = change(mine.data);
    if (mine.path) keep(mine.path, mine.data, mine.at ?? Date.now());
    render((n) => n + 1);
  }, []);

  const reload = useCallback(async () => {
    const mine = state.current;
    if (!mine.path) return;
    mine.asking?.abort();
    const asking = (mine.asking = new AbortController());
    mine.last = Date.now();
    try {
      const data = await getAhead<T>(mine.path, asking.signal);
      if (state.current !== mine) return;
      mine.data = data;
      mine.at = Date.now();
      mine.problem = null;
      keep(mine.path, data, mine.at);
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      mine.problem = error;
    }
    if (mine.asking === asking) mine.asking = null;
    if (state.current === mine) render((n) => n + 1);
  }, []);

  useEffect(() => {
    void reload();
    return () => state.current.asking?.abort();
  }, [path, reload]);

  const topics = (options.topics ?? []).join(',');
  useEffect(() => {
    if (!path || !topics) return;
    let soon: ReturnType<typeof setTimeout> | undefined;
    const end = watch(topics.split(','), (event) => {
      const decide = optionsNow.current.onEvent;
      if (decide && event.name !== 'more' && decide(event, put as never) !== true) return;
      clearTimeout(soon);
      soon = setTimeout(() => void reload(), Math.max(0, state.current.last + RELOAD_AT_MOST_EVERY_MS - Date.now()));
    });
    return () => {
      clearTimeout(soon);
      end();
    };
  }, [path, topics, reload, put]);

  const every = options.every ?? 0;
  useEffect(() => {
    if (!path || !every) return;
    const timer = setInterval(() => !document.hidden && void reload(), every);
    return () => clearInterval(timer);
  }, [path, every, reload]);

  const shown = state.current;
  return { data: shown.data, problem: shown.problem, loading: !!path && shown.data === undefined && !shown.problem, at: shown.at, reload, put };
}
