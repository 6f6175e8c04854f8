import type { ComponentChildren } from 'preact';
import { bytes, number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Link } from '../../lib/router';
import type { MachineView, OverviewView } from '../../lib/types';
import { Bar, Card, Elapsed, State, Time, useNow, type Tone } from '../../ui/basics';

/** Where the failures of one kind are listed. */
const failuresOf = (one: OverviewView['functions']['broken'][number], since: string): string =>
  `/invocations?${new URLSearchParams({ state: one.state, function: one.function, range: `${since}/`, text: one.reason.split(/[0-9"'%]/)[0]!.trim().slice(0, 40) })}`;

/** How long something has lasted, once that is worth a number. */
export function Ran({ from }: { from: string | null | undefined }) {
  const now = useNow();
  return from && now - Date.parse(from) >= 1000 ? <Elapsed from={from} /> : <span class="faint">–</span>;
}

/** What failed in the last day, alike failures together, the newest first. */
export function Broken({ data }: { data: OverviewView['functions'] }) {
  return (
    <Card title={t('overview.broken')} flush actions={<Link class="small" to="/invocations?state=FAILED">{t('overview.all')}</Link>}>
      <ul class="lines">
        {data.broken.map((one) => (
          <li key={one.newest}>
            <Link to={one.count === 1 ? `/invocations/${one.newest}` : failuresOf(one, data.last_day.since)} class="line">
              <State of={one.state} word={one.function} />
              <span class="grow cut" title={one.reason}>
                {one.reason || t('overview.no_reason')}
              </span>
              <span class="count">{t('overview.times', { count: `${number(one.count)}${data.broken_complete ? '' : '+'}` })}</span>
              <span class="faint when num">
                <Time at={one.newest_at} />
              </span>
            </Link>
          </li>
        ))}
        {data.broken.length === 0 && <li class="none">{t('overview.nothing_broken')}</li>}
      </ul>
    </Card>
  );
}

/** What has waited longest, and what will begin by itself. */
export function Coming({ data }: { data: OverviewView['functions'] }) {
  return (
    <Card title={t('overview.coming')} flush>
      <ul class="lines">
        {data.longest_waiting.map((one) => (
          <li key={one.id}>
            <Link to={`/invocations/${one.id}`} class="line">
              <State of="PENDING" />
              <span class="grow cut">
                <strong>{one.function}</strong> <span class="faint">{one.owner}</span>
              </span>
              <span class="faint when num">
                <Elapsed from={one.created_at} />
              </span>
            </Link>
          </li>
        ))}
        {data.next_firings.map((one) => (
          <li key={one.function}>
            <Link to={`/functions/${encodeURIComponent(one.function)}`} class="line">
              <State tone="off" word={t('overview.scheduled')} />
              <span class="grow cut">
                <strong>{one.function}</strong> <span class="faint mono">{one.cron}</span>
              </span>
              <span class="faint when num">
                <Time at={one.at} />
              </span>
            </Link>
          </li>
        ))}
        {data.longest_waiting.length + data.next_firings.length === 0 && <li class="none">{t('overview.nothing_coming')}</li>}
      </ul>
    </Card>
  );
}

const TONES: Record<string, Tone> = { connected: 'ok', draining: 'wait', drained: 'wait', missing: 'bad' };

/** The state of a machine. */
export const MachineState = ({ of }: { of: MachineView }) => <State tone={TONES[of.state] ?? 'off'} word={t(`workers.state_${of.state}` as never)} />;

/** A meter with its words. */
export const Meter = ({ name, used, of, show }: { name: string; used: number; of: number; show: (n: number) => string }) => (
  <div class="meter">
    <span class="quiet">{name}</span>
    <Bar share={of > 0 ? used / of : 0} label={name} />
    <span class="num">
      {show(used)} <span class="faint">/ {show(of)}</span>
    </span>
  </div>
);

const cores = (millis: number): string => number(Math.round(millis / 100) / 10);

/** How much of a machine is in use. */
export function Meters({ of }: { of: MachineView }) {
  return (
    <div class="meters">
      <Meter name={t('workers.slots')} used={of.slots_taken} of={of.slots} show={(n) => number(n)} />
      <Meter name={t('workers.memory_promised')} used={of.memory_promised_bytes} of={of.memory_bytes} show={bytes} />
      {of.memory_used_bytes != null && <Meter name={t('workers.memory_used')} used={of.memory_used_bytes} of={of.memory_bytes} show={bytes} />}
      {of.cpu_used_millis != null && <Meter name={t('workers.cpu')} used={of.cpu_used_millis} of={of.cpu_millis} show={cores} />}
      {of.gpus.length > 0 && <Meter name={t('workers.gpus')} used={of.gpus.filter((gpu) => gpu.slot).length} of={of.gpus.length} show={(n) => number(n)} />}
    </div>
  );
}

/** The machines and when each was last heard. */
export function Machines({ data }: { data: OverviewView['functions'] }) {
  return (
    <Card title={t('overview.machines')} actions={<Link class="small" to="/workers">{t('overview.details')}</Link>}>
      {data.machines.map((machine) => (
        <div key={machine.id} class="stack tight">
          <div class="row">
            <MachineState of={machine} />
            <Link to="/workers" class="grow cut">
              <strong>{machine.id}</strong> <span class="faint">{machine.machine}</span>
            </Link>
            <span class="faint small">
              {t('workers.heard')} <Time at={machine.observed_at} />
            </span>
          </div>
          {machine.state === 'missing' ? <p class="quiet small">{t('workers.missing_text')}</p> : <Meters of={machine} />}
        </div>
      ))}
    </Card>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="fact">
    <span class="quiet">{name}</span>
    <span class="num">{children}</span>
  </div>
);

const BREAKERS: Record<string, Tone> = { closed: 'ok', half_open: 'wait', open: 'bad' };

/** Disk, store, copies, backups: whether anything could be lost. */
export function Keeping({ data }: { data: OverviewView }) {
  const { disk, store, backups } = data;
  return (
    <Card title={t('overview.keeping')} actions={<Link class="small" to="/storage">{t('overview.details')}</Link>}>
      <div class="stack tight">
        <Meter name={t('overview.disk')} used={disk.total_bytes - disk.free_bytes} of={disk.total_bytes} show={bytes} />
        {store && (
          <Fact name={t('overview.store')}>
            {t('overview.objects', { n: store.objects })} · {bytes(store.bytes)}
          </Fact>
        )}
        {store && store.corrupt > 0 && (
          <Fact name={t('overview.damaged')}>
            <State tone="bad" word={number(store.corrupt)} />
          </Fact>
        )}
        {data.replication.map((one) => (
          <div key={one.provider} class="fact">
            <span class="cut">
              <State tone={one.faults ? 'bad' : (BREAKERS[one.breaker] ?? 'off')} word={one.provider} />
            </span>
            <span class="num" title={one.last_error ?? ''}>
              {one.pending_objects === 0 ? (
                t('overview.copied')
              ) : (
                <>
                  {t('overview.behind', { n: one.pending_objects })} · {bytes(one.pending_bytes)}
                  {one.oldest_pending_at && (
                    <>
                      {' · '}
                      <Time at={one.oldest_pending_at} />
                    </>
                  )}
                </>
              )}
            </span>
          </div>
        ))}
        {data.replication.length === 0 && <Fact name={t('overview.copies')}>{t('overview.no_provider')}</Fact>}
        <Fact name={t('overview.backup')}>{backups.newest_at ? <Time at={backups.newest_at} /> : <State tone="wait" word={t('overview.no_backup')} />}</Fact>
      </div>
    </Card>
  );
}
