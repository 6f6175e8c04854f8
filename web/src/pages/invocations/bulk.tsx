import { useState } from 'preact/hooks';
import { ApiProblem, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/basics';
import { Confirm, toast } from '../../ui/forms';
import { isOver, type Run } from './types';

const AT_ONCE = 6;

/** Does the same to many, a few at a time; answers how many went through and why the first of the others did not. */
export async function toEach(ids: readonly string[], act: (id: string) => Promise<unknown>, progress: (done: number) => void): Promise<{ done: number; why: string }> {
  const waiting = [...ids];
  let done = 0;
  let seen = 0;
  let why = '';
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await act(id);
        done++;
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        why ||= error.detail || error.title;
      }
      progress(++seen);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { done, why };
}

/** What can be done with the chosen rows. */
export function Bulk({ runs, onDone }: { runs: Run[]; onDone: () => void }) {
  const [doing, setDoing] = useState<'cancel' | 'rerun' | null>(null);
  const [at, setAt] = useState(0);
  const open = runs.filter((run) => !isOver(run));
  const over = runs.filter(isOver);
  const perform = async (kind: 'cancel' | 'rerun') => {
    const those = kind === 'cancel' ? open : over;
    setAt(0);
    const { done, why } = await toEach(those.map((run) => run.id), (id) => send('POST', `/api/invocations/${id}/${kind}`), setAt);
    toast(t(kind === 'cancel' ? 'invocations.cancelled' : 'invocations.reran', { n: done }));
    if (done < those.length) toast(t('invocations.some_refused', { n: those.length - done, why }), 'bad');
    onDone();
  };
  return (
    <div class="bulk row wrap">
      <strong>{t('invocations.chosen', { n: runs.length })}</strong>
      <span class="grow" />
      {open.length > 0 && (
        <Button small kind="danger" icon="stop" onClick={() => setDoing('cancel')}>
          {t('invocations.cancel_n', { n: open.length })}
        </Button>
      )}
      {over.length > 0 && (
        <Button small icon="retry" onClick={() => setDoing('rerun')}>
          {t('invocations.rerun_n', { n: over.length })}
        </Button>
      )}
      <Button small kind="quiet" keys="Escape" onClick={onDone}>
        {t('invocations.choose_none')}
      </Button>
      <Confirm
        title={doing === 'cancel' ? t('invocations.cancel_n', { n: open.length }) : t('invocations.rerun_n', { n: over.length })}
        open={doing !== null}
        onClose={() => setDoing(null)}
        onConfirm={() => perform(doing!)}
        word={doing === 'cancel' ? t('invocations.cancel_word') : t('invocations.rerun_word')}
      >
        <p>{doing === 'cancel' ? t('invocations.cancel_text') : t('invocations.rerun_text')}</p>
        {at > 0 && <p class="quiet">{t('invocations.progress', { n: at, of: doing === 'cancel' ? open.length : over.length })}</p>}
      </Confirm>
    </div>
  );
}
