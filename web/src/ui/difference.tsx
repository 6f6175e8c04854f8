import type { DiffLine } from '../lib/diff';
import { t } from '../lib/i18n';
import './difference.css';

/** Hunks of a comparison, coloured, with line numbers and signs. */
export function Hunks({ hunks, words }: { hunks: readonly (readonly DiffLine[])[]; words?: string }) {
  if (hunks.length === 0) return <p class="quiet small diff-words">{words ?? t('ui.same_text')}</p>;
  return (
    <div class="diff" role="table" aria-label={t('ui.difference')} tabIndex={0}>
      {hunks.map((hunk, i) => (
        <div key={i} class="hunk" role="rowgroup">
          {hunk.map((line, n) => (
            <div key={n} role="row" class={line.kind === '+' ? 'added' : line.kind === '-' ? 'removed' : ''}>
              <span role="cell" class="at">{line.before ?? ''}</span>
              <span role="cell" class="at">{line.after ?? ''}</span>
              <span role="cell" class="sign">{line.kind === ' ' ? '' : line.kind}</span>
              <code role="cell">{line.text}</code>
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}
