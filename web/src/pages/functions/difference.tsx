import { hunksOf, parseUnified, diff } from '../../lib/diff';
import { t } from '../../lib/i18n';
import { Hunks } from '../../ui/difference';
import { Icon } from '../../ui/icons';

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
      <Hunks hunks={hunks} words={text.trim() || t('ui.same_text')} />
    </details>
  );
}
