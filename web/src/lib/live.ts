import { ApiProblem, get, session, type Session } from './api';
import { cell } from './cell';

/** An event of `/api/live`; `data` as the server's document says. */
export interface LiveEvent {
  name: string;
  data: any;
}

/** How fresh what is shown is. `since`: Unix ms of the last sign of the server. */
export interface LiveState {
  state: 'live' | 'connecting' | 'reconnecting' | 'stale';
  since: number;
}

/** Shown in the top bar. */
export const liveState = cell<LiveState>({ state: 'connecting', since: Date.now() });

interface Watcher {
  topics: readonly string[];
  hear: (event: LiveEvent) => void;
}

const NAMES = ['invocation', 'log', 'functions', 'workers', 'overview', 'notifications', 'storage', 'more', 'beat'];
const BEAT_MISSED_MS = 12_000;
const STALE_AFTER_MS = 30_000;
const BACKOFF_MS_MAX = 10_000;

const watchers = new Set<Watcher>();
const offsets = new Map<string, number>();
let source: EventSource | null = null;
let opened = '';
let cursor = '';
let tries = 0;
let lastSign = Date.now();
let timer: ReturnType<typeof setTimeout> | undefined;
let changing: ReturnType<typeof setTimeout> | undefined;

/**
 * Listens to topics (`invocations`, `invocation:ID`, `function:NAME`, `log:ID@OFFSET`, `functions`, `workers`, …) on the one
 * connection of this tab. After a break the server tells what changed meanwhile, and a `more` event says where to look again.
 */
export function watch(topics: readonly string[], hear: (event: LiveEvent) => void): () => void {
  const watcher = { topics, hear };
  watchers.add(watcher);
  reopenSoon();
  return () => {
    watchers.delete(watcher);
    for (const topic of topics) {
      const log = logOf(topic);
      if (log && ![...watchers].some((w) => w.topics.some((t) => logOf(t)?.id === log.id))) offsets.delete(log.id);
    }
    reopenSoon();
  };
}

function logOf(topic: string): { id: string; offset: number } | null {
  const found = /^log:([^@]+)@(\d+)$/.exec(topic);
  return found ? { id: found[1]!, offset: Number(found[2]) } : null;
}

function wanted(): string {
  const topics = new Set<string>();
  for (const watcher of watchers) {
    for (const topic of watcher.topics) {
      const log = logOf(topic);
      topics.add(log ? `log:${log.id}@${offsets.get(log.id) ?? log.offset}` : topic);
    }
  }
  return [...topics].sort().join(',');
}

const withoutOffsets = (topics: string) => topics.replace(/@\d+/g, '');

function reopenSoon(): void {
  // What a page gives up and the next one takes again within a moment is one change.
  clearTimeout(changing);
  changing = setTimeout(() => {
    if (!source || withoutOffsets(wanted()) !== withoutOffsets(opened)) open();
  }, 40);
}

function open(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
  opened = wanted();
  if (!session.get() || opened === '') return;
  const query = new URLSearchParams({ topics: opened });
  if (cursor) query.set('after', cursor);
  const stream = new EventSource(`/api/live?${query}`);
  source = stream;
  stream.onopen = () => sign();
  stream.onerror = () => {
    stream.close();
    if (source === stream) lost();
  };
  for (const name of NAMES) stream.addEventListener(name, (event) => heard(name, event as MessageEvent<string>));
  expectBeat();
}

function sign(): void {
  tries = 0;
  lastSign = Date.now();
  if (liveState.get().state !== 'live') liveState.set({ state: 'live', since: lastSign });
}

function heard(name: string, event: MessageEvent<string>): void {
  sign();
  if (event.lastEventId) cursor = event.lastEventId;
  const data = JSON.parse(event.data || '{}');
  if (name === 'log') offsets.set(data.id, data.offset);
  for (const watcher of [...watchers]) if (concerns(watcher.topics, name, data)) watcher.hear({ name, data });
  expectBeat();
}

function concerns(topics: readonly string[], name: string, data: any): boolean {
  switch (name) {
    case 'beat':
      return topics.includes('beat');
    case 'more':
      return data.topic === undefined || topics.some((t) => t === data.topic || withoutOffsets(t) === data.topic);
    case 'invocation':
      return topics.some((t) => t === 'invocations' || t === `invocation:${data.id}` || t === `function:${data.function}`);
    case 'log':
      return topics.some((t) => logOf(t)?.id === data.id);
    default:
      return topics.includes(name);
  }
}

function expectBeat(): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    source?.close();
    lost();
  }, BEAT_MISSED_MS);
}

function lost(): void {
  source = null;
  const silent = Date.now() - lastSign;
  liveState.set({ state: silent > STALE_AFTER_MS ? 'stale' : 'reconnecting', since: lastSign });
  const wait = Math.min(BACKOFF_MS_MAX, 250 * 2 ** Math.min(tries++, 6)) * (0.75 + Math.random() / 2);
  clearTimeout(timer);
  timer = setTimeout(async () => {
    // A stream that was refused does not say why: a session that ended is told apart from a server that is gone.
    try {
      const now = await get<Session>('/api/session');
      session.set(now);
      open();
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.status === 401) session.set(null);
      else lost();
    }
  }, wait);
}

session.listen(() => {
  if (session.get()) open();
  else {
    clearTimeout(timer);
    source?.close();
    source = null;
  }
});
addEventListener('online', () => !source && open());
