import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../lib/api';
import { cell, useCell } from '../lib/cell';
import { absolute, duration, relative } from '../lib/format';
import { t, useLanguage } from '../lib/i18n';
import { Link } from '../lib/router';
import { Icon, type IconName } from './icons';

export interface ButtonProps extends Omit<ButtonHTMLAttributes, 'icon' | 'size'> {
  kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  icon?: IconName;
  /** The shortcut that does the same, shown beside the word. */
  keys?: string;
  busy?: boolean;
  small?: boolean;
  /** The name where only the icon is shown. */
  label?: string;
  children?: ComponentChildren;
}

/** A button; busy ones cannot be pressed again. */
export function Button({ kind = 'plain', icon, keys, busy, small, label, children, class: more, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} disabled={disabled || busy} aria-busy={busy || undefined} aria-label={label} title={rest.title ?? label} class={`button ${kind}${small ? ' small' : ''}${children ? '' : ' bare'} ${more ?? ''}`}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={small ? 14 : 16} />}
      {children && <span>{children}</span>}
      {keys && <Keys of={keys} />}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({ to, kind = 'plain', icon, children, small }: { to: string; kind?: 'primary' | 'plain' | 'quiet'; icon?: IconName; children: ComponentChildren; small?: boolean }) {
  return (
    <Link to={to} class={`button ${kind}${small ? ' small' : ''}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </Link>
  );
}

const SIGNS: Record<string, string> = { Enter: '↵', Escape: 'esc', ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Home: 'home', End: 'end', Space: 'space' };

/** A shortcut as it is pressed. */
export const Keys = ({ of }: { of: string }) => (
  <span class="keys" aria-hidden="true">
    {of.split(' ').map((key) => (
      <kbd key={key}>{SIGNS[key] ?? key.replace('Ctrl+', '⌃').toUpperCase()}</kbd>
    ))}
  </span>
);

export type Tone = 'ok' | 'run' | 'wait' | 'bad' | 'off' | 'odd';

const STATES: Record<string, [Tone, string]> = {
  PENDING: ['wait', 'pending'], PROCESSING: ['run', 'processing'], SUCCESS: ['ok', 'success'], FAILED: ['bad', 'failed'], CANCELLED: ['off', 'cancelled'], UNKNOWN: ['odd', 'unknown'],
  ok: ['ok', 'ok'], warning: ['wait', 'warning'], failed: ['bad', 'failed'], starting: ['wait', 'starting'], connected: ['ok', 'connected'], draining: ['wait', 'draining'],
};

/** A state: a dot and a word, never the colour alone. */
export function State({ of, tone, word, soft }: { of?: string; tone?: Tone; word?: string; soft?: boolean }) {
  useLanguage();
  const [its, name] = STATES[of ?? ''] ?? ['off', ''];
  return (
    <span class={`state ${tone ?? its}${soft ? ' soft' : ''}`}>
      <i class={(tone ?? its) === 'run' ? 'dot pulse' : 'dot'} aria-hidden="true" />
      {word ?? (name ? t(`state.${name}` as never) : of)}
    </span>
  );
}

const tick = cell(Date.now());
setInterval(() => !document.hidden && tick.set(Date.now()), 1000);

/** The time now, to the second. */
export const useNow = (): number => useCell(tick);

const msOf = (at: number | string): number => (typeof at === 'number' ? at : Date.parse(at));

/** How long ago, with the absolute time on hover. */
export function Time({ at }: { at: number | string | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined) return <span class="faint">–</span>;
  const ms = msOf(at);
  return (
    <time dateTime={new Date(ms).toISOString()} title={absolute(ms)}>
      {relative(ms, now)}
    </time>
  );
}

/** A duration that ticks while it has no end. */
export function Elapsed({ from, to }: { from: number | string | null | undefined; to?: number | string | null }) {
  const now = useNow();
  if (from === null || from === undefined) return <span class="faint">–</span>;
  const end = to === null || to === undefined ? Math.max(now, msOf(from)) : msOf(to);
  return <span>{duration(to ? end - msOf(from) : Math.floor((end - msOf(from)) / 1000) * 1000)}</span>;
}

/** Copies a text and says that it did. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return <Button kind="quiet" small icon={done ? 'check' : 'copy'} label={done ? t('ui.copied') : (label ?? t('ui.copy'))} onClick={() => void copy(text).then(setDone)} />;
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https or permission: the old way.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** A command that can be copied. */
export const Command = ({ text }: { text: string }) => (
  <span class="command">
    <span class="prompt" aria-hidden="true">$</span>
    <code>{text}</code>
    <Copy text={text} />
  </span>
);

/** Nothing is there: why, and what to do next. */
export const Empty = ({ title, children, command, icon = 'file', actions }: { title: string; children?: ComponentChildren; command?: string | string[]; icon?: IconName; actions?: ComponentChildren }) => (
  <div class="empty">
    <Icon name={icon} size={28} />
    <h2>{title}</h2>
    {children && <p class="quiet">{children}</p>}
    {actions && <div class="row">{actions}</div>}
    {(typeof command === 'string' ? [command] : (command ?? [])).map((one) => (
      <Command key={one} text={one} />
    ))}
  </div>
);

/** What went wrong, where, and what to do. */
export function Problem({ of, retry }: { of: ApiProblem | Error | null | undefined; retry?: () => void }) {
  useLanguage();
  if (!of) return null;
  const api = of instanceof ApiProblem ? of : new ApiProblem(0, '', of.message, '', '');
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div class="grow">
        <strong>{api.unreachable ? t('ui.unreachable') : api.title}</strong>
        {api.detail && <p>{api.detail}</p>}
        {api.faults.length > 0 && (
          <ul>
            {api.faults.map((fault, i) => (
              <li key={i}>
                <code>{fault.where}</code> {fault.what}
              </li>
            ))}
          </ul>
        )}
        {api.remedy && <p class="quiet">{api.remedy}</p>}
        {api.id && (
          <a class="small" href={`/errors/${api.id}`} target="_blank" rel="noreferrer">
            {api.id}
          </a>
        )}
      </div>
      {retry && (
        <Button small icon="retry" onClick={retry}>
          {t('ui.retry')}
        </Button>
      )}
    </div>
  );
}

/** Stands where something is being loaded. */
export const Skeleton = ({ rows = 6 }: { rows?: number }) => (
  <div class="skeleton" role="status" aria-label={t('ui.loading')}>
    {Array.from({ length: rows }, (_, i) => (
      <div key={i} style={{ width: `${92 - ((i * 37) % 45)}%` }} />
    ))}
  </div>
);

/** One number with its name. */
export const Figure = ({ name, value, more, tone, to }: { name: string; value: ComponentChildren; more?: ComponentChildren; tone?: Tone; to?: string }) => {
  const inner = (
    <>
      <span class="name">{name}</span>
      <span class={`value ${tone ?? ''}`}>{value}</span>
      {more && <span class="more">{more}</span>}
    </>
  );
  return to ? (
    <Link class="figure" to={to}>
      {inner}
    </Link>
  ) : (
    <div class="figure">{inner}</div>
  );
};

/** A part of a page with a frame and a title. */
export const Card = ({ title, actions, children, flush, class: more }: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; flush?: boolean; class?: string }) => (
  <section class={`card ${flush ? 'flush' : ''} ${more ?? ''}`}>
    {(title || actions) && (
      <header>
        <h2 class="grow">{title}</h2>
        {actions}
      </header>
    )}
    <div class="body">{children}</div>
  </section>
);

/** Names and values, one a line. */
export const Facts = ({ items }: { items: [string, ComponentChildren][] }) => (
  <dl class="facts">
    {items.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value ?? '–'}</dd>
      </div>
    ))}
  </dl>
);

/** How much of something is used; the words beside it say the same. */
export const Bar = ({ share, tone, label }: { share: number; tone?: Tone; label: string }) => (
  <div class={`bar ${tone ?? (share > 0.92 ? 'bad' : share > 0.8 ? 'wait' : 'ok')}`} role="meter" aria-label={label} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100}>
    <i style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
  </div>
);
