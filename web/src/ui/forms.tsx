import type { ComponentChildren, InputHTMLAttributes, RefObject } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { cell, useCell } from '../lib/cell';
import { t } from '../lib/i18n';
import { Link } from '../lib/router';
import { Button, Keys } from './basics';
import { Icon, type IconName } from './icons';

/** A labelled field: text input, or what `children` makes of the id. */
export function Field({ label, hint, fault, children, ...input }: { label: string; hint?: ComponentChildren; fault?: string; children?: (id: string) => ComponentChildren } & Omit<InputHTMLAttributes, 'label' | 'role' | 'type' | 'list'> & { type?: 'text' | 'password' | 'email' | 'number' | 'url' | 'datetime-local' }) {
  const id = useId();
  return (
    <div class={`field ${fault ? 'faulty' : ''}`}>
      <label for={id}>{label}</label>
      {children ? children(id) : <input {...(input as object)} id={id} aria-invalid={!!fault} aria-describedby={fault || hint ? `${id}-hint` : undefined} />}
      {(fault || hint) && (
        <span id={`${id}-hint`} class={fault ? 'fault' : 'hint'}>
          {fault ?? hint}
        </span>
      )}
    </div>
  );
}

/** The filter of a list; `/` leads to it. */
export function Search({ value, onChange, placeholder, input }: { value: string; onChange: (value: string) => void; placeholder: string; input?: RefObject<HTMLInputElement> }) {
  return (
    <label class="search">
      <Icon name="search" />
      <input ref={input} type="search" value={value} placeholder={placeholder} aria-label={placeholder} onInput={(e) => onChange(e.currentTarget.value)} onKeyDown={(e) => e.key === 'Escape' && (value ? onChange('') : e.currentTarget.blur())} />
      {!value && <Keys of="/" />}
    </label>
  );
}

/** One of a few. */
export function Choice<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly [T, ComponentChildren][]; onChange: (value: T) => void }) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([key, name]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {name}
        </button>
      ))}
    </div>
  );
}

export interface Tab {
  id: string;
  title: ComponentChildren;
  count?: number;
  /** Where the tab leads; it is part of the address. */
  to: string;
}

/** Tabs that are links: each has an address of its own. */
export const Tabs = ({ tabs, current, label }: { tabs: Tab[]; current: string; label: string }) => (
  <nav class="tabs" aria-label={label}>
    {tabs.map((tab) => (
      <Link key={tab.id} to={tab.to} aria-current={tab.id === current ? 'page' : undefined}>
        {tab.title}
        {tab.count !== undefined && <span class="count">{tab.count}</span>}
      </Link>
    ))}
  </nav>
);

/** A modal dialog. Escape and the veil close it. */
export function Dialog({ title, open, onClose, children, actions, wide }: { title: string; open: boolean; onClose: () => void; children: ComponentChildren; actions?: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog ref={ref} class={wide ? 'wide' : ''} aria-labelledby={id} onClose={onClose} onCancel={onClose} onClick={(e) => e.target === ref.current && onClose()}>
      {open && (
        <div class="inside">
          <header>
            <h2 id={id} class="grow">
              {title}
            </h2>
            <Button kind="quiet" icon="close" label={t('ui.close')} onClick={onClose} />
          </header>
          <div class="body">{children}</div>
          {actions && <footer>{actions}</footer>}
        </div>
      )}
    </dialog>
  );
}

/** Asks before something is done that cannot be taken back. `typed`: the word that must be typed first. */
export function Confirm({ title, open, onClose, onConfirm, children, word, typed }: { title: string; open: boolean; onClose: () => void; onConfirm: () => Promise<void> | void; children: ComponentChildren; word: string; typed?: string }) {
  const [busy, setBusy] = useState(false);
  const [text, setText] = useState('');
  useEffect(() => setText(''), [open]);
  return (
    <Dialog
      title={title}
      open={open}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button
            kind="danger"
            busy={busy}
            disabled={typed !== undefined && text !== typed}
            onClick={async () => {
              setBusy(true);
              try {
                await onConfirm();
                onClose();
              } finally {
                setBusy(false);
              }
            }}
          >
            {word}
          </Button>
        </>
      }
    >
      {children}
      {typed !== undefined && <Field label={t('ui.type_to_confirm', { word: typed })} value={text} onInput={(e: InputEvent) => setText((e.currentTarget as HTMLInputElement).value)} autocomplete="off" spellcheck={false} />}
    </Dialog>
  );
}

export interface MenuItem {
  name: string;
  icon?: IconName;
  keys?: string;
  danger?: boolean;
  disabled?: boolean;
  run?: () => void;
  to?: string;
}

// In the top layer, so that no table cuts it off; above the button where there is no room below.
function place(root: HTMLElement, align: 'left' | 'right'): void {
  const sheet = root.querySelector<HTMLElement>('.sheet')!;
  sheet.showPopover();
  const button = root.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = sheet;
  const left = align === 'right' ? button.right - width : button.left;
  const below = button.bottom + 4;
  sheet.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  sheet.style.top = `${below + height > innerHeight - 8 ? Math.max(8, button.top - height - 4) : below}px`;
}

/** A menu behind a button. */
export function Menu({ label, items, icon = 'more', children, align = 'right' }: { label: string; items: (MenuItem | null | false)[]; icon?: IconName; children?: ComponentChildren; align?: 'left' | 'right' }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => !root.current?.contains(event.target as Node) && setOpen(false);
    const scrolled = () => setOpen(false);
    addEventListener('pointerdown', away);
    addEventListener('scroll', scrolled, true);
    place(root.current!, align);
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    return () => {
      removeEventListener('pointerdown', away);
      removeEventListener('scroll', scrolled, true);
    };
  }, [open, align]);
  const close = () => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>('button')?.focus();
  };
  const move = (step: number) => {
    const all = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]:not([aria-disabled=true])') ?? [])];
    all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length]?.focus();
  };
  return (
    <div
      class="menu"
      ref={root}
      onKeyDown={(event) => {
        if (!open) return;
        const act = { Escape: close, ArrowDown: () => move(1), ArrowUp: () => move(-1), Tab: () => setOpen(false) }[event.key];
        if (!act) return;
        if (event.key !== 'Tab') event.preventDefault();
        event.stopPropagation();
        act();
      }}
    >
      <button type="button" class={`button quiet ${children ? '' : 'bare'}`} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined} aria-label={label} title={label} onClick={() => setOpen(!open)}>
        {children ?? <Icon name={icon} />}
      </button>
      {open && (
        <div id={id} class="sheet" role="menu" aria-label={label} popover="manual">
          {items.filter((item): item is MenuItem => !!item).map((item) =>
            item.to ? (
              <Link key={item.name} role="menuitem" tabIndex={-1} to={item.to} onClick={() => setOpen(false)}>
                {item.icon && <Icon name={item.icon} />}
                <span class="grow">{item.name}</span>
              </Link>
            ) : (
              <button
                key={item.name}
                type="button"
                role="menuitem"
                tabIndex={-1}
                class={item.danger ? 'danger' : ''}
                aria-disabled={item.disabled || undefined}
                onClick={() => {
                  if (item.disabled) return;
                  close();
                  item.run?.();
                }}
              >
                {item.icon && <Icon name={item.icon} />}
                <span class="grow">{item.name}</span>
                {item.keys && <Keys of={item.keys} />}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}

interface ToastItem {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
  action?: { name: string; run: () => void };
}
const toasts = cell<readonly ToastItem[]>([]);
let lastToast = 0;

/** Says that something was done (or not), for a few seconds; `action` takes it back or leads on. */
export function toast(text: string, tone: 'ok' | 'bad' = 'ok', action?: { name: string; run: () => void }): void {
  const id = ++lastToast;
  toasts.set([...toasts.get().slice(-3), { id, text, tone, action }]);
  setTimeout(() => toasts.set(toasts.get().filter((one) => one.id !== id)), tone === 'bad' ? 9000 : 5000);
}

export function Toasts() {
  const all = useCell(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {all.map((one) => (
        <div key={one.id} class={`toast ${one.tone}`}>
          <Icon name={one.tone === 'ok' ? 'check' : 'warning'} />
          <span class="grow">{one.text}</span>
          {one.action && (
            <Button small kind="quiet" onClick={one.action.run}>
              {one.action.name}
            </Button>
          )}
        </div>
      ))}
    </div>
  );
}
