import { render } from 'preact';
import { App } from './app';
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

function Root() {
  useLanguage();
  usePlace();
  return useCell(session) ? <App /> : null;
}

const root = document.getElementById('app')!;

async function start(): Promise<void> {
  try {
    await loadSession();
    render(<Root />, root);
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem;
    render(<Problem of={problem} retry={() => void start()} />, root);
  }
}

applyTheme();
await loadLanguage();
await start();
