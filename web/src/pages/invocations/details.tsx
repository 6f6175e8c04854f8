import type { ComponentChildren } from 'preact';
import { absolute, bytes } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Link } from '../../lib/router';
import { Card, Copy, Facts, Time } from '../../ui/basics';
import { Table } from '../../ui/table';
import { duration } from '../../lib/format';
import { Outcome } from './runoverview';
import { hrefOf, type Run } from './types';

const Moment = ({ at }: { at: string | null | undefined }) =>
  at ? (
    <>
      {absolute(Date.parse(at))} <span class="faint">(<Time at={at} />)</span>
    </>
  ) : (
    <>–</>
  );

/** Everything that is known of an invocation. */
export function Details({ run }: { run: Run }) {
  const items: [string, ComponentChildren][] = [
    [t('invocations.id'), <span class="row"><code>{run.id}</code><Copy text={run.id} /></span>],
    [t('invocations.function'), <Link to={`/functions/${run.function}`}>{run.function}</Link>],
    [t('invocations.version'), <code title={run.version}>{run.version_number ? `${run.version_number} · ` : ''}{run.version.slice(0, 16)}</code>],
    [t('invocations.state'), run.state],
    [t('invocations.reason'), run.reason],
    [t('invocations.who'), run.owner],
    [t('invocations.trigger'), t(`invocations.trigger_${run.trigger}` as never)],
    [t('invocations.rerun_of'), run.rerun_of ? <span class="row"><Link class="mono" to={hrefOf(run.rerun_of)}>{run.rerun_of}</Link><Link class="small" to={`${hrefOf(run.id)}/compare/${run.rerun_of}`}>{t('invocations.compare')}</Link></span> : null],
    [t('invocations.asked'), <Moment at={run.created_at} />],
    [t('invocations.started'), <Moment at={run.started_at} />],
    [t('invocations.ended'), <Moment at={run.finished_at} />],
    [t('invocations.duration'), run.duration_ms === null || run.duration_ms === undefined ? null : duration(run.duration_ms)],
    [t('invocations.scheduled_for'), run.scheduled_for ? <Moment at={run.scheduled_for} /> : null],
    [t('invocations.next_attempt'), run.next_attempt_at ? <Moment at={run.next_attempt_at} /> : null],
    [t('invocations.durability'), run.durability === 'durable' ? t('invocations.durable') : t('invocations.relaxed')],
    [t('invocations.may_have_run'), run.may_have_run ? t('invocations.may_have_run_text') : t('invocations.no')],
    [t('invocations.idempotency_key'), run.idempotency_key ? <code>{run.idempotency_key}</code> : null],
    [t('invocations.callback'), run.callback_url ? <code>{run.callback_url}</code> : null],
    [t('invocations.event'), bytes(run.payload_bytes)],
    [t('invocations.result'), run.result_bytes === null || run.result_bytes === undefined ? null : bytes(run.result_bytes)],
    [t('invocations.log'), bytes(run.log_bytes)],
  ];
  return (
    <div class="stack">
      <Card title={t('invocations.details')}>
        <Facts items={items} />
      </Card>
      {run.attempts && run.attempts.length > 0 && (
        <Card title={t('invocations.attempts')} flush>
          <Table
            label={t('invocations.attempts')}
            items={run.attempts}
            keyOf={(attempt) => String(attempt.attempt)}
            columns={[
              { key: 'n', title: '#', width: '30px', render: (a) => a.attempt },
              { key: 'outcome', title: t('invocations.outcome'), width: '130px', render: (a) => <Outcome of={a.outcome} /> },
              { key: 'begun', title: t('invocations.started'), width: '120px', hide: 560, render: (a) => <Time at={a.started_at} /> },
              { key: 'took', title: t('invocations.duration'), width: '90px', align: 'right', render: (a) => (a.finished_at ? duration(Date.parse(a.finished_at) - Date.parse(a.started_at)) : '–') },
              { key: 'start', title: t('invocations.start'), width: '70px', hide: 620, render: (a) => (a.cold ? t('invocations.cold') : t('invocations.warm')) },
              { key: 'where', title: t('invocations.worker'), width: '160px', hide: 760, render: (a) => <span class="mono quiet">{[a.worker, a.slot].filter(Boolean).join(' / ')}</span> },
              { key: 'reason', title: t('invocations.reason'), width: 'minmax(120px, 1fr)', render: (a) => <span class="quiet" title={a.reason ?? undefined}>{a.reason ?? ''}</span> },
            ]}
          />
        </Card>
      )}
    </div>
  );
}
