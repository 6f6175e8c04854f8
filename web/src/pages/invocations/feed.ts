import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiProblem, get } from '../../lib/api';
import { liveState, watch } from '../../lib/live';
import { getAhead } from '../../lib/resource';
import { apiQuery, firstPage, fits, PAGE, type Filter } from './filter';
import type { Facets, Run, RunPage } from './types';

const PAGES_KEPT = 60;
const COUNTS_EVERY_MS = 4000;
const ABSORB_EVERY_MS = 1000;
const LOOK_WITHOUT_LIVE_MS = 4000;

/**
 * The rows of a list of any length. What is shown is what there was when the list was asked for (`up_to`): newer ones are only counted, so
 * that nothing moves under the reader, until the reader is at the top or asks for them. Rows that are shown change in place.
 */
class Feed {
  readonly pages = new Map<number, Run[]>();
  readonly asked = new Set<number>();
  readonly fresh = new Set<string>();
  readonly query: string;
  total = 0;
  known = false;
  /** Whether `total` is more than what was seen so far. */
  counted = false;
  exact = true;
  facets: Facets | null = null;
  problem: ApiProblem | null = null;
  at: number | undefined;
  newest = '';
  atTop = true;
  private over = false;
  private countsAt = 0;
  private counting: ReturnType<typeof setTimeout> | undefined;
  private absorbing: ReturnType<typeof setTimeout> | undefined;
  private readonly abort = new AbortController();

  constructor(
    readonly filter: Filter,
    now: number,
    private readonly changed: () => void,
  ) {
    this.query = apiQuery(filter, now);
  }

  /** Rows first: counting the others must not delay them. */
  async start(): Promise<void> {
    await this.first();
    if (!this.over) await this.count();
  }

  end(): void {
    this.over = true;
    clearTimeout(this.counting);
    clearTimeout(this.absorbing);
    this.abort.abort();
  }

  row(index: number): Run | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Loads what comes into view. */
  range(from: number, to: number): void {
    if (!this.known) return;
    for (let page = Math.floor(from / PAGE); page <= Math.floor(Math.max(from, to - 1) / PAGE); page++) void this.load(page);
    for (const page of this.pages.keys()) {
      if (this.pages.size <= PAGES_KEPT) break;
      if (page !== 0 && (page < from / PAGE - 10 || page > to / PAGE + 10)) this.pages.delete(page);
    }
  }

  /** Shows what is new. */
  async first(): Promise<void> {
    try {
      const page = await getAhead<RunPage>(firstPage(this.query), this.abort.signal);
      if (this.over) return;
      this.pages.clear();
      this.asked.clear();
      this.fresh.clear();
      this.pages.set(0, page.items);
      this.newest = page.items[0]?.id ?? this.newest;
      this.total = page.next ? Math.max(this.total, page.items.length + PAGE) : page.items.length;
      this.settle(page.items.length, !page.next, 0);
      this.known = true;
      this.done();
    } catch (error) {
      this.failed(error);
    }
  }

  hear(run: Run): void {
    for (const rows of this.pages.values()) {
      const at = rows.findIndex((row) => row.id === run.id);
      if (at < 0) continue;
      rows[at] = { ...rows[at]!, ...run };
      this.countSoon();
      this.changed();
      return;
    }
    if (!this.known || !fits(this.filter, run, Date.now())) return;
    // Older ones that come into this state belong here as well, but where is for the server to say.
    if (run.id <= this.newest && !this.filter.states.length) return;
    this.fresh.add(run.id);
    this.countSoon();
    this.changed();
    this.absorbSoon();
  }

  /** Too much happened to be told one by one: how many are new is asked for. */
  async look(): Promise<void> {
    if (!this.known) return;
    try {
      const found = await get<RunPage>(`${firstPage(this.query)}${this.newest ? `&above=${this.newest}` : ''}`, this.abort.signal);
      if (this.over) return;
      for (const run of found.items) this.fresh.add(run.id);
      this.at = Date.now();
      this.changed();
      this.countSoon();
      this.absorbSoon();
      void this.freshen();
    } catch (error) {
      this.failed(error);
    }
  }

  top(atTop: boolean): void {
    this.atTop = atTop;
    if (atTop) this.absorbSoon();
  }

  private absorbSoon(): void {
    if (!this.atTop || this.fresh.size === 0 || this.absorbing !== undefined) return;
    this.absorbing = setTimeout(() => {
      this.absorbing = undefined;
      if (this.atTop && this.fresh.size > 0) void this.first();
    }, ABSORB_EVERY_MS / 4);
  }

  // What is shown and has not ended may have, unheard.
  private async freshen(): Promise<void> {
    const open = [...this.pages.values()].flat().filter((run) => run.state === 'PENDING' || run.state === 'PROCESSING').slice(0, 40);
    for (const run of open) {
      const now = await get<Run>(`/api/invocations/${run.id}`, this.abort.signal).catch(() => undefined);
      if (this.over) return;
      if (now && now.state !== run.state) this.hear({ ...now, attempts: null, steps: null } as Run);
    }
  }

  private async load(page: number): Promise<void> {
    if (page < 0 || this.pages.has(page) || this.asked.has(page) || page * PAGE >= this.total) return;
    this.asked.add(page);
    try {
      const found = await get<RunPage>(`${firstPage(this.query)}&offset=${page * PAGE}${this.newest ? `&up_to=${this.newest}` : ''}`, this.abort.signal);
      if (this.over) return;
      this.pages.set(page, found.items);
      this.settle(page * PAGE + found.items.length, !found.next, page);
      this.done();
    } catch (error) {
      this.failed(error);
    } finally {
      this.asked.delete(page);
    }
  }

  // The end is where a page says it is, whatever was counted meanwhile.
  private settle(until: number, isEnd: boolean, page: number): void {
    if (isEnd && (until > page * PAGE || page === 0)) [this.total, this.counted] = [until, true];
    else if (!isEnd) this.total = Math.max(this.total, until + 1);
  }

  private countSoon(): void {
    if (this.counting !== undefined) return;
    this.counting = setTimeout(() => void this.count(), Math.max(200, this.countsAt + COUNTS_EVERY_MS - Date.now()));
  }

  private async count(): Promise<void> {
    this.counting = undefined;
    this.countsAt = Date.now();
    try {
      const facets = await get<Facets>(`/api/invocations/facets?${this.query}`, this.abort.signal);
      if (this.over) return;
      [this.facets, this.counted] = [facets, true];
      this.exact = facets.total_is_exact;
      const last = this.pages.get(Math.floor((this.total - 1) / PAGE));
      // A list whose end is on the screen is as long as it is.
      if (!this.known || !last || last.length === PAGE) this.total = Math.max(facets.total - this.fresh.size, this.pages.get(0)?.length ?? 0);
      this.changed();
    } catch (error) {
      this.failed(error);
    }
  }

  private done(): void {
    this.problem = null;
    this.at = Date.now();
    this.changed();
  }

  private failed(error: unknown): void {
    if (this.over || !(error instanceof ApiProblem)) return;
    this.problem = error;
    this.changed();
  }
}

export type { Feed };

/** The feed of a filter; another filter begins another one, and the old rows stay until the new ones are there. */
export function useFeed(filter: Filter): { feed: Feed; shown: Feed; onRange: (from: number, to: number) => void; onTop: (atTop: boolean) => void } {
  const [, render] = useState(0);
  const key = JSON.stringify(filter);
  const feed = useMemo(() => new Feed(filter, Date.now(), () => render((n) => n + 1)), [key]);
  const before = useRef(feed);
  const current = useRef(feed);
  current.current = feed;
  if (feed.known || feed.problem) before.current = feed;
  useEffect(() => {
    void feed.start();
    const stop = watch(['invocations'], (event) => {
      if (event.name === 'invocation') feed.hear(event.data as Run);
      else if (event.name === 'more') void feed.look();
    });
    const timer = setInterval(() => !document.hidden && liveState.get().state !== 'live' && void feed.look(), LOOK_WITHOUT_LIVE_MS);
    return () => {
      clearInterval(timer);
      stop();
      feed.end();
    };
  }, [feed]);
  const onRange = useCallback((from: number, to: number) => current.current.range(from, to), []);
  const onTop = useCallback((atTop: boolean) => current.current.top(atTop), []);
  return { feed, shown: before.current, onRange, onTop };
}
