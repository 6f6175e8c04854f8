import type { FunctionComponent } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { session } from './lib/api';
import { useCell } from './lib/cell';
import { t, useLanguage } from './lib/i18n';
import { useKeys } from './lib/keys';
import { prefetch } from './lib/resource';
import { Link, match, navigate, usePlace } from './lib/router';
import { theme } from './lib/theme';
import { NAV, ROUTES, TOPBAR, type Route } from './routes';
import { Button, ButtonLink, Empty, Keys, Skeleton } from './ui/basics';
import { Toasts } from './ui/forms';
import { Icon } from './ui/icons';
import { Page } from './ui/page';
import { Palette, openPalette } from './ui/palette';
import { Sheet, sheetOpen } from './ui/sheet';
import { Account, Live } from './ui/topbar';

const loaded = new Map<string, FunctionComponent<any>>();

function find(path: string): { route: Route; parts: Record<string, string> } | null {
  for (const route of ROUTES) {
    const parts = match(route.path, path);
    if (parts) return { route, parts };
  }
  return null;
}

async function load(route: Route): Promise<void> {
  if (!loaded.has(route.path)) loaded.set(route.path, (await route.load()).default);
}

/** Asks for what the page of an address will ask for first. */
export function ask(path: string): void {
  const found = find(path);
  for (const first of found?.route.asks?.(found.parts) ?? []) prefetch(first);
}

/** Begins to load the page of an address. */
export function preload(path: string): void {
  const found = find(path);
  if (found) void load(found.route).catch(() => undefined);
}

/** The page of the present address. */
function Outlet() {
  const { path } = usePlace();
  const [, render] = useState(0);
  const [failed, setFailed] = useState('');
  const found = useMemo(() => find(path), [path]);
  const key = found?.route.path ?? '';
  useEffect(() => {
    if (!found) return;
    // It may have come between the render and this.
    if (loaded.has(key)) return render((n) => n + 1);
    let over = false;
    load(found.route)
      .then(() => !over && render((n) => n + 1))
      .catch(() => !over && setFailed(key));
    return () => void (over = true);
  }, [found, key]);

  if (!found)
    return (
      <Page title={t('shell.not_found')}>
        <Empty title={t('shell.not_found')} actions={<ButtonLink to="/">{t('shell.to_overview')}</ButtonLink>}>
          {t('shell.not_found_text')}
        </Empty>
      </Page>
    );
  const View = loaded.get(key);
  if (View) return <View key={key} {...found.parts} />;
  if (failed === key)
    return (
      <Page title={t('shell.page_failed')}>
        <Empty title={t('shell.page_failed')} icon="warning" actions={<Button onClick={() => location.reload()}>{t('shell.reload')}</Button>}>
          {t('shell.page_failed_text')}
        </Empty>
      </Page>
    );
  return (
    <div class="page">
      <Skeleton rows={8} />
    </div>
  );
}

const isIn = (path: string, item: string) => (item === '/' ? path === '/' : path === item || path.startsWith(`${item}/`));

function Nav() {
  const { path } = usePlace();
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <nav class={`nav ${open ? 'open' : ''}`} aria-label={t('shell.nav')}>
      <Link to="/" class="brand">
        <img src="/mark.svg" alt="" width="24" height="24" />
        <span>Dure</span>
      </Link>
      <ul>
        {NAV.map((item) => (
          <li key={item.path}>
            <Link to={item.path} aria-current={isIn(path, item.path) ? 'page' : undefined}>
              <Icon name={item.icon} size={17} />
              <span class="grow">{t(item.title)}</span>
              <Keys of={`g ${item.jump}`} />
            </Link>
          </li>
        ))}
      </ul>
      <button type="button" class="nav-more" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="menu" size={17} />
        <span>{t('shell.more')}</span>
      </button>
    </nav>
  );
}

function TopBar() {
  return (
    <div class="topbar">
      <button type="button" class="jump" onClick={() => openPalette()}>
        <Icon name="search" />
        <span class="grow cut">{t('shell.search')}</span>
        <Keys of="Ctrl+K" />
      </button>
      <span class="grow" />
      <Live />
      {TOPBAR.map((Slot, i) => (
        <Slot key={i} />
      ))}
      <Account />
    </div>
  );
}

/** The shell about every page. */
export function App() {
  useLanguage();
  useCell(session);
  const jumps = Object.fromEntries(NAV.map((item) => [`g ${item.jump}`, { run: () => navigate(item.path), label: t('keys.go', { page: t(item.title) }) }]));
  useKeys(t('shell.everywhere'), {
    ...jumps,
    'Ctrl+k': { run: () => openPalette(), label: t('keys.palette'), inFields: true },
    '?': { run: () => sheetOpen.set(true), label: t('keys.help') },
    T: { run: () => theme.set(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'), label: t('keys.theme') },
    '/': {
      run: () => {
        const field = document.querySelector<HTMLInputElement>('main input[type=search]');
        field?.focus();
        field?.select();
      },
      label: t('keys.filter'),
    },
  });
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {t('shell.skip')}
      </a>
      <Nav />
      <div class="right">
        <TopBar />
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Palette />
      <Sheet />
      <Toasts />
    </div>
  );
}
