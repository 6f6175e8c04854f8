import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useCell } from '../lib/cell';
import { t, useLanguage } from '../lib/i18n';
import { liveState } from '../lib/live';
import { Link } from '../lib/router';
import { Command, Time } from './basics';
import { absolute } from '../lib/format';

export interface PageProps {
  title: ComponentChildren;
  /** For the browser's tab: `● 3 running`, `✗ failed`; the state of what is open. */
  tab?: string;
  crumbs?: [string, string][];
  /** Beside the title: state, small facts. */
  aside?: ComponentChildren;
  actions?: ComponentChildren;
  /** The command that shows or does the same. */
  command?: string;
  /** When what is shown was observed, Unix ms. */
  at?: number;
  tabs?: ComponentChildren;
  /** The content scrolls by itself (tables that fill the page). */
  fill?: boolean;
  children: ComponentChildren;
}

/** The frame of every page: title, actions, content, and the command that does the same. */
export function Page({ title, tab, crumbs, aside, actions, command, at, tabs, fill, children }: PageProps) {
  useLanguage();
  const name = tab ?? (typeof title === 'string' ? title : 'Dure');
  useEffect(() => {
    document.title = `${name} · Dure`;
  }, [name]);
  return (
    <div class={`page ${fill ? 'fills' : ''}`}>
      <header class="page-head">
        {crumbs && (
          <nav class="crumbs" aria-label={t('shell.crumbs')}>
            {crumbs.map(([text, to]) => (
              <Link key={to} to={to}>
                {text}
              </Link>
            ))}
          </nav>
        )}
        <div class="row wrap">
          <h1 class="cut">{title}</h1>
          {aside}
          <span class="grow" />
          {actions && <div class="row wrap actions">{actions}</div>}
        </div>
        {tabs}
      </header>
      <div class="page-body">{children}</div>
      {(command || at !== undefined) && (
        <footer class="page-foot">
          {command && <Command text={command} />}
          <span class="grow" />
          {at !== undefined && <Age at={at} />}
        </footer>
      )}
    </div>
  );
}

/** When something was observed. While the stream is live that is now: said only when it is not. */
export function Age({ at }: { at: number }) {
  const live = useCell(liveState);
  if (live.state === 'live') return <span class="faint small" title={absolute(at)}>{t('ui.up_to_date')}</span>;
  return (
    <span class="faint small">
      {t('ui.observed')} <Time at={at} />
    </span>
  );
}
