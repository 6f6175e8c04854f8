import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiProblem, get, request } from '../../lib/api';
import { diff, hunksOf } from '../../lib/diff';
import { bytes, duration } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link, navigate } from '../../lib/router';
import { Card, Empty, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Hunks } from '../../ui/difference';
import { Page } from '../../ui/page';
import { Table } from '../../ui/table';
import { parseAnsi, plainOf, readLine } from './ansi';
import { contentOf } from './payload';
import { useRun } from './run';
import { hrefOf, type LogWindow, type Run, type RunPage } from './types';
import './invocations.css';

const RECENT = 30;
const LOG_HEAD = 100;
const DIFF_BYTES = 256 << 10;

/** Two invocations side by side; without a second one, which to take. */
export default function Compare({ id, other }: { id: string; other?: string }) {
  const run = useRun(id);
  const second = useRun(other ?? id);
  const crumbs: [string, string][] = [[t('nav.invocations'), '/invocations'], [id, hrefOf(id)]];
  const problem = run.problem ?? (other ? second.problem : null);
  const body = !run.data || (other && !second.data) ? problem ? <Problem of={problem} /> : <Skeleton rows={10} /> : other ? <Both a={run.data} b={second.data!} /> : <Pick run={run.data} />;
  return (
    <Page title={t('invocations.compare')} tab={`${t('invocations.compare')} · ${run.data?.function ?? id}`} crumbs={crumbs} command={`dure invocation show ${id}${other ? ` && dure invocation show ${other}` : ''}`} at={run.at} aside={run.data && <span class="quiet">{run.data.function}</span>}>
      {body}
    </Page>
  );
}

function Pick({ run }: { run: Run }) {
  const recent = useResource<RunPage>(`/api/invocations?function=${encodeURIComponent(run.function)}&limit=${RECENT}`);
  const items = (recent.data?.items ?? []).filter((one) => one.id !== run.id);
  if (recent.loading) return <Skeleton rows={8} />;
  if (recent.problem) return <Problem of={recent.problem} retry={() => void recent.reload()} />;
  if (items.length === 0)
    return (
      <Empty title={t('invocations.nothing_to_compare')} icon="invocations" command={`dure invocation rerun ${run.id}`}>
        {t('invocations.nothing_to_compare_text')}
      </Empty>
    );
  return (
    <Card title={t('invocations.compare_with')} flush>
      <Table
        label={t('invocations.compare_with')}
        items={items}
        keyOf={(one) => one.id}
        onOpen={(one) => navigate(`${hrefOf(run.id)}/compare/${one.id}`)}
        hrefOf={(one) => `${hrefOf(run.id)}/compare/${one.id}`}
        columns={[
          { key: 'state', title: t('invocations.state'), width: '96px', render: (one) => <State of={one.state} /> },
          { key: 'id', title: t('invocations.id'), width: '120px', render: (one) => <Link class="mono" to={`${hrefOf(run.id)}/compare/${one.id}`}>{one.id}</Link> },
          { key: 'version', title: t('invocations.version'), width: '70px', hide: 520, render: (one) => (one.version_number ? `v${one.version_number}` : one.version.slice(0, 8)) },
          { key: 'age', title: t('invocations.age'), width: '90px', hide: 460, render: (one) => <Time at={one.created_at} /> },
          { key: 'took', title: t('invocations.duration'), width: '80px', align: 'right', render: (one) => duration(one.duration_ms) },
          { key: 'reason', title: t('invocations.reason'), width: 'minmax(100px, 1fr)', hide: 640, render: (one) => <span class="quiet">{one.reason ?? ''}</span> },
        ]}
      />
    </Card>
  );
}

function Both({ a, b }: { a: Run; b: Run }) {
  return (
    <div class="stack">
      <Fields a={a} b={b} />
      <Durations a={a} b={b} />
      <TextDiff title={t('invocations.result')} a={`/api/invocations/${a.id}/result`} b={`/api/invocations/${b.id}/result`} sizes={[a.result_bytes, b.result_bytes]} />
      <TextDiff title={t('invocations.event')} a={`/api/invocations/${a.id}/payload`} b={`/api/invocations/${b.id}/payload`} sizes={[a.payload_bytes, b.payload_bytes]} />
      <LogHeads a={a} b={b} />
    </div>
  );
}

function Fields({ a, b }: { a: Run; b: Run }) {
  const rows: [string, (run: Run) => string][] = [
    [t('invocations.state'), (run) => t(`state.${run.state.toLowerCase()}` as never)],
    [t('invocations.version'), (run) => (run.version_number ? `v${run.version_number} · ${run.version.slice(0, 8)}` : run.version.slice(0, 12))],
    [t('invocations.duration'), (run) => duration(run.duration_ms)],
    [t('invocations.attempts'), (run) => String(run.attempt)],
    [t('invocations.who'), (run) => run.owner],
    [t('invocations.trigger'), (run) => t(`invocations.trigger_${run.trigger}` as never)],
    [t('invocations.event'), (run) => bytes(run.payload_bytes)],
    [t('invocations.result'), (run) => bytes(run.result_bytes)],
    [t('invocations.log'), (run) => bytes(run.log_bytes)],
    [t('invocations.reason'), (run) => run.reason ?? '–'],
    [t('invocations.error'), (run) => (run.error ? `${run.error.error_type ?? ''}: ${run.error.error_message ?? ''}` : '–')],
  ];
  return (
    <Card flush>
      <table class="sides">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden-word">{t('invocations.field')}</span>
            </th>
            {[a, b].map((run) => (
              <th key={run.id} scope="col">
                <Link class="mono" to={hrefOf(run.id)}>
                  {run.id}
                </Link>{' '}
                <span class="faint small">
                  <Time at={run.created_at} />
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, of]) => (
            <tr key={name} class={of(a) === of(b) ? '' : 'differs'}>
              <th scope="row">{name}</th>
              <td>{of(a)}</td>
              <td>
                {of(b)}
                {of(a) !== of(b) && <span class="hidden-word"> ({t('invocations.differs')})</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Durations({ a, b }: { a: Run; b: Run }) {
  const parts = (run: Run) => {
    const asked = Date.parse(run.created_at);
    const begun = run.started_at ? Date.parse(run.started_at) : asked;
    return { waited: begun - asked, ran: run.duration_ms ?? 0 };
  };
  const most = Math.max(1, ...[a, b].map((run) => parts(run).waited + parts(run).ran));
  return (
    <Card title={t('invocations.duration')}>
      <ol class="timeline">
        {[a, b].map((run) => {
          const { waited, ran } = parts(run);
          return (
            <li key={run.id}>
              <span class="name mono">{run.id}</span>
              <span class="lane" aria-hidden="true">
                <i class="wait" style={{ left: 0, width: `${(waited / most) * 100}%` }} />
                <i class={run.state === 'SUCCESS' ? 'ok' : run.state === 'FAILED' ? 'bad' : 'off'} style={{ left: `${(waited / most) * 100}%`, width: `${Math.max(0.4, (ran / most) * 100)}%` }} />
              </span>
              <span class="took">{duration(waited + ran)}</span>
              <span class="what quiet small">
                {waited >= 1 && `${t('invocations.queued')} ${duration(waited)}`}
              </span>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

/** What differs between two texts; JSON is compared as it is laid out. */
function TextDiff({ title, a, b, sizes }: { title: string; a: string; b: string; sizes: (number | null | undefined)[] }) {
  const [texts, setTexts] = useState<[string, string] | null>(null);
  const [why, setWhy] = useState('');
  const [size, other] = sizes;
  const neither = (size === null || size === undefined) && (other === null || other === undefined);
  const large = sizes.some((one) => (one ?? 0) > DIFF_BYTES);
  useEffect(() => {
    if (large || neither) return;
    const abort = new AbortController();
    Promise.all([textOf(a, size, abort.signal), textOf(b, other, abort.signal)])
      .then((both) => (both.includes(null) ? setWhy(t('invocations.binary')) : setTexts(both as [string, string])))
      .catch((error: unknown) => error instanceof ApiProblem && setWhy(error.detail || error.title));
    return () => abort.abort();
  }, [a, b, size, other]);
  const hunks = useMemo(() => (texts ? hunksOf(diff(texts[0], texts[1])) : null), [texts]);
  if (neither) return null;
  const same = hunks?.length === 0;
  return (
    <Card title={title} flush={!!hunks && !same} actions={<span class="faint small">{sizes.map((one) => bytes(one)).join(' → ')}</span>}>
      {large ? <p class="quiet">{t('invocations.too_large_to_compare')}</p> : why ? <p class="quiet">{why}</p> : !hunks ? <Skeleton rows={3} /> : same ? <p class="quiet">{t('invocations.same')}</p> : <Hunks hunks={hunks} />}
    </Card>
  );
}

async function textOf(path: string, size: number | null | undefined, signal: AbortSignal): Promise<string | null> {
  if (size === null || size === undefined) return '';
  const content = contentOf(await (await request('GET', path, { signal, headers: { Accept: '*/*' } })).arrayBuffer());
  if (content.kind === 'image') URL.revokeObjectURL(content.url);
  return content.kind === 'json' ? JSON.stringify(content.value, null, 2) : content.kind === 'text' ? content.text : null;
}

function LogHeads({ a, b }: { a: Run; b: Run }) {
  return (
    <div class="heads">
      {[a, b].map((run) => (
        <LogHead key={run.id} run={run} />
      ))}
    </div>
  );
}

function LogHead({ run }: { run: Run }) {
  const [lines, setLines] = useState<string[] | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    get<LogWindow>(`/api/invocations/${run.id}/logs/lines?from=0&count=${LOG_HEAD}`, abort.signal)
      .then((window) => setLines(window.lines.map((line) => plainOf(parseAnsi(readLine(line).text)))))
      .catch((error: unknown) => error instanceof ApiProblem && setProblem(error));
    return () => abort.abort();
  }, [run.id, run.log_bytes]);
  return (
    <Card
      title={t('invocations.log')}
      flush
      actions={
        <Link class="small mono" to={`${hrefOf(run.id)}?tab=logs`}>
          {run.id}
        </Link>
      }
    >
      {problem ? <Problem of={problem} /> : !lines ? <Skeleton rows={5} /> : lines.length === 0 ? <p class="quiet pad">{t('invocations.log_empty')}</p> : <pre class="head">{lines.join('\n')}</pre>}
    </Card>
  );
}
