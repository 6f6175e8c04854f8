import type { AnchorHTMLAttributes, ComponentChildren } from 'preact';
import { useCallback, useEffect } from 'preact/hooks';
import { cell, useCell } from './cell';

/** Where the page is: path and query, as in the address bar. Every view keeps its state here, so that its link restores it. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly hash: string;
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search), hash: location.hash });

/** The present place. */
export const place = cell<Place>(read());

type Guard = () => string | null;
const guards = new Set<Guard>();

/** The first reason not to leave, or null. */
const objection = (): string | null => {
  for (const guard of guards) {
    const why = guard();
    if (why) return why;
  }
  return null;
};

addEventListener('popstate', () => place.set(read()));
addEventListener('beforeunload', (event) => {
  if (objection()) event.preventDefault();
});

/** Goes to another place. `replace` leaves no step in the history: for filters and the like. */
export function navigate(to: string, options: { replace?: boolean; keepScroll?: boolean } = {}): void {
  const target = new URL(to, location.href);
  const samePage = target.pathname === location.pathname;
  if (!samePage) {
    const why = objection();
    if (why && !confirm(why)) return;
    guards.clear();
  }
  if (options.replace) history.replaceState(history.state, '', target);
  else history.pushState(null, '', target);
  place.set(read());
  if (!samePage && !options.keepScroll) document.querySelector('main')?.scrollTo(0, 0);
}

/** Asks before the page is left while `why` gives a reason, such as unsaved changes. */
export function useLeaveGuard(why: Guard): void {
  useEffect(() => {
    guards.add(why);
    return () => void guards.delete(why);
  }, [why]);
}

export const usePlace = (): Place => useCell(place);

/** One value in the query of the address. Setting it to the fallback takes it out; by default no step in the history is made. */
export function useQuery(name: string, fallback = ''): [string, (value: string, push?: boolean) => void] {
  const here = usePlace();
  const set = useCallback((value: string, push = false) => setQuery({ [name]: value === fallback ? null : value }, push), [name, fallback]);
  return [here.query.get(name) ?? fallback, set];
}

/** Sets several values of the query at once; null takes one out. */
export function setQuery(values: Record<string, string | null>, push = false): void {
  const target = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '') target.searchParams.delete(name);
    else target.searchParams.set(name, value);
  }
  navigate(target.pathname + target.search + target.hash, { replace: !push, keepScroll: true });
}

/** Matches `/functions/:name` and `/storage/:bucket/*rest`; null when it does not fit, else the named parts, decoded. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  const parts: Record<string, string> = {};
  for (let i = 0; i < wanted.length; i++) {
    const want = wanted[i]!;
    if (want.startsWith('*')) {
      const rest = given.slice(i).map(decode).join('/');
      parts[want.slice(1)] = rest + (path.endsWith('/') && rest ? '/' : '');
      return parts;
    }
    const have = given[i];
    if (have === undefined) return null;
    if (want.startsWith(':')) parts[want.slice(1)] = decode(have);
    else if (want !== have) return null;
  }
  return given.length === wanted.length ? parts : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export interface LinkProps extends Omit<AnchorHTMLAttributes, 'href' | 'role'> {
  to: string;
  role?: 'menuitem' | 'tab' | 'button';
  children?: ComponentChildren;
}

/** A link within the portal: a real one (new tab, copy), without a reload. */
export function Link({ to, children, onClick, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}
