import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { cell, useCell } from '../lib/cell';
import { t } from '../lib/i18n';
import { useResource } from '../lib/resource';
import { navigate } from '../lib/router';
import { theme } from '../lib/theme';
import type { FunctionView, Page } from '../lib/types';
import { NAV } from '../routes';
import { Keys, State } from './basics';
import { Icon, type IconName } from './icons';

export const paletteOpen = cell(false);
let element: HTMLDialogElement | null = null;

/** Opens it at once: what is typed in the same moment is typed into it. */
export function openPalette(): void {
  paletteOpen.set(true);
  if (element && !element.open) element.showModal();
  element?.querySelector('input')?.focus();
}

/** Something that the palette offers; pages add theirs while they are open. */
export interface PaletteItem {
  name: string;
  group: string;
  icon?: IconName;
  keys?: string;
  note?: string;
  tone?: 'ok' | 'run' | 'wait' | 'bad' | 'off';
  run: () => void;
}

/** What the page that is open can do. */
export const paletteActions = cell<readonly PaletteItem[]>([]);

/** Offers actions while a page is open. */
export function usePaletteActions(items: readonly PaletteItem[]): void {
  const key = items.map((item) => item.name).join('\n');
  useEffect(() => {
    paletteActions.set(items);
    return () => paletteActions.set([]);
  }, [key]);
}

const ID = /^[0-9a-z]{10,32}$/;

/** How well a name fits what was typed: its letters in order; null when it does not. Beginnings of words weigh more. */
export function score(name: string, typed: string): number | null {
  const text = name.toLowerCase();
  let at = -1;
  let sum = 0;
  for (const letter of typed.toLowerCase()) {
    if (letter === ' ') continue;
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    sum += next === at + 1 ? 4 : next === 0 || /[\s\-_/.]/.test(text[next - 1]!) ? 3 : 1;
    at = next;
  }
  return sum - name.length / 100;
}

/** Ctrl-K: pages, functions, invocations by id, and what the open page can do. */
export function Palette() {
  const open = useCell(paletteOpen);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element = dialog.current;
    return () => void (element = null);
  }, []);
  useEffect(() => {
    if (open && !dialog.current!.open) dialog.current!.showModal();
    if (!open && dialog.current!.open) dialog.current!.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="palette" aria-label={t('palette.title')} onClose={() => paletteOpen.set(false)} onClick={(e) => e.target === dialog.current && paletteOpen.set(false)}>
      <Inside open={open} />
    </dialog>
  );
}

function Inside({ open }: { open: boolean }) {
  const [typed, setTyped] = useState('');
  useEffect(() => {
    if (!open) setTyped('');
  }, [open]);
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const here = useCell(paletteActions);
  const functions = useResource<Page<FunctionView>>(open ? '/api/functions' : null).data?.items ?? [];
  const items = useMemo(() => {
    if (!open) return [];
    const go = (to: string) => () => navigate(to);
    const all: PaletteItem[] = [
      ...here,
      ...NAV.map((item) => ({ name: t(item.title), group: t('palette.pages'), icon: item.icon, keys: `g ${item.jump}`, run: go(item.path) })),
      ...functions.map((f) => ({ name: f.name, group: t('palette.functions'), icon: 'functions' as const, note: f.runtime ?? undefined, run: go(`/functions/${f.name}`) })),
      { name: t('keys.theme'), group: t('palette.actions'), icon: 'moon', keys: 'T', run: () => theme.set(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark') },
    ];
    const fitting = typed.trim() === '' ? all.slice(0, 60) : all.map((item) => [score(item.name, typed), item] as const).filter(([s]) => s !== null).sort(([a], [b]) => b! - a!).map(([, item]) => item);
    if (ID.test(typed.trim())) fitting.unshift({ name: t('palette.invocation', { id: typed.trim() }), group: t('nav.invocations'), icon: 'invocations', run: go(`/invocations/${typed.trim()}`) });
    return fitting.slice(0, 60);
  }, [open, typed, here, functions]);
  useEffect(() => setAt(0), [typed]);
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at]);
  const run = (item: PaletteItem | undefined) => {
    if (!item) return;
    paletteOpen.set(false);
    item.run();
  };
  return (
    <>
      <label class="search">
        <Icon name="search" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={items[at] ? `palette-${at}` : undefined}
          value={typed}
          placeholder={t('palette.placeholder')}
          aria-label={t('palette.placeholder')}
          spellcheck={false}
          onInput={(e) => setTyped(e.currentTarget.value)}
          onKeyDown={(event) => {
            const act = { ArrowDown: () => setAt((at + 1) % Math.max(1, items.length)), ArrowUp: () => setAt((at - 1 + items.length) % Math.max(1, items.length)), Enter: () => run(items[at]) }[event.key];
            if (!act || event.isComposing) return;
            event.preventDefault();
            act();
          }}
        />
      </label>
      <ul id="palette-list" ref={list} role="listbox" aria-label={t('palette.title')}>
        {items.map((item, i) => (
          <li key={`${item.group} ${item.name}`} id={`palette-${i}`} role="option" aria-selected={i === at} onPointerMove={() => setAt(i)} onClick={() => run(item)}>
            {item.icon && <Icon name={item.icon} />}
            <span class="grow cut">{item.name}</span>
            {item.tone && item.note ? <State tone={item.tone} word={item.note} /> : <span class="faint small">{item.note ?? item.group}</span>}
            {item.keys && <Keys of={item.keys} />}
          </li>
        ))}
        {items.length === 0 && <li class="quiet nothing">{t('palette.nothing')}</li>}
      </ul>
    </>
  );
}
