import { render, type FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { App, ask, preload } from './app';
import { ApiProblem, loadSession, session } from './lib/api';
import { useCell } from './lib/cell';
import { loadLanguage, useLanguage } from './lib/i18n';
import { applyTheme } from './lib/theme';
import { usePlace } from './lib/router';
import { Problem } from './ui/basics';
import './styles/tokens.css';
import './styles/base.css';
import './styles/components.css';
import './styles/shell.css';

/** Signing in comes up in place, wherever one is; only who needs it loads it. */
function SignedOut() {
  const [View, setView] = useState<FunctionComponent | null>(null);
  useEffect(() => {
    void import('./pages/signin/signin').then((module) => setView(() => module.default));
  }, []);
  return View && <View />;
}

function Root() {
  useLanguage();
  const { path } = usePlace();
  // A one-time link signs in anew even where somebody is signed in.
  return useCell(session) && path !== '/signin' ? <App /> : <SignedOut />;
}

const root = document.getElementById('app')!;

async function start(): Promise<void> {
  let view = <Root />;
  try {
    await loadSession();
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem;
    view = <Problem of={problem} retry={() => void start()} />;
  }
  await language;
  render(view, root);
}

applyTheme();
const language = loadLanguage();
preload(location.pathname);
// What the page needs first is asked for beside who is signed in; who is not is told nothing.
if (!location.search) ask(location.pathname);
await start();
