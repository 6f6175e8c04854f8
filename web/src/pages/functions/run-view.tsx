import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, may, request, send } from '../../lib/api';
import { bytes, duration } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link } from '../../lib/router';
import type { InvocationView } from '../../lib/types';
import { Button, Card, Copy, Elapsed, Problem, Skeleton, State } from '../../ui/basics';

const SHOWN_BYTES_MAX = 256 << 10;
const LOG_CHARS_MAX = 400_000;
const FINAL = ['SUCCESS', 'FAILED', 'CANCELLED', 'UNKNOWN'];
const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;

/** One run while it lasts and when it has ended: state, result or error, and what it printed. */
export function RunView({ id, pieces, again, onEnd }: { id: string; pieces: string | null; again: () => void; onEnd: () => void }) {
  const [ended, setEnded] = useState(false);
  const its = useResource<InvocationView>(`/api/invocations/${id}`, { topics: [`invocation:${id}`], every: ended ? 0 : 800 });
  const run = its.data;
  const final = !!run && FINAL.includes(run.state);
  useEffect(() => {
    setEnded(final);
    if (final) onEnd();
  }, [final]);
  const cold = run?.attempts?.at(-1)?.cold;
  return (
    <>
      <Card
        title={
          <span class="row wrap run-head">
            {run ? <State of={run.state} soft /> : <State tone="wait" word={t('functions.sent')} soft />}
            {run && (final ? <span>{duration(run.duration_ms)}</span> : <Elapsed from={run.started_at ?? run.created_at} />)}
            {cold !== undefined && <span class="tag" title={t(cold ? 'functions.cold_text' : 'functions.warm_text')}>{t(cold ? 'functions.cold' : 'functions.warm')}</span>}
            {run && run.attempt > 1 && <span class="tag">{t('functions.attempt', { n: run.attempt })}</span>}
          </span>
        }
        actions={
          <>
            <Link class="small" to={`/invocations/${id}`}>{id}</Link>
            {!final && run && may('invoke') && <Button small kind="danger" icon="stop" onClick={() => void send('POST', `/api/invocations/${id}/cancel`).then(its.reload)}>{t('functions.stop')}</Button>}
            {final && may('invoke') && <Button small icon="retry" onClick={again}>{t('functions.again')}</Button>}
          </>
        }
      >
        {its.problem && <Problem of={its.problem} />}
        {!run && !its.problem && <Skeleton rows={3} />}
        {pieces !== null && !final && <pre class="code result" aria-live="polite">{pieces}</pre>}
        {run && !final && pieces === null && <p class="quiet">{t(run.state === 'PENDING' ? 'functions.run_waits' : 'functions.run_runs')}</p>}
        {run && final && <Outcome of={run} />}
      </Card>
      <Log id={id} />
    </>
  );
}

/** The result, or what went wrong in the function's own words. */
function Outcome({ of: run }: { of: InvocationView }) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const large = (run.result_bytes ?? 0) > SHOWN_BYTES_MAX;
  const address = `/api/invocations/${run.id}/result`;
  useEffect(() => {
    if (run.state !== 'SUCCESS' || large) return;
    let over = false;
    request('GET', address, { headers: { Accept: '*/*' } })
      .then((answer) => answer.text())
      .then((got) => !over && setText(got))
      .catch((error: Error) => !over && setProblem(error));
    return () => void (over = true);
  }, [run.state, address]);
  if (run.state !== 'SUCCESS')
    return (
      <div class="stack">
        {run.error ? (
          <>
            <strong class="bad-word">{run.error.error_type ? `${run.error.error_type}: ` : ''}{run.error.error_message}</strong>
            {run.error.stack_trace && run.error.stack_trace.length > 0 && <pre class="code">{run.error.stack_trace.join('\n')}</pre>}
          </>
        ) : (
          <strong class="bad-word">{run.reason}</strong>
        )}
        {run.error && run.reason && !run.reason.includes(run.error.error_message ?? '') && <p class="quiet small">{run.reason}</p>}
      </div>
    );
  if (problem) return <Problem of={problem} />;
  const shown = text === null ? null : pretty(text);
  return (
    <div class="stack">
      <div class="row small quiet">
        <span class="grow">{t('functions.result', { size: bytes(run.result_bytes) })}</span>
        {text !== null && <Copy text={text} label={t('functions.copy_result')} />}
        <a href={address} download={`${run.function}-${run.id}`}>{t('functions.download')}</a>
      </div>
      {large ? <p class="quiet">{t('functions.result_large')}</p> : shown === null ? <Skeleton rows={2} /> : <pre class="code result" tabIndex={0}>{shown || t('functions.result_empty')}</pre>}
    </div>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** What the run prints, as it prints it. */
function Log({ id }: { id: string }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<Error | null>(null);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const ending = new AbortController();
    void read(id, ending.signal, setText).catch((error: Error) => !ending.signal.aborted && setProblem(error));
    return () => ending.abort();
  }, [id]);
  useEffect(() => {
    const it = box.current;
    if (it && it.scrollHeight - it.scrollTop - it.clientHeight < 120) it.scrollTop = it.scrollHeight;
  }, [text]);
  return (
    <Card title={t('functions.log')} flush actions={<Link class="small" to={`/invocations/${id}`}>{t('functions.whole_log')}</Link>}>
      {problem && <Problem of={problem} />}
      {text === '' ? <p class="quiet small nothing">{t('functions.log_empty')}</p> : (
        <pre ref={box} class="run-log" tabIndex={0} aria-label={t('functions.log')}>
          {linesOf(text).map((line, i) => (
            <span key={i} class={line.stream}>{`${line.text}\n`}</span>
          ))}
        </pre>
      )}
    </Card>
  );
}

// The server's own stream of this one log, to its end; a break is tried again from the byte that came last.
async function read(id: string, signal: AbortSignal, show: (text: string) => void): Promise<void> {
  let all = '';
  let offset = 0;
  for (let tries = 0; tries < 20 && !signal.aborted; tries++) {
    try {
      const answer = await request('GET', `/api/invocations/${id}/logs?follow=true`, { signal, headers: { Accept: 'text/plain', ...(offset > 0 && { Range: `bytes=${offset}-` }) } });
      const reader = answer.body!.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        offset += value.length;
        all = (all + decoder.decode(value, { stream: true })).slice(-LOG_CHARS_MAX);
        show(all);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiProblem && !error.unreachable) throw error;
      await new Promise((wait) => setTimeout(wait, 500));
    }
  }
}

const LINE = /^\S+Z \d+ (out|err|sys) ?(.*)$/;

const linesOf = (text: string) =>
  text.replace(/\n$/, '').split('\n').map((line) => {
    const found = LINE.exec(line);
    return { stream: found?.[1] ?? 'out', text: (found ? found[2]! : line).replace(ANSI, '') };
  });
