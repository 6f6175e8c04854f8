import { useState } from 'preact/hooks';
import { ApiProblem, lines, may, request } from '../../lib/api';
import { bytes, duration, number, relative } from '../../lib/format';
import { t, useLanguage } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Button, Card, Empty, Facts, Problem, Skeleton, State, Time, useNow, type Tone } from '../../ui/basics';
import { Tabs } from '../../ui/forms';
import { Page } from '../../ui/page';
import { tabsOf } from './places';
import './storage.css';
import type { ProviderView, StorageStatus, VerifyReport } from './types';

const BEHIND_MS = 15 * 60_000;

/** How far a provider is behind, in a word. */
export function lagOf(provider: ProviderView, now: number): { tone: Tone; word: string } {
  if (!provider.configured) return { tone: 'bad', word: t('storage.not_configured') };
  if (provider.breaker !== 'closed') return { tone: 'bad', word: t('storage.unreachable') };
  if (provider.pending_objects === 0) return { tone: 'ok', word: t('storage.in_step') };
  const age = provider.oldest_pending_at ? now - Date.parse(provider.oldest_pending_at) : 0;
  return { tone: age > BEHIND_MS ? 'bad' : age > 60_000 ? 'wait' : 'run', word: t('storage.behind', { time: duration(Math.max(0, Math.round(age / 1000) * 1000)) }) };
}

/** Copies at second providers: how far they are behind, what went wrong, and what mends it. */
export default function Replication() {
  useLanguage();
  const now = useNow();
  const status = useResource<StorageStatus>('/api/storage/status', { topics: ['storage'], every: 5_000 });
  const providers = status.data?.providers ?? [];
  const worst = providers.map((one) => lagOf(one, now)).find((one) => one.tone === 'bad');
  return (
    <Page title={t('storage.title')} tab={`${worst ? '✗ ' : ''}${t('storage.replication')}`} tabs={<Tabs label={t('storage.title')} current="replication" tabs={tabsOf()} />} command="dure storage status" at={status.at}>
      <div class="stack">
        <Problem of={status.problem} retry={status.reload} />
        {status.loading && <Skeleton />}
        {providers.map((one) => (
          <Provider key={one.name} provider={one} now={now} onDone={() => void status.reload()} />
        ))}
        {status.data && providers.length === 0 && (
          <Empty title={t('storage.no_providers')} icon="storage" command="dure storage test-provider NAME">
            {t('storage.no_providers_text')}
          </Empty>
        )}
      </div>
    </Page>
  );
}

interface Line {
  progress?: string;
  fault?: string;
  verify?: VerifyReport;
  repair?: { queued: number; mended: number; unrepairable: number; found: VerifyReport };
  problem?: Record<string, unknown>;
}

function Provider({ provider, now, onDone }: { provider: ProviderView; now: number; onDone: () => void }) {
  const lag = lagOf(provider, now);
  const [running, setRunning] = useState('');
  const [told, setTold] = useState<string[]>([]);
  const [result, setResult] = useState('');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const run = async (what: 'verify' | 'repair', full = false) => {
    setRunning(what);
    setTold([]);
    setResult('');
    setProblem(null);
    try {
      const answer = await request('POST', `/api/storage/${what}?${new URLSearchParams({ provider: provider.name, ...(full && { full: 'true' }) })}`);
      await lines<Line>(answer, (line) => {
        const text = line.progress ?? line.fault;
        if (text) setTold((before) => [...before.slice(-49), text]);
        if (line.verify) setResult(wordsOf(line.verify));
        if (line.repair) setResult(t('storage.repaired', { queued: number(line.repair.queued), mended: number(line.repair.mended), lost: number(line.repair.unrepairable) }));
        if (line.problem) setProblem(ApiProblem.from(line.problem));
      });
    } catch (error) {
      if (error instanceof ApiProblem) setProblem(error);
      else setProblem(new ApiProblem(0, '', t('storage.broken_off'), '', ''));
    } finally {
      setRunning('');
      onDone();
    }
  };
  const verify = provider.last_verify;
  return (
    <Card
      title={<span class="row">{provider.name} <State soft tone={lag.tone} word={lag.word} /></span>}
      actions={
        may('admin') && (
          <>
            <Button small icon="check" busy={running === 'verify'} disabled={running !== ''} onClick={() => void run('verify')}>{t('storage.verify')}</Button>
            <Button small icon="retry" busy={running === 'repair'} disabled={running !== ''} onClick={() => void run('repair')}>{t('storage.repair')}</Button>
          </>
        )
      }
    >
      <div class="stack">
        <Facts
          items={[
            [t('storage.waiting'), provider.pending_objects === 0 ? t('storage.nothing_waits') : t('storage.waits', { n: provider.pending_objects, size: bytes(provider.pending_bytes) })],
            [t('storage.oldest'), provider.oldest_pending_at ? <Time key="o" at={provider.oldest_pending_at} /> : '–'],
            [t('storage.mode'), provider.mode === 'both' ? t('storage.mode_both') : t('storage.mode_async')],
            [t('storage.gets'), provider.functions ? t('storage.gets_functions') : t('storage.gets_buckets')],
            ...(provider.retry_at ? [[t('storage.retry_at'), relative(Date.parse(provider.retry_at), now)] as [string, string]] : []),
            [t('storage.last_error'), provider.last_error ? <span key="e"><State tone={provider.breaker === 'closed' ? 'wait' : 'bad'} word={provider.last_error} /> {provider.last_error_at && <span class="faint"><Time at={provider.last_error_at} /></span>}</span> : t('storage.none')],
            [t('storage.last_verify'), verify ? <span key="v">{wordsOf(verify)} <span class="faint"><Time at={verify.at} /></span></span> : t('storage.never')],
          ]}
        />
        {provider.lost > 0 && (
          <div class="problem" role="alert">
            <div class="grow">
              <strong>{t('storage.lost', { n: provider.lost })}</strong>
              <ul>{provider.losses.slice(0, 5).map((one) => <li key={one.digest}><code>{one.digest.slice(0, 12)}</code> {bytes(one.bytes)}: {one.reason}, <Time at={one.found_at} /></li>)}</ul>
            </div>
          </div>
        )}
        <Problem of={problem} />
        {told.length > 0 && <pre class="code told" tabIndex={0}>{told.join('\n')}</pre>}
        {result && <p role="status">{result}</p>}
      </div>
    </Card>
  );
}

const wordsOf = (report: VerifyReport): string => {
  const faults = report.missing + report.wrong + report.damaged + report.missing_here + report.damaged_here;
  return faults === 0 ? t('storage.verified', { n: report.objects, size: bytes(report.bytes) }) : t('storage.verify_faults', { n: faults, missing: number(report.missing + report.missing_here), damaged: number(report.damaged + report.damaged_here + report.wrong) });
};
