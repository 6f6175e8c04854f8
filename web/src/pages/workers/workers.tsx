import { useState } from 'preact/hooks';
import { ApiProblem, may, send, session } from '../../lib/api';
import { useCell } from '../../lib/cell';
import { bytes, number } from '../../lib/format';
import { t, useLanguage } from '../../lib/i18n';
import { Link } from '../../lib/router';
import { useResource } from '../../lib/resource';
import type { MachineView, Page as Listed } from '../../lib/types';
import { Bar, Button, Card, Facts, Problem, Skeleton, State, Time, type Tone } from '../../ui/basics';
import { Dialog, Field, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { MachineState, Meters, Ran } from '../overview/cards';
import '../overview/overview.css';
import './workers.css';

type Process = MachineView['processes'][number];

/** The machines that run functions: what they have, what runs where, and taking one out of service. */
export default function Workers() {
  useLanguage();
  const workers = useResource<Listed<MachineView>>('/api/workers', { topics: ['workers'], every: 3000 });
  const items = workers.data?.items ?? [];
  return (
    <Page title={t('nav.workers')} tab={items.some((one) => one.drain) ? t('workers.tab_drained') : undefined} command={items.length === 1 ? `dure worker show ${items[0]!.id}` : 'dure worker list'} at={workers.at}>
      {workers.problem && <Problem of={workers.problem} retry={() => void workers.reload()} />}
      {workers.loading && <Skeleton rows={10} />}
      {items.map((machine) => (
        <Machine key={machine.id} of={machine} onChange={() => void workers.reload()} />
      ))}
    </Page>
  );
}

function Machine({ of, onChange }: { of: MachineView; onChange: () => void }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  useCell(session);
  const undrain = async () => {
    setBusy(true);
    try {
      await send('POST', `/api/workers/${encodeURIComponent(of.id)}/undrain`);
      setProblem(null);
      toast(t('workers.undrained', { id: of.id }));
      onChange();
    } catch (error) {
      setProblem(error as ApiProblem);
    }
    setBusy(false);
  };
  const drain = of.drain;
  return (
    <section class="machine stack" aria-label={of.id}>
      <div class="row wrap">
        <h2>{of.id}</h2>
        <MachineState of={of} />
        <span class="quiet">{of.machine}</span>
        <span class="faint small">
          {t('workers.heard')} <Time at={of.observed_at} />
        </span>
        <span class="grow" />
        {may('admin') &&
          (drain ? (
            <Button kind="primary" icon="play" busy={busy} onClick={() => void undrain()}>
              {t('workers.undrain')}
            </Button>
          ) : (
            <Button icon="stop" onClick={() => setAsking(true)}>
              {t('workers.drain')}
            </Button>
          ))}
      </div>
      {problem && <Problem of={problem} />}
      {drain && (
        <p class="drained" role="status">
          {t('workers.drained_by', { by: drain.by })} <Time at={drain.since} />
          {drain.reason && <>: “{drain.reason}”</>}. {t('workers.drained_text')} {of.waiting > 0 && <strong>{t('workers.wait', { n: of.waiting })}</strong>}
        </p>
      )}
      {of.state === 'missing' && <p class="drained">{t('workers.missing_text')}</p>}
      <div class="machine-cards">
        <Card title={t('workers.capacity')}>
          <Meters of={of} />
        </Card>
        <Card title={t('workers.about')}>
          <Facts
            items={[
              [t('workers.invocations'), t('workers.run_and_wait', { running: number(of.running), waiting: number(of.waiting) })],
              [t('workers.process'), of.pid ? String(of.pid) : '–'],
              [t('workers.standby'), of.standby_pids.length > 0 ? t('workers.standby_ready', { pid: of.standby_pids.join(', ') }) : t('workers.standby_none')],
              [t('workers.kept'), of.kept.length === 0 ? '–' : of.kept.map((kept) => `${kept.kind} × ${kept.size}`).join(', ')],
              ...(of.unlimited ? ([[t('workers.unlimited'), <State key="u" tone="wait" word={of.unlimited.join(', ')} />]] as [string, preact.ComponentChild][]) : []),
            ]}
          />
        </Card>
        <Gpus of={of} />
      </div>
      <Card title={t('workers.processes')} flush actions={<span class="faint small">{number(of.processes.length)}</span>}>
        {of.processes.length === 0 ? <p class="none">{t(of.drain ? 'workers.nothing_left' : 'workers.nothing_runs')}</p> : <Processes items={of.processes} />}
      </Card>
      <Drain of={of} open={asking} onClose={() => setAsking(false)} onDone={onChange} />
    </section>
  );
}

/** Each GPU and who has it. */
function Gpus({ of }: { of: MachineView }) {
  return (
    <Card title={t('workers.gpus')}>
      {of.gpus.length === 0 ? (
        <p class="quiet">{t('workers.no_gpus')}</p>
      ) : (
        <ul class="gpus">
          {of.gpus.map((gpu) => (
            <li key={gpu.index} class={gpu.slot ? 'taken' : ''}>
              <span class="mono">GPU {gpu.index}</span>
              {gpu.slot ? <State tone="run" word={gpu.function ?? t('workers.build')} /> : <State tone="ok" word={t('workers.free')} />}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const TONES: Record<string, Tone> = { running: 'run', idle: 'ok', starting: 'wait', ending: 'off' };

function Processes({ items }: { items: readonly Process[] }) {
  const columns: Column<Process>[] = [
    {
      key: 'function',
      title: t('workers.function'),
      width: 'minmax(110px, 1.4fr)',
      render: (row) => (row.function ? <Link to={`/functions/${encodeURIComponent(row.function)}`}>{row.function}</Link> : <span class="quiet">{t('workers.build')}</span>),
    },
    { key: 'version', title: t('workers.version'), width: '64px', align: 'right', hide: 620, render: (row) => row.version_number ?? '–' },
    { key: 'state', title: t('workers.state'), width: '100px', render: (row) => <State tone={TONES[row.state] ?? 'off'} word={t(`workers.process_${row.state}` as never)} /> },
    {
      key: 'invocations',
      title: t('workers.invocations'),
      width: 'minmax(130px, 1.6fr)',
      render: (row) =>
        row.invocations.length === 0 ? (
          <span class="faint">{t('workers.served', { n: row.served })}</span>
        ) : (
          <span class="cut">
            {row.invocations.slice(0, 3).map((one) => (
              <Link key={one.id} to={`/invocations/${one.id}`} class="mono gap" title={t('workers.attempt_of', { attempt: one.attempt, owner: one.owner })}>
                {one.id}
              </Link>
            ))}
            {row.invocations.length > 3 && <span class="faint">+{row.invocations.length - 3}</span>}
          </span>
        ),
    },
    { key: 'for', title: t('workers.for'), width: '84px', align: 'right', render: (row) => (row.invocations[0] ? <Ran from={row.invocations[0].since} /> : <span class="faint"><Ran from={row.idle_since ?? row.since} /></span>) },
    {
      key: 'memory',
      title: t('workers.memory'),
      width: '170px',
      hide: 760,
      render: (row) =>
        row.memory_limit_bytes == null ? (
          '–'
        ) : (
          <div class="cell-meter">
            {row.memory_bytes != null && <Bar share={row.memory_bytes / row.memory_limit_bytes} label={t('workers.memory')} />}
            <span class="small">
              {row.memory_bytes == null ? '' : `${bytes(row.memory_bytes)} `}
              <span class="faint">/ {bytes(row.memory_limit_bytes)}</span>
            </span>
          </div>
        ),
    },
    { key: 'cpu', title: t('workers.cpu'), width: '72px', align: 'right', hide: 860, render: (row) => (row.cpu_millis == null ? <span class="faint">–</span> : (row.cpu_millis / 1000).toFixed(1)) },
    { key: 'gpus', title: 'GPU', width: '64px', align: 'right', hide: 900, render: (row) => (row.gpus.length === 0 ? <span class="faint">–</span> : row.gpus.join(', ')) },
    { key: 'slot', title: t('workers.slot'), width: '110px', hide: 1000, render: (row) => <span class="mono faint">{row.slot}</span> },
  ];
  return <Table label={t('workers.processes')} columns={columns} items={items} keyOf={(row) => row.slot} maxHeight={520} />;
}

/** Asks what a drain is for, and says what it does. */
function Drain({ of, open, onClose, onDone }: { of: MachineView; open: boolean; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const drain = async () => {
    setBusy(true);
    try {
      await send('POST', `/api/workers/${encodeURIComponent(of.id)}/drain`, { reason: reason.trim() || undefined });
      setProblem(null);
      toast(t('workers.now_drained', { id: of.id }));
      onClose();
      onDone();
    } catch (error) {
      setProblem(error as ApiProblem);
    }
    setBusy(false);
  };
  return (
    <Dialog
      title={t('workers.drain_title', { id: of.id })}
      open={open}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button kind="danger" busy={busy} onClick={() => void drain()}>
            {t('workers.drain')}
          </Button>
        </>
      }
    >
      <p>{t('workers.drain_text', { n: of.running })}</p>
      <Field label={t('workers.reason')} hint={t('workers.reason_hint')} value={reason} maxLength={500} onInput={(event: InputEvent) => setReason((event.currentTarget as HTMLInputElement).value)} />
      {problem && <Problem of={problem} />}
    </Dialog>
  );
}
