import { keptCell } from './cell';

export type Theme = 'dark' | 'light' | 'system';

/** What was chosen; `system` follows the system, also when that changes. */
export const theme = keptCell<Theme>('dure.theme', 'system');

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Sets the theme that holds on the root element. */
export function applyTheme(): void {
  const chosen = theme.get();
  document.documentElement.dataset.theme = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
}

theme.listen(applyTheme);
dark.addEventListener('change', applyTheme);
