import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, get } from '../../lib/api';
import { api } from './places';
import { onUploaded } from './uploads';
import type { ObjectPage, ObjectView } from './types';

/** A row of a folder: an object or a folder in it. */
export interface Entry {
  key: string;
  folder: boolean;
  object?: ObjectView;
}

export interface Listing {
  entries: Entry[];
  /** More follow that are not loaded. */
  more: boolean;
  loading: boolean;
  problem: ApiProblem | null;
  at: number | undefined;
  reload: () => void;
  /** Loads the next page when the rows in view come near the end. */
  reach: (to: number) => void;
}

const PAGE = 1000;

const entriesOf = (page: ObjectPage, prefix: string): Entry[] =>
  [...page.prefixes.map((key) => ({ key, folder: true })), ...page.items.filter((one) => one.key !== prefix).map((object) => ({ key: object.key, folder: false, object }))].sort((a, b) => (a.key < b.key ? -1 : 1));

/** A folder of a bucket, page after page as it is scrolled. What is being read stays where it is. */
export function useListing(bucket: string, prefix: string, typed: string): Listing {
  const [, render] = useState(0);
  const state = useRef<{ id: string; entries: Entry[]; next: string | undefined; asking: boolean; ever: boolean; problem: ApiProblem | null; at?: number }>({ id: '', entries: [], next: undefined, asking: false, ever: false, problem: null });
  const id = `${bucket}\n${prefix}\n${typed}`;
  if (state.current.id !== id) state.current = { id, entries: [], next: undefined, asking: false, ever: false, problem: null };

  const ask = useCallback(
    async (cursor: string | undefined, pages: number) => {
      const mine = state.current;
      if (mine.asking) return;
      mine.asking = true;
      try {
        const fresh: Entry[] = [];
        let next = cursor;
        for (let n = 0; n < pages; n++) {
          const query = new URLSearchParams({ prefix: prefix + typed, delimiter: '/', limit: String(PAGE) });
          if (next) query.set('cursor', next);
          const page = await get<ObjectPage>(api(bucket, `objects?${query}`));
          fresh.push(...entriesOf(page, prefix));
          next = page.next ?? undefined;
          if (!next) break;
        }
        mine.entries = cursor ? [...mine.entries, ...fresh] : fresh;
        mine.next = next;
        mine.problem = null;
        mine.ever = true;
        mine.at = Date.now();
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        mine.problem = error;
      } finally {
        mine.asking = false;
        if (state.current === mine) render((n) => n + 1);
      }
    },
    [bucket, prefix, typed],
  );
  // As much as was there is asked for again, so that nothing that is being read goes away.
  const reload = useCallback(() => void ask(undefined, Math.max(1, Math.ceil(state.current.entries.length / PAGE))), [ask]);
  useEffect(() => {
    void ask(undefined, 1);
    let soon: ReturnType<typeof setTimeout> | undefined;
    const end = onUploaded((where) => {
      if (where !== bucket) return;
      clearTimeout(soon);
      soon = setTimeout(reload, 300);
    });
    return () => {
      clearTimeout(soon);
      end();
    };
  }, [ask, reload, bucket]);
  const reach = useCallback(
    (to: number) => {
      const mine = state.current;
      if (mine.next && !mine.problem && to > mine.entries.length - 200) void ask(mine.next, 1);
    },
    [ask],
  );
  const now = state.current;
  return { entries: now.entries, more: now.next !== undefined, loading: !now.ever && !now.problem, problem: now.problem, at: now.at, reload, reach };
}
