import { hunksOf, parseUnified, diff, type DiffLine } from '../../lib/diff';
import { t } from '../../lib/i18n';
import { Icon } from '../../ui/icons';

/** Hunks of a comparison, coloured, with line numbers and signs. */
export function Hunks({ hunks, words }: { hunks: readonly (readonly DiffLine[])[]; words?: string }) {
  if (hunks.length === 0) return <p class="quiet small diff-words">{words ?? t('functions.same_text')}</p>;
  return (
    <div class="diff" role="table" aria-label={t('functions.difference')} tabIndex={0}>
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

/** What differs between two texts. */
export const TextDifference = ({ before, after }: { before: string; after: string }) => <Hunks hunks={hunksOf(diff(before, after))} />;

/** One changed file of two versions, as the server compares them. */
export function FileDifference({ path, change, text, open = true }: { path: string; change: string; text: string; open?: boolean }) {
  const hunks = parseUnified(text);
  const added = hunks.flat().filter((line) => line.kind === '+').length;
  const removed = hunks.flat().filter((line) => line.kind === '-').length;
  return (
    <details class="file-diff" open={open}>
      <summary>
        <Icon name="right" size={13} />
        <code class="grow cut">{path}</code>
        <span class={`tag change ${change}`}>{t(`functions.change_${change as 'added' | 'removed' | 'modified'}`)}</span>
        {added > 0 && <span class="plus">+{added}</span>}
        {removed > 0 && <span class="minus">−{removed}</span>}
      </summary>
      <Hunks hunks={hunks} words={text.trim() || t('functions.same_text')} />
    </details>
  );
}
