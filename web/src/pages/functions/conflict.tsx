import { useEffect, useState } from 'preact/hooks';
import { t } from '../../lib/i18n';
import { Button, Problem, Skeleton } from '../../ui/basics';
import { Choice, Dialog } from '../../ui/forms';
import { TextDifference } from './difference';
import { conflicts, merged, type Choice as Chosen, type Conflict } from './draft';
import { same, type SourceFile } from './source';
import type { Base, Editing } from './use-editing';

/** Puts together what is here and what somebody else deployed meanwhile, file by file. */
export function ConflictDialog({ of: editing, open, onClose }: { of: Editing; open: boolean; onClose: () => void }) {
  const [theirs, setTheirs] = useState<Base | null>(null);
  const [list, setList] = useState<Conflict[]>([]);
  const [at, setAt] = useState('');
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    if (!open) return;
    setTheirs(null);
    setProblem(null);
    editing
      .theirs()
      .then((found) => {
        const all = conflicts(editing.base!.files, editing.files, found.files);
        setList(all);
        setAt(all.find((one) => one.choice === null)?.path ?? all[0]?.path ?? '');
        setTheirs(found);
      })
      .catch(setProblem);
  }, [open]);
  const choose = (path: string, choice: Chosen) => setList(list.map((one) => (one.path === path ? { ...one, choice } : one)));
  const left = list.filter((one) => one.choice === null).length;
  const shown = list.find((one) => one.path === at);
  const take = (chosen: readonly Conflict[]) => {
    editing.begin(theirs!, merged(theirs!.files, chosen));
    editing.setBuild(null);
    onClose();
  };
  return (
    <Dialog
      wide
      title={theirs?.number ? t('functions.conflict_title', { n: theirs.number }) : t('functions.conflict_title_unknown')}
      open={open}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button disabled={!theirs} onClick={() => take(list.map((one) => ({ ...one, choice: 'theirs' })))}>{t('functions.take_theirs')}</Button>
          <Button kind="primary" disabled={!theirs || left > 0} onClick={() => take(list)}>
            {left > 0 ? t('functions.choose_left', { n: left }) : t('functions.take_over')}
          </Button>
        </>
      }
    >
      <p class="quiet">{t('functions.conflict_text')}</p>
      {problem && <Problem of={problem} />}
      {!theirs && !problem && <Skeleton rows={5} />}
      {theirs && list.length === 0 && <p>{t('functions.conflict_none')}</p>}
      {theirs && list.length > 0 && (
        <div class="conflict">
          <ul>
            {list.map((one) => (
              <li key={one.path} class={one.path === at ? 'chosen' : ''}>
                <button type="button" class="file" aria-current={one.path === at ? 'true' : undefined} onClick={() => setAt(one.path)}>
                  <code class="cut">{one.path}</code>
                  <span class={`small ${one.both && !one.together ? 'bad-word' : 'quiet'}`}>{words(one)}</span>
                </button>
                <Choice<Chosen | ''>
                  label={t('functions.choose_for', { path: one.path })}
                  value={one.choice ?? ''}
                  onChange={(choice) => choice && choose(one.path, choice)}
                  options={[['theirs', t('functions.theirs')], ['mine', t('functions.mine')], ...(one.together ? [['together', t('functions.together')] as ['together', string]] : [])]}
                />
              </li>
            ))}
          </ul>
          {shown && (
            <div class="sides">
              <p class="small quiet">{t(shown.choice === 'together' ? 'functions.theirs_to_both' : 'functions.theirs_to_mine', { path: shown.path })}</p>
              <TextDifference before={textOf(shown.theirs)} after={textOf(shown.choice === 'together' ? shown.together : shown.mine)} />
            </div>
          )}
        </div>
      )}
    </Dialog>
  );
}

const words = (one: Conflict): string =>
  one.together ? t('functions.changed_apart') : one.both ? t('functions.changed_both') : t(same(one.base, one.theirs) ? 'functions.changed_mine' : 'functions.changed_theirs');

const textOf = (file: SourceFile | undefined): string =>
  !file ? '' : (file.text ?? (file.target !== undefined ? t('functions.is_link', { to: file.target }) : t('functions.is_binary', { size: String(file.bytes?.length ?? 0) })));
