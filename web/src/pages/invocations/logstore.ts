import { ApiProblem, get } from '../../lib/api';
import type { LogHit, LogHits, LogIndex, LogWindow } from './types';

const BLOCK = 200;
const BLOCKS_KEPT = 120;
const HITS_MOST = 50_000;

/** What was asked for of a log's search. */
export interface Find {
  text: string;
  regex: boolean;
  matchCase: boolean;
}

/** A log of any length: the lines near what is shown are here, the others are asked for by number. */
export class LogStore {
  total = 0;
  bytes = 0;
  ended = false;
  known = false;
  problem: ApiProblem | null = null;
  hits: LogHit[] = [];
  searching = false;
  find: Find | null = null;
  findProblem: ApiProblem | null = null;
  private readonly blocks = new Map<number, string[]>();
  private readonly asking = new Set<number>();
  private abort = new AbortController();
  private searchAbort = new AbortController();
  private searched = '';

  constructor(
    private readonly id: string,
    private readonly changed: () => void,
  ) {}

  end(): void {
    this.abort.abort();
    this.searchAbort.abort();
  }

  /** Looks how long it is. */
  async look(): Promise<void> {
    try {
      const index = await get<LogIndex>(`/api/invocations/${this.id}/logs/index?offsets=false`, this.abort.signal);
      if (index.lines < this.total) this.blocks.clear();
      // The last block may have had a part of its lines.
      else if (index.bytes !== this.bytes) this.blocks.delete(Math.floor(Math.max(0, this.total - 1) / BLOCK));
      const grown = index.bytes > this.bytes;
      [this.total, this.bytes, this.ended, this.known, this.problem] = [index.lines, index.bytes, index.ended, true, null];
      this.changed();
      if (grown && this.find && !this.searching && this.hits.length < HITS_MOST) void this.searchOn();
    } catch (error) {
      this.failed(error);
    }
  }

  line(number: number): string | undefined {
    return this.blocks.get(Math.floor(number / BLOCK))?.[number % BLOCK];
  }

  /** Loads what comes into view, the next block with it. */
  want(from: number, to: number): void {
    for (let block = Math.floor(Math.max(0, from) / BLOCK); block <= Math.floor(Math.max(0, to - 1) / BLOCK); block++) void this.load(block);
    if (this.blocks.size <= BLOCKS_KEPT) return;
    for (const block of [...this.blocks.keys()]) if (block * BLOCK > to + 20 * BLOCK || (block + 1) * BLOCK < from - 20 * BLOCK) this.blocks.delete(block);
  }

  private async load(block: number): Promise<void> {
    const first = block * BLOCK;
    if (first >= this.total || this.asking.has(block)) return;
    const have = this.blocks.get(block)?.length ?? 0;
    if (have >= Math.min(BLOCK, this.total - first)) return;
    this.asking.add(block);
    try {
      const lines: string[] = [];
      // Long lines come in smaller windows.
      while (lines.length < BLOCK && first + lines.length < this.total) {
        const window = await get<LogWindow>(`/api/invocations/${this.id}/logs/lines?from=${first + lines.length}&count=${BLOCK - lines.length}`, this.abort.signal);
        if (window.lines.length === 0) break;
        lines.push(...window.lines);
      }
      this.blocks.set(block, lines);
      this.changed();
    } catch (error) {
      this.failed(error);
    } finally {
      this.asking.delete(block);
    }
  }

  /** Looks for something else; null ends the search. */
  search(find: Find | null): void {
    this.searchAbort.abort();
    this.searchAbort = new AbortController();
    this.find = find;
    this.hits = [];
    this.searched = '';
    this.findProblem = null;
    this.searching = false;
    this.changed();
    if (find) void this.searchOn();
  }

  private async searchOn(): Promise<void> {
    const { signal } = this.searchAbort;
    const find = this.find!;
    this.searching = true;
    try {
      const query = new URLSearchParams({ text: find.text, regex: String(find.regex), case: String(find.matchCase), limit: '5000' });
      for (;;) {
        if (this.searched) query.set('after', this.searched);
        const found = await get<LogHits>(`/api/invocations/${this.id}/logs/search?${query}`, signal);
        this.hits = [...this.hits, ...found.hits];
        this.searched = `${found.searched_lines}-${found.searched_bytes}`;
        this.searching = !!found.next && this.hits.length < HITS_MOST;
        this.changed();
        if (!this.searching) return;
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiProblem)) return;
      this.searching = false;
      this.findProblem = error;
      this.changed();
    }
  }

  private failed(error: unknown): void {
    if (this.abort.signal.aborted || !(error instanceof ApiProblem)) return;
    this.problem = error;
    this.changed();
  }
}

/** What marks hits in the lines that are shown; null when the expression is none for this browser. */
export function markerOf(find: Find | null): RegExp | null {
  if (!find?.text) return null;
  try {
    return new RegExp(find.regex ? find.text : find.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), find.matchCase ? 'g' : 'gi');
  } catch {
    return null;
  }
}
