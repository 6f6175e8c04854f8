import { useState } from 'preact/hooks';
import { ApiProblem, loadSession, send, session } from '../../lib/api';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/i18n';
import { Button, Card, Facts, Problem, State, Time } from '../../ui/basics';
import { Field, toast } from '../../ui/forms';
import { lacksPassword, me, type Me } from './invite';

/** One's own account. */
export function Account() {
  const now = useCell(session);
  const user = me();
  if (!user || !now) return null;
  return (
    <div class="settings-pair">
      <Card title={user.display_name || user.name}>
        <Facts
          items={[
            [t('settings.name'), user.name],
            [t('settings.role'), <State tone={user.role === 'owner' ? 'run' : user.role === 'member' ? 'ok' : 'off'} word={t(`shell.role_${user.role}`)} />],
            [
              t('settings.may'),
              <ul>
                {(now.scopes.includes('admin') ? ['admin'] : now.scopes).map((scope) => (
                  <li key={scope}>{t(`settings.scope_${scope}` as 'settings.scope_read')}</li>
                ))}
              </ul>,
            ],
            ...(user.email ? ([[t('settings.email'), user.email]] as [string, string][]) : []),
            ...(user.provider ? ([[t('settings.provider'), user.provider]] as [string, string][]) : []),
            [t('settings.session_ends'), <Time at={now.expires_at} />],
          ]}
        />
      </Card>
      <Card title={user.password ? t('settings.change_password') : t('settings.set_password')}>
        <PasswordForm user={user} />
      </Card>
    </div>
  );
}

function PasswordForm({ user }: { user: Me }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const differs = again !== '' && again !== password;
  const fault = problem?.faults.find((one) => one.where === 'password')?.what;
  return (
    <form
      class="stack"
      onSubmit={async (event) => {
        event.preventDefault();
        if (differs) return;
        setBusy(true);
        setProblem(null);
        try {
          await send('PUT', `/api/people/${encodeURIComponent(user.name)}/password`, { password, ...(user.password ? { current } : {}) });
          toast(t('settings.password_set'));
          setCurrent('');
          setPassword('');
          setAgain('');
          await loadSession();
        } catch (error) {
          if (!(error instanceof ApiProblem)) throw error;
          setProblem(error);
        }
        setBusy(false);
      }}
    >
      {lacksPassword(user) && <p class="quiet">{t('settings.no_password_yet')}</p>}
      {/* For password stores, which want to know whose it is. */}
      <input type="text" name="username" autocomplete="username" value={user.name} readOnly hidden />
      {user.password && <Field label={t('settings.current_password')} type="password" autocomplete="current-password" required value={current} onInput={(e: InputEvent) => setCurrent((e.currentTarget as HTMLInputElement).value)} />}
      <Field label={t('settings.new_password')} hint={t('settings.password_rule')} fault={fault} type="password" autocomplete="new-password" minLength={12} required value={password} onInput={(e: InputEvent) => setPassword((e.currentTarget as HTMLInputElement).value)} />
      <Field label={t('settings.password_again')} fault={differs ? t('settings.password_differs') : undefined} type="password" autocomplete="new-password" required value={again} onInput={(e: InputEvent) => setAgain((e.currentTarget as HTMLInputElement).value)} />
      {problem && !fault && <Problem of={problem} />}
      <div class="row">
        <Button kind="primary" type="submit" busy={busy} disabled={differs}>
          {t('ui.save')}
        </Button>
        <span class="faint small">{t('settings.password_ends')}</span>
      </div>
    </form>
  );
}
