import { send, session } from '../lib/api';
import { useCell } from '../lib/cell';
import { clock } from '../lib/format';
import { LANGUAGES, chosenLanguage, language, t, useLanguage } from '../lib/i18n';
import { liveState } from '../lib/live';
import { forget } from '../lib/resource';
import { theme, type Theme } from '../lib/theme';
import { Menu } from './forms';
import { Icon } from './icons';

/** Whether what is shown is fresh: dot and word, with the time since when it is not. */
export function Live() {
  useLanguage();
  const { state, since } = useCell(liveState);
  const tone = state === 'live' ? 'ok' : state === 'stale' ? 'bad' : 'wait';
  const time = clock(since);
  return (
    <span class={`state live ${tone}`} role="status" title={state === 'live' ? t('live.hint_live') : t('live.hint_lost', { time })}>
      <i class={state === 'live' ? 'dot' : 'dot pulse'} aria-hidden="true" />
      {t(`live.${state}`, { time })}
    </span>
  );
}

/** Ends the session and everything that was kept of it. */
async function signOut(): Promise<void> {
  await send('DELETE', '/api/session').catch(() => undefined);
  forget();
  session.set(null);
}

/** Who is signed in, theme, language, signing out. */
export function Account() {
  const lang = useLanguage();
  const who = useCell(session);
  const shade = useCell(theme);
  if (!who) return null;
  const themes: Theme[] = ['dark', 'light', 'system'];
  return (
    <Menu
      label={t('shell.account', { name: who.user.display_name || who.user.name })}
      items={[
        { name: `${who.user.display_name || who.user.name} · ${t(`shell.role_${who.user.role}`)}`, icon: 'person', to: '/settings' },
        ...themes.map((one) => ({ name: t(`shell.theme_${one}`), icon: shade === one ? ('check' as const) : one === 'light' ? ('sun' as const) : ('moon' as const), run: () => theme.set(one) })),
        ...LANGUAGES.map((one) => ({ name: one.name, icon: one.code === lang ? ('check' as const) : undefined, run: () => chosenLanguage.set(one.code === language() ? language() : one.code) })),
        { name: t('shell.sign_out'), icon: 'out', run: () => void signOut() },
      ]}
    >
      <span class="avatar" aria-hidden="true">
        {(who.user.display_name || who.user.name).slice(0, 1).toUpperCase()}
      </span>
      <Icon name="down" size={14} />
    </Menu>
  );
}
