import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, loadSession, session, signInMethods, type Session } from '../../lib/api';
import { useCell } from '../../lib/cell';
import { t, useLanguage } from '../../lib/i18n';
import { navigate, place, usePlace } from '../../lib/router';
import { forget } from '../../lib/resource';
import { Button, Command, Problem } from '../../ui/basics';
import { Field } from '../../ui/forms';
import { Icon } from '../../ui/icons';
import './signin.css';

const PATH = '/signin';

/** Problems that come back from an identity provider, by id: the address holds no words that somebody else could choose. */
const RETURNED: Record<string, () => ApiProblem> = {
  DURE0077: () => new ApiProblem(404, 'DURE0077', t('signin.no_provider'), '', t('signin.no_provider_help')),
  DURE0078: () => new ApiProblem(400, 'DURE0078', t('signin.refused'), '', t('signin.refused_help')),
  DURE0079: () => new ApiProblem(502, 'DURE0079', t('signin.provider_away'), '', t('signin.provider_away_help')),
  DURE0080: () => new ApiProblem(403, 'DURE0080', t('signin.not_invited'), '', t('signin.not_invited_help')),
  DURE0081: () => new ApiProblem(403, 'DURE0081', t('signin.disabled'), '', t('signin.disabled_help')),
};

/** What this page itself was told by its address, taken out of it at once so that it is in no history. */
function takeHash(): { link: string; problem: ApiProblem | null } {
  const told = new URLSearchParams(location.hash.slice(1));
  const link = told.get('link') ?? '';
  const problem = RETURNED[told.get('problem') ?? '']?.() ?? null;
  if (link || told.has('problem')) history.replaceState(null, '', location.pathname + location.search);
  return { link, problem };
}

/** An app that sent its visitor here: where it is entered. Nothing else may be asked for. */
function entering(): string | null {
  const to = new URLSearchParams(location.search).get('to') ?? '';
  return /^\/api\/apps\/[a-z0-9-]+\/enter\?[\x21-\x7e]*$/.test(to) ? to : null;
}

/** Goes to where one is expected; false when that is no page of the portal. */
function leave(): boolean {
  const to = entering();
  if (to) location.replace(to);
  else navigate('/', { replace: true });
  return !to;
}

/** The code of a link that was pasted whole, or of a bare code. */
const codeOf = (text: string): string => (text.includes('#link=') ? text.slice(text.indexOf('#link=') + 6) : text).trim();

interface Tried {
  session?: Session;
  problem?: ApiProblem;
  wait?: number;
}

async function tryTo(path: string, body: unknown): Promise<Tried> {
  try {
    const answer = await fetch(path, { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: JSON.stringify(body) });
    if (answer.ok) return { session: (await answer.json()) as Session };
    return { problem: await ApiProblem.of(answer), wait: Number(answer.headers.get('Retry-After') ?? 0) };
  } catch {
    return { problem: new ApiProblem(0, '', '', '', '') };
  }
}

/** Signing in: by password, through an identity provider, or with a one-time link. It comes up in place and leads back to where one was. */
export default function SignIn() {
  useLanguage();
  const methods = useCell(signInMethods);
  const { path } = usePlace();
  const [given] = useState(takeHash);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [link, setLink] = useState('');
  const [byLink, setByLink] = useState(false);
  const [busy, setBusy] = useState(!!given.link);
  const [problem, setProblem] = useState<ApiProblem | null>(given.problem);
  const wait = useCountdown();

  useEffect(() => {
    document.title = `${t('signin.title')} · Dure`;
  });
  useEffect(() => {
    if (given.link) void enter('/api/session/link', { code: given.link });
    else if (session.get()) leave();
    else void loadSession().then(() => session.get() && leave(), () => undefined);
  }, []);
  // Links may be opened in a tab that shows this page already.
  useEffect(
    () =>
      place.listen(() => {
        const again = takeHash();
        if (again.link) void enter('/api/session/link', { code: again.link });
      }),
    [],
  );

  async function enter(to: string, body: unknown): Promise<void> {
    setBusy(true);
    setProblem(null);
    const tried = await tryTo(to, body);
    setBusy(false);
    if (tried.session) {
      forget();
      if (location.pathname === PATH && !leave()) return;
      session.set(tried.session);
      return;
    }
    setProblem(tried.problem!);
    setPassword('');
    if (tried.problem!.status === 429) wait.start(tried.wait || 1);
    if (to.endsWith('/link')) setByLink(true);
  }

  const back = path === PATH ? (entering() ?? '/') : location.pathname + location.search;
  const shown = problem?.status === 429 && wait.left === 0 ? null : problem;
  return (
    <main class="signin" id="content">
      <div class="signin-box">
        <header>
          <img src="/mark.svg" alt="" width="36" height="36" />
          <h1>{t('signin.heading')}</h1>
          <p class="quiet">{location.host}</p>
        </header>
        {shown && <Problem of={shown} />}
        {wait.left > 0 && <p role="timer" class="quiet">{t('signin.wait', { n: wait.left })}</p>}
        {busy && given.link && !byLink ? (
          <p class="row quiet" role="status">
            <span class="spinner" aria-hidden="true" /> {t('signin.entering')}
          </p>
        ) : (
          <>
            {(methods.oidc ?? []).map((provider) => (
              <a key={provider.name} class="button wide" href={`/api/session/oidc/${encodeURIComponent(provider.name)}/start?to=${encodeURIComponent(back)}`}>
                <Icon name="person" />
                <span>{t('signin.with', { name: provider.label })}</span>
              </a>
            ))}
            {(methods.oidc ?? []).length > 0 && methods.password && <p class="or faint">{t('signin.or')}</p>}
            {methods.password && !byLink && (
              <form
                class="stack"
                onSubmit={(event) => {
                  event.preventDefault();
                  void enter('/api/session', { name, password });
                }}
              >
                <Field label={t('signin.name')} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required value={name} onInput={(e: InputEvent) => setName((e.currentTarget as HTMLInputElement).value)} autofocus />
                <Field label={t('signin.password')} name="password" type="password" autocomplete="current-password" required value={password} onInput={(e: InputEvent) => setPassword((e.currentTarget as HTMLInputElement).value)} />
                <Button kind="primary" type="submit" busy={busy} disabled={wait.left > 0} class="wide">
                  {t('signin.go')}
                </Button>
              </form>
            )}
            {(byLink || !methods.password) && (
              <form
                class="stack"
                onSubmit={(event) => {
                  event.preventDefault();
                  void enter('/api/session/link', { code: codeOf(link) });
                }}
              >
                <p class="quiet">{t('signin.link_help')}</p>
                <Command text="dure signin" />
                <Field label={t('signin.link')} hint={t('signin.link_hint')} autocomplete="off" autocapitalize="none" spellcheck={false} required value={link} onInput={(e: InputEvent) => setLink((e.currentTarget as HTMLInputElement).value)} />
                <Button kind="primary" type="submit" busy={busy} disabled={wait.left > 0} class="wide">
                  {t('signin.go')}
                </Button>
              </form>
            )}
            {methods.password && (
              <button type="button" class="link" onClick={() => setByLink(!byLink)}>
                {byLink ? t('signin.by_password') : t('signin.by_link')}
              </button>
            )}
          </>
        )}
      </div>
    </main>
  );
}

function useCountdown(): { left: number; start: (seconds: number) => void } {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (until <= Date.now()) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until, now >= until]);
  return {
    left: Math.max(0, Math.ceil((until - Math.max(now, 0)) / 1000)) || 0,
    start: (seconds) => {
      setNow(Date.now());
      setUntil(Date.now() + seconds * 1000);
    },
  };
}
