import { useEffect, useState } from 'preact/hooks';

/** A value that can be listened to: what the whole page shares (session, theme, live state) lives in a few of these. */
export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** Calls back after every change; the returned function ends it. */
  listen(hear: () => void): () => void;
}

export function cell<T>(value: T): Cell<T> {
  const hearers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const hear of [...hearers]) hear();
    },
    listen(hear) {
      hearers.add(hear);
      return () => hearers.delete(hear);
    },
  };
}

/** The cell's value; the component renders again when it changes. */
export function useCell<T>(source: Cell<T>): T {
  const [value, setValue] = useState(() => source.get());
  useEffect(() => {
    setValue(() => source.get());
    return source.listen(() => setValue(() => source.get()));
  }, [source]);
  return value;
}

/** A cell that survives a reload, in this browser only. What cannot be read counts as absent. */
export function keptCell<T>(name: string, fallback: T): Cell<T> {
  let first = fallback;
  try {
    const text = localStorage.getItem(name);
    if (text !== null) first = JSON.parse(text) as T;
  } catch {
    // A browser that keeps nothing still shows everything.
  }
  const kept = cell(first);
  kept.listen(() => {
    try {
      localStorage.setItem(name, JSON.stringify(kept.get()));
    } catch {
      // As above.
    }
  });
  return kept;
}
