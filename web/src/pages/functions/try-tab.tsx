import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiProblem, may, request, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { useResource } from '../../lib/resource';
import { useQuery } from '../../lib/router';
import type { Page as ListOf } from '../../lib/types';
import { Button, Card, Empty, Problem, Time } from '../../ui/basics';
import { Choice, Dialog, Field, Menu, toast } from '../../ui/forms';
import { jsonFault } from './json';
import { RunView } from './run-view';
import { apiOf, type FunctionView, type TestEventView } from './types';

const keyOf = (name: string) => `dure.event.${name}`;
const kept = (name: string): string => {
  try {
    return localStorage.getItem(keyOf(name)) ?? '{}';
  } catch {
    return '{}';
  }
};

/** Tries a function: an event, what came of it, and what it printed meanwhile. */
export function TryTab({ of: f, onCommand, onEnd }: { of: FunctionView; onCommand: (command: string) => void; onEnd: () => void }) {
  const [text, setText] = useState(() => kept(f.name));
  const [run, setRun] = useQuery('run');
  const [aim, setAim] = useQuery('aim', 'live');
  const [how, setHow] = useQuery('how', 'whole');
  const [busy, setBusy] = useState(false);
  const [pieces, setPieces] = useState<string | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const fault = useMemo(() => jsonFault(text), [text]);
  const command = `dure fn invoke ${f.name} --data ${quoted(text)}${how === 'stream' ? ' --stream' : ''}`;
  useEffect(() => onCommand(command), [command]);
  useEffect(() => {
    try {
      localStorage.setItem(keyOf(f.name), text);
    } catch {
      // A browser that keeps nothing begins with an empty event again.
    }
  }, [text, f.name]);

  const invoke = async () => {
    if (busy || fault || !may('invoke')) return;
    setBusy(true);
    setProblem(null);
    setPieces(null);
    try {
      const version = aim === 'canary' && f.canary ? `?version=${f.canary.version}` : '';
      const streams = how === 'stream';
      const answer = await request('POST', apiOf(f.name, '/invocations') + version, { body: text, headers: { 'Content-Type': 'application/json', Accept: '*/*', Prefer: streams ? 'stream' : 'respond-async' } });
      setRun(answer.headers.get('Dure-Invocation') ?? '');
      if (streams) await follow(answer, setPieces);
    } catch (error) {
      const id = error instanceof ApiProblem ? error.more.invocation : undefined;
      // What the function itself did wrong is shown with its run.
      if (typeof id === 'string') setRun(id);
      else setProblem(error as Error);
    } finally {
      setBusy(false);
    }
  };
  useKeys(t('functions.tab_try'), { 'Ctrl+Enter': { run: () => void invoke(), label: t('functions.run'), inFields: true } });
  if (!f.live) return <Empty title={t('functions.state_none')} icon="play" command={`dure fn deploy examples/hello-python --name ${f.name}`} />;
  return (
    <div class="try">
      <Card title={t('functions.event')} class="event" actions={<SavedEvents of={f} text={text} fault={!!fault} onTake={setText} />}>
        <textarea
          ref={area}
          class="event-text"
          aria-label={t('functions.event')}
          aria-invalid={!!fault}
          aria-describedby="event-fault"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p id="event-fault" class={`small ${fault ? 'bad-word' : 'quiet'}`} role={fault ? 'alert' : undefined}>
          {fault ? (fault.line ? t('functions.json_fault', { line: fault.line, column: fault.column, why: fault.why }) : fault.why) : t('functions.json_fine')}
        </p>
        <div class="row wrap">
          <Button kind="primary" icon="play" keys="Ctrl+Enter" busy={busy} disabled={!!fault || !may('invoke')} onClick={() => void invoke()}>
            {t('functions.run')}
          </Button>
          <Button kind="quiet" disabled={!!fault} onClick={() => setText(JSON.stringify(JSON.parse(text), null, 2))}>
            {t('functions.format')}
          </Button>
          <span class="grow" />
          <Choice<'whole' | 'stream'> label={t('functions.how')} value={how as 'whole' | 'stream'} onChange={setHow} options={[['whole', t('functions.how_whole')], ['stream', t('functions.how_stream')]]} />
          {f.canary && <Choice<'live' | 'canary'> label={t('functions.aim')} value={aim as 'live' | 'canary'} onChange={setAim} options={[['live', t('functions.aim_live')], ['canary', t('functions.canary')]]} />}
        </div>
        {!may('invoke') && <p class="quiet small">{t('functions.may_not_invoke')}</p>}
      </Card>
      <div class="outcome">
        {problem && <Problem of={problem} />}
        {run ? <RunView key={run} id={run} pieces={pieces} again={() => void invoke()} onEnd={onEnd} /> : !problem && <Card><Empty title={t('functions.not_tried')} icon="play">{t('functions.not_tried_text')}</Empty></Card>}
      </div>
    </div>
  );
}

/** Reads a result as it comes. */
async function follow(answer: Response, show: (text: string) => void): Promise<void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let all = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    all += value;
    show(all);
  }
}

const quoted = (text: string): string => {
  let small = text.trim();
  try {
    small = JSON.stringify(JSON.parse(text));
  } catch {
    // Shown as it is typed.
  }
  return `'${(small.length > 300 ? '{}' : small).replaceAll("'", "'\\''")}'`;
};

/** Events that were kept for the function, for everybody who works on it. */
function SavedEvents({ of: f, text, fault, onTake }: { of: FunctionView; text: string; fault: boolean; onTake: (text: string) => void }) {
  const path = apiOf(f.name, '/test-events');
  const saved = useResource<ListOf<TestEventView>>(path, { topics: ['functions'] });
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const [current, setCurrent] = useState('');
  const items = saved.data?.items ?? [];
  const take = async (one: string) => {
    try {
      const answer = await request('GET', `${path}/${encodeURIComponent(one)}`);
      onTake(await answer.text());
      setCurrent(one);
    } catch (problem) {
      toast((problem as Error).message, 'bad');
    }
  };
  const save = async (as: string) => {
    try {
      await send('PUT', `${path}/${encodeURIComponent(as)}`, undefined, { body: text, headers: { 'Content-Type': 'application/json' } });
      setCurrent(as);
      setNaming(false);
      toast(t('functions.event_saved', { name: as }));
      await saved.reload();
    } catch (problem) {
      const told = problem as ApiProblem;
      toast(told.faults?.[0]?.what ?? told.detail ?? told.message, 'bad');
    }
  };
  const remove = async (one: string) => {
    const before = await request('GET', `${path}/${encodeURIComponent(one)}`).then((answer) => answer.text());
    await send('DELETE', `${path}/${encodeURIComponent(one)}`);
    setCurrent('');
    toast(t('functions.event_removed', { name: one }), 'ok', { name: t('functions.undo'), run: () => void send('PUT', `${path}/${encodeURIComponent(one)}`, undefined, { body: before }).then(saved.reload) });
    await saved.reload();
  };
  return (
    <>
      {items.length > 0 && (
        <select class="saved-events" aria-label={t('functions.saved_events')} value={current} onChange={(event) => event.currentTarget.value && void take(event.currentTarget.value)}>
          <option value="">{t('functions.saved_events')}</option>
          {items.map((one) => (
            <option key={one.name} value={one.name}>{one.name}</option>
          ))}
        </select>
      )}
      {may('invoke') && (
        <Menu
          label={t('functions.event_menu')}
          items={[
            !!current && { name: t('functions.event_save', { name: current }), icon: 'check', disabled: fault, run: () => void save(current) },
            { name: t('functions.event_save_as'), icon: 'plus', disabled: fault, run: () => setNaming(true) },
            !!current && { name: t('functions.event_delete', { name: current }), icon: 'trash', danger: true, run: () => void remove(current) },
          ]}
        />
      )}
      <Dialog
        title={t('functions.event_save_as')}
        open={naming}
        onClose={() => setNaming(false)}
        actions={
          <>
            <Button onClick={() => setNaming(false)}>{t('ui.cancel')}</Button>
            <Button kind="primary" disabled={!name.trim()} onClick={() => void save(name.trim())}>{t('ui.save')}</Button>
          </>
        }
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) void save(name.trim());
          }}
        >
          <Field label={t('functions.event_name')} hint={t('functions.event_shared')} value={name} autoFocus onInput={(event) => setName((event.currentTarget as HTMLInputElement).value)} />
        </form>
        {items.find((one) => one.name === name.trim()) && <p class="small quiet">{t('functions.event_replaces')} <Time at={items.find((one) => one.name === name.trim())!.updated_at} /></p>}
      </Dialog>
    </>
  );
}

