import { useCallback } from 'preact/hooks';
import { get } from '../../lib/api';
import { duration } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link } from '../../lib/router';
import type { Series } from '../../lib/types';
import { Card, State, useNow, type Tone } from '../../ui/basics';
import { TimeChart } from '../../ui/chart';
import { PayloadView } from './payload';
import { hrefOf, isOver, type Run } from './types';

const LONG_ENOUGH_MS = 1000;

/** What happened, in one look: the error, the attempts, the result, what was used. */
export function Overview({ run }: { run: Run }) {
  const over = isOver(run);
  return (
    <div class="stack run">
      {(run.error || (run.reason && run.state !== 'SUCCESS')) && <Failure run={run} />}
      <Timeline run={run} />
      {run.state === 'SUCCESS' && <PayloadView title={t('invocations.result')} path={`/api/invocations/${run.id}/result`} size={run.result_bytes} name={`${run.id}.result`} />}
      {run.started_at && <Usage run={run} over={over} />}
    </div>
  );
}

/** Why it did not succeed. */
export function Failure({ run }: { run: Run }) {
  const error = run.error;
  const said = error?.error_message ?? run.reason;
  return (
    <section class={`failure ${run.state === 'FAILED' ? 'bad' : 'soft'}`} aria-label={t('invocations.error')}>
      <h2 class="mono">
        {error?.error_type && <span class="type">{error.error_type}: </span>}
        {said}
      </h2>
      {error && run.reason && !run.reason.includes(error.error_message ?? '\u0000') && <p class="quiet">{run.reason}</p>}
      {error?.stack_trace && error.stack_trace.length > 0 && <pre class="stack-trace">{error.stack_trace.map((line) => line.replace(/\n+$/, '')).join('\n')}</pre>}
      <p class="small row wrap">
        <Link to={`${hrefOf(run.id)}?tab=logs`}>{t('invocations.see_log')}</Link>
        <Link to={`/invocations?function=${encodeURIComponent(run.function)}&state=FAILED,UNKNOWN&range=7d`}>{t('invocations.like_this')}</Link>
      </p>
    </section>
  );
}

const OUTCOMES: Record<string, [Tone, string]> = {
  running: ['run', 'running'], success: ['ok', 'success'], error: ['bad', 'error'], timeout: ['bad', 'timeout'], limit: ['bad', 'limit'], cancelled: ['off', 'cancelled'],
  'worker-lost': ['odd', 'worker_lost'], 'controller-lost': ['odd', 'controller_lost'], 'start-failed': ['bad', 'start_failed'], displaced: ['off', 'displaced'],
};

/** An attempt's end as dot and word. */
export const Outcome = ({ of }: { of: string }) => {
  const [tone, word] = OUTCOMES[of.replace('_', '-')] ?? ['off', ''];
  return <State tone={tone} word={word ? t(`invocations.outcome_${word}` as never) : of} />;
};

interface Row {
  key: string;
  name: string;
  from: number;
  to: number;
  tone: string;
  outcome?: string;
  note?: string;
}

function rowsOf(run: Run, now: number): Row[] {
  const asked = Date.parse(run.created_at);
  const attempts = run.attempts ?? [];
  const end = run.finished_at ? Date.parse(run.finished_at) : now;
  const rows: Row[] = [];
  let free = asked;
  for (const attempt of attempts) {
    const begun = Date.parse(attempt.started_at);
    if (begun - free >= 1) rows.push({ key: `w${attempt.attempt}`, name: attempt.attempt === 1 ? t('invocations.queued') : t('invocations.waited'), from: free, to: begun, tone: 'wait' });
    const over = attempt.finished_at ? Date.parse(attempt.finished_at) : end;
    rows.push({
      key: `a${attempt.attempt}`,
      name: t('invocations.attempt_n', { n: attempt.attempt }),
      from: begun,
      to: over,
      tone: (OUTCOMES[attempt.outcome.replace('_', '-')] ?? ['off'])[0],
      outcome: attempt.outcome,
      note: [attempt.cold ? t('invocations.cold') : t('invocations.warm'), attempt.worker, attempt.reason].filter(Boolean).join(' · '),
    });
    free = over;
  }
  if (!isOver(run) && run.state === 'PENDING') rows.push({ key: 'now', name: attempts.length ? t('invocations.waits') : t('invocations.queued'), from: free, to: now, tone: 'wait', note: run.next_attempt_at ? t('invocations.next_at', { time: new Date(run.next_attempt_at).toLocaleTimeString() }) : undefined });
  return rows;
}

/** Attempts over time: what waited, what ran, how each ended. */
export function Timeline({ run }: { run: Run }) {
  const tick = useNow();
  const now = isOver(run) ? 0 : Math.max(tick, Date.parse(run.created_at));
  const rows = rowsOf(run, now);
  const begin = Date.parse(run.created_at);
  const end = Math.max(begin + 1, ...rows.map((row) => row.to));
  const share = (ms: number) => ((ms - begin) / (end - begin)) * 100;
  return (
    <Card title={t('invocations.timeline')} actions={<span class="faint small">{t('invocations.in_all', { time: duration(end - begin) })}</span>}>
      <ol class="timeline">
        {rows.map((row) => (
          <li key={row.key}>
            <span class="name">{row.name}</span>
            <span class="lane" aria-hidden="true">
              <i class={row.tone} style={{ left: `${Math.min(99.6, share(row.from))}%`, width: `${Math.max(0.4, share(row.to) - share(row.from))}%` }} />
            </span>
            <span class="took">{duration(row.to - row.from)}</span>
            <span class="what">
              {row.outcome && <Outcome of={row.outcome} />}
              {row.note && <span class="quiet small">{row.note}</span>}
            </span>
          </li>
        ))}
      </ol>
      {run.steps && run.steps.length > 0 && (
        <div class="steps row wrap">
          <span class="faint small">{t('invocations.steps')}</span>
          {run.steps.map((step) => (
            <span key={step.name} class="tag" title={t('invocations.attempt_n', { n: step.attempt })}>
              {step.name}
            </span>
          ))}
        </div>
      )}
    </Card>
  );
}

/** Memory and processor over time. */
function Usage({ run, over }: { run: Run; over: boolean }) {
  const tick = useNow();
  const from = Date.parse(run.started_at!);
  const to = over ? Date.parse(run.finished_at ?? run.started_at!) : Math.floor(tick / 2000) * 2000;
  const load = useCallback(
    (a: number, b: number, buckets: number, name: string) =>
      get<Series>(`/api/invocations/${run.id}/usage?from=${Math.floor(a)}&to=${Math.ceil(b)}&buckets=${buckets}`).then((all) => ({ ...all, series: all.series.filter((one) => one.name === name) })),
    [run.id],
  );
  const memory = useCallback((a: number, b: number, n: number) => load(a, b, n, 'memory'), [load]);
  const cpu = useCallback((a: number, b: number, n: number) => load(a, b, n, 'cpu'), [load]);
  // Nothing is measured in the first second, nor where no control group measures.
  const any = useResource<Series>(`/api/invocations/${run.id}/usage?buckets=20`, { every: over ? 0 : 3000 });
  const measured = any.data?.series.some((one) => one.count.some((n) => n > 0));
  if (!any.data && any.loading) return null;
  if (!measured || to - from < LONG_ENOUGH_MS) return over ? null : <Card title={t('invocations.usage')}><p class="quiet">{t('invocations.usage_soon')}</p></Card>;
  return (
    <Card title={t('invocations.usage')} actions={<span class="faint small">{t('invocations.usage_hint')}</span>}>
      <div class="usage">
        <TimeChart title={t('invocations.memory')} unit="bytes" from={from} to={to} sync={`run-${run.id}`} load={memory} names={{ memory: t('invocations.memory') }} version={over} />
        <TimeChart title={t('invocations.cpu')} unit="count" from={from} to={to} sync={`run-${run.id}`} load={cpu} names={{ cpu: t('invocations.cores') }} colours={{ cpu: 'chart-3' }} version={over} />
      </div>
    </Card>
  );
}
