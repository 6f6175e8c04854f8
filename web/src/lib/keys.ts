import { useLayoutEffect, useRef } from 'preact/hooks';
import { cell } from './cell';

/** A key, or two in a row (`g i`), what it does and how that is called in the sheet that `?` shows. */
export interface Shortcut {
  run: (event: KeyboardEvent) => void;
  label: string;
  /** A second key for the same: left out of the sheet. */
  alias?: boolean;
  /** Also while a field has the focus. */
  inFields?: boolean;
}
export type Shortcuts = Record<string, Shortcut>;

interface Scope {
  title: string;
  keys: () => Shortcuts;
}

/** The innermost comes last and is asked first. */
export const scopes = cell<readonly Scope[]>([]);
const SEQUENCE_MS = 1200;
let first = '';
let firstAt = 0;

const nameOf = (event: KeyboardEvent): string => {
  const key = event.key === ' ' ? 'Space' : event.key;
  const held = `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}`;
  return held + (held && key.length === 1 ? key.toLowerCase() : key);
};

const isField = (target: EventTarget | null): boolean => {
  const element = (target instanceof HTMLElement && target.shadowRoot?.activeElement) || target;
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
};

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const key = nameOf(event);
  const inField = isField(event.target);
  const second = performance.now() - firstAt < SEQUENCE_MS ? `${first} ${key}` : '';
  const dialog = document.querySelector('dialog[open]');
  for (const scope of [...scopes.get()].reverse()) {
    const known = scope.keys();
    const shortcut = (second && known[second]) || known[key];
    if (!shortcut || (inField && !shortcut.inFields) || (dialog && !shortcut.inFields)) continue;
    // Enter and space on a button or link are its own.
    if ((key === 'Enter' || key === 'Space') && event.target instanceof HTMLElement && event.target.closest('a,button,summary')) continue;
    event.preventDefault();
    first = '';
    shortcut.run(event);
    return;
  }
  if (!inField && key.length === 1) {
    first = key;
    firstAt = performance.now();
  }
});

/** Shortcuts that hold while the component is shown. */
export function useKeys(title: string, keys: Shortcuts): void {
  const now = useRef(keys);
  now.current = keys;
  // Before anything is painted: a key that is shown works.
  useLayoutEffect(() => {
    const scope = { title, keys: () => now.current };
    scopes.set([...scopes.get(), scope]);
    return () => scopes.set(scopes.get().filter((s) => s !== scope));
  }, [title]);
}
