import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiProblem, may, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { liveState } from '../../lib/live';
import { useCell } from '../../lib/cell';
import { useResource } from '../../lib/resource';
import { Link, navigate, usePlace } from '../../lib/router';
import { Button, Elapsed, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Confirm, Tabs, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import { usePaletteActions } from '../../ui/palette';
import { bytes, duration } from '../../lib/format';
import { Details } from './details';
import { Logs } from './logs';
import { Overview } from './runoverview';
import { PayloadView } from './payload';
import { hrefOf, isOver, type Run } from './types';
import './invocations.css';
import { WhenEnds } from '../notifications/when-ends';

const LOOK_WITHOUT_LIVE_MS = 1500;
const SIGNS: Record<string, string> = { PENDING: '◌', PROCESSING: '●', SUCCESS: '✓', FAILED: '✗', CANCELLED: '⊘', UNKNOWN: '?' };
const TABS = ['overview', 'logs', 'event', 'details'] as const;

/** What the browser's tab says of an invocation. */
export const tabOf = (run: Run): string => `${SIGNS[run.state] ?? ''} ${t(`state.${run.state.toLowerCase()}` as never)} · ${run.function}`;

/** One invocation, kept up to date. */
export function useRun(id: string) {
  const live = useCell(liveState);
  const [open, setOpen] = useState(true);
  const run = useResource<Run>(`/api/invocations/${encodeURIComponent(id)}`, {
    topics: [`invocation:${id}`],
    every: open && live.state !== 'live' ? LOOK_WITHOUT_LIVE_MS : 0,
    onEvent: (event, put) => {
      if (event.name !== 'invocation' || event.data.id !== id) return event.name !== 'beat';
      // The news at once; attempts and steps, which they leave out, with the next answer.
      put((before: Run) => ({ ...before, ...event.data, attempts: before.attempts, steps: before.steps }));
      return true;
    },
  });
  const isOpen = !run.data || !isOver(run.data);
  useEffect(() => setOpen(isOpen), [isOpen]);
  return run;
}

/** One invocation. */
export default function RunPage({ id }: { id: string }) {
  const { query, hash } = usePlace();
  const { data: run, problem, loading, at, reload } = useRun(id);
  const asked = query.get('tab') ?? '';
  const tab = (TABS as readonly string[]).includes(asked) ? asked : /^#L\d+$/.test(hash) ? 'logs' : 'overview';
  const acts = useActs(id, run, reload);
  useKeys(t('invocations.one'), {
    ...(run && isOver(run) && may('invoke') && { r: { run: acts.rerun, label: t('invocations.rerun') } }),
    ...(run && !isOver(run) && may('invoke') && { c: { run: () => acts.setCancelling(true), label: t('invocations.cancel') } }),
    l: { run: () => navigate(`${hrefOf(id)}?tab=logs`), label: t('invocations.log') },
    o: { run: () => navigate(hrefOf(id)), label: t('invocations.tab_overview') },
    e: { run: () => navigate(`${hrefOf(id)}?tab=event`), label: t('invocations.event') },
    d: { run: () => navigate(`${hrefOf(id)}?tab=details`), label: t('invocations.details') },
  });
  usePaletteActions(
    run
      ? [
          ...(may('invoke') ? [{ name: t('invocations.rerun'), group: t('nav.invocations'), keys: 'r', run: acts.rerun }] : []),
          { name: t('invocations.compare'), group: t('nav.invocations'), run: () => navigate(`${hrefOf(id)}/compare`) },
        ]
      : [],
  );
  if (!run)
    return (
      <Page title={<span class="mono">{id}</span>} tab={id} crumbs={[[t('nav.invocations'), '/invocations']]} command={`dure invocation show ${id}`}>
        {loading ? <Skeleton rows={10} /> : <Problem of={problem} retry={() => void reload()} />}
      </Page>
    );
  const over = isOver(run);
  return (
    <Page
      title={run.function}
      tab={tabOf(run)}
      crumbs={[[t('nav.invocations'), '/invocations']]}
      fill={tab === 'logs'}
      at={at}
      command={tab === 'logs' ? `dure invocation logs ${id}${over ? '' : ' --follow'}` : tab === 'event' ? `curl -H "Authorization: Bearer $DURE_TOKEN" ${location.origin}/api/invocations/${id}/payload` : `dure invocation show ${id}`}
      aside={<Aside run={run} over={over} />}
      actions={<Actions run={run} over={over} acts={acts} />}
      tabs={
        <Tabs
          label={t('invocations.one')}
          current={tab}
          tabs={[
            { id: 'overview', title: t('invocations.tab_overview'), to: hrefOf(id) },
            { id: 'logs', title: t('invocations.log'), to: `${hrefOf(id)}?tab=logs` },
            { id: 'event', title: t('invocations.event'), to: `${hrefOf(id)}?tab=event` },
            { id: 'details', title: t('invocations.details'), to: `${hrefOf(id)}?tab=details` },
          ]}
        />
      }
    >
      {problem && <Problem of={problem} retry={() => void reload()} />}
      {tab === 'overview' && <Overview run={run} />}
      {tab === 'logs' && <Logs key={id} id={id} over={over} />}
      {tab === 'event' && <PayloadView key={id} title={t('invocations.event')} path={`/api/invocations/${id}/payload`} size={run.payload_bytes} name={`${id}.event`} />}
      {tab === 'details' && <Details run={run} />}
      <Confirm title={t('invocations.cancel_this')} open={acts.cancelling} onClose={() => acts.setCancelling(false)} onConfirm={acts.cancel} word={t('invocations.cancel_word')}>
        <p>{t('invocations.cancel_text')}</p>
      </Confirm>
    </Page>
  );
}

const Aside = ({ run, over }: { run: Run; over: boolean }) => (
  <span class="row wrap run-aside">
    <State of={run.state} soft />
    {run.cancel_requested && !over && <span class="small quiet">{t('invocations.told_to_end')}</span>}
    <span class="strong">{run.duration_ms !== null && run.duration_ms !== undefined ? duration(run.duration_ms) : run.started_at && !over ? <Elapsed from={run.started_at} /> : null}</span>
    <span class="quiet small">
      <Time at={run.created_at} /> · {run.owner} ·{' '}
      <Link to={`/functions/${run.function}/versions`} class="mono">
        {run.version_number ? `v${run.version_number}` : run.version.slice(0, 8)}
      </Link>{' '}
      · <span class="mono">{run.id}</span>
    </span>
  </span>
);

interface Acts {
  busy: string;
  rerun: () => void;
  cancel: () => Promise<void>;
  cancelling: boolean;
  setCancelling: (value: boolean) => void;
}

function useActs(id: string, run: Run | undefined, reload: () => Promise<void>): Acts {
  const [busy, setBusy] = useState('');
  const [cancelling, setCancelling] = useState(false);
  const rerun = useCallback(async () => {
    if (busy || !run) return;
    setBusy('rerun');
    try {
      const again = await send<Run>('POST', `/api/invocations/${id}/rerun`);
      toast(t('invocations.rerun_started', { id: again.id }), 'ok', { name: t('invocations.compare'), run: () => navigate(`${hrefOf(again.id)}/compare/${id}`) });
      navigate(hrefOf(again.id));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      toast(error.detail || error.title, 'bad');
    } finally {
      setBusy('');
    }
  }, [id, run, busy]);
  const cancel = useCallback(async () => {
    try {
      await send('POST', `/api/invocations/${id}/cancel`);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      toast(error.detail || error.title, 'bad');
    }
    await reload();
  }, [id, reload]);
  return { busy, rerun: () => void rerun(), cancel, cancelling, setCancelling };
}

function Actions({ run, over, acts }: { run: Run; over: boolean; acts: Acts }) {
  return (
    <>
      {!over && <WhenEnds invocation={run.id} />}
      {!over && may('invoke') && (
        <Button kind="danger" icon="stop" keys="c" disabled={run.cancel_requested} onClick={() => acts.setCancelling(true)}>
          {t('invocations.cancel')}
        </Button>
      )}
      <Link class="button plain" to={`${hrefOf(run.id)}/compare`}>
        <span>{t('invocations.compare')}</span>
      </Link>
      {may('invoke') && (
        <Button kind={over ? 'primary' : 'plain'} icon="retry" keys={over ? 'r' : undefined} busy={acts.busy === 'rerun'} onClick={acts.rerun}>
          {t('invocations.rerun')}
        </Button>
      )}
    </>
  );
}

/** The size of a payload, or that there is none. */
export const sizeOf = (n: number | null | undefined): string => (n === null || n === undefined ? '–' : bytes(n));
