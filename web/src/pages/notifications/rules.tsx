import { useState } from 'preact/hooks';
import { ApiProblem, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link } from '../../lib/router';
import type { FunctionView, Page } from '../../lib/types';
import { Button, Card, Empty, Problem, Skeleton, Time } from '../../ui/basics';
import { Dialog, Field, toast } from '../../ui/forms';
import { Table, type Column } from '../../ui/table';
import type { Channel, Channels, EventName, Rule, Watch } from './types';
import { channelWord } from './words';

const OF_FUNCTIONS: EventName[] = ['failed', 'finished', 'recovered', 'schedule_missed'];

/** What one is told, and how. */
export function Rules() {
  const rules = useResource<Page<Rule>>('/api/notifications/rules');
  const watches = useResource<Page<Watch>>('/api/notifications/watches', { topics: ['notifications'], every: 15_000 });
  const channels = useResource<Channels>('/api/notifications/channels');
  const [making, setMaking] = useState(false);
  const remove = async (path: string, reload: () => Promise<void>) => {
    await send('DELETE', path).catch((error: Error) => toast(error.message, 'bad'));
    await reload();
  };
  const ruleColumns: Column<Rule>[] = [
    { key: 'event', title: t('notifications.when'), width: 'minmax(78px, 1fr)', render: (one) => t(`notifications.event_${one.event}`) },
    { key: 'function', title: t('notifications.of'), width: 'minmax(70px, 1fr)', render: (one) => (one.function ? <Link to={`/functions/${encodeURIComponent(one.function)}`}>{one.function}</Link> : <span class="faint">{OF_FUNCTIONS.includes(one.event) ? t('notifications.every_function') : '–'}</span>) },
    { key: 'how', title: t('notifications.how'), width: 'minmax(70px, 2fr)', render: (one) => one.channels.map(channelWord).join(', ') },
    { key: 'since', title: t('notifications.since'), width: '96px', hide: 620, render: (one) => <Time at={one.created_at} /> },
    { key: 'x', title: '', width: '32px', render: (one) => <Button kind="quiet" small icon="trash" label={t('notifications.remove_rule', { what: `${t(`notifications.event_${one.event}`)} ${one.function ?? ''}` })} onClick={() => void remove(`/api/notifications/rules/${one.id}`, rules.reload)} /> },
  ];
  const watchColumns: Column<Watch>[] = [
    { key: 'id', title: t('notifications.invocation'), width: 'minmax(120px, 1fr)', render: (one) => <Link to={`/invocations/${one.invocation}`}><code>{one.invocation}</code></Link> },
    { key: 'how', title: t('notifications.how'), width: 'minmax(70px, 2fr)', render: (one) => one.channels.map(channelWord).join(', ') },
    { key: 'since', title: t('notifications.since'), width: '96px', hide: 520, render: (one) => <Time at={one.created_at} /> },
    { key: 'x', title: '', width: '32px', render: (one) => <Button kind="quiet" small icon="trash" label={t('notifications.remove_watch', { id: one.invocation })} onClick={() => void remove(`/api/notifications/watches/${one.id}`, watches.reload)} /> },
  ];
  return (
    <div class="stack">
      <Card title={t('notifications.rules')} flush actions={<Button small kind="primary" icon="plus" onClick={() => setMaking(true)}>{t('notifications.add')}</Button>}>
        <Problem of={rules.problem} retry={rules.reload} />
        {rules.loading && <Skeleton rows={3} />}
        {rules.data && rules.data.items.length > 0 && <Table label={t('notifications.rules')} columns={ruleColumns} items={rules.data.items} keyOf={(one) => one.id} />}
        {rules.data?.items.length === 0 && <Empty title={t('notifications.no_rules')} icon="notifications" command="dure notify add failed">{t('notifications.no_rules_text')}</Empty>}
      </Card>
      {watches.data && watches.data.items.length > 0 && (
        <Card title={t('notifications.watches')} flush>
          <Table label={t('notifications.watches')} columns={watchColumns} items={watches.data.items} keyOf={(one) => one.id} />
        </Card>
      )}
      {making && channels.data && <AddRule channels={channels.data} onClose={() => setMaking(false)} onMade={() => { setMaking(false); void rules.reload(); }} />}
    </div>
  );
}

const KINDS: Channel['kind'][] = ['portal', 'email', 'webhook', 'slack'];

function AddRule({ channels, onClose, onMade }: { channels: Channels; onClose: () => void; onMade: () => void }) {
  const functions = useResource<Page<FunctionView>>('/api/functions?limit=1000').data?.items ?? [];
  const [event, setEvent] = useState<EventName>('failed');
  const [name, setName] = useState('');
  const [on, setOn] = useState<Channel['kind'][]>(['portal']);
  const [targets, setTargets] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState('');
  const ofFunction = OF_FUNCTIONS.includes(event);
  const channelOf = (kind: Channel['kind']): Channel => (kind === 'portal' ? { kind } : { kind, target: targets[kind]?.trim() ?? '' });
  const attempt = async (what: string, act: () => Promise<void>) => {
    setBusy(what);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy('');
    }
  };
  const make = () => attempt('make', async () => {
    await send('POST', '/api/notifications/rules', { event, function: ofFunction && name ? name : null, channels: on.map(channelOf) });
    toast(t('notifications.added'));
    onMade();
  });
  const test = (kind: Channel['kind']) => attempt(kind, async () => {
    await send('POST', '/api/notifications/test', channelOf(kind));
    toast(t('notifications.test_taken'));
  });
  return (
    <Dialog title={t('notifications.add')} open onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.cancel')}</Button><Button kind="primary" busy={busy === 'make'} disabled={on.length === 0 || (event === 'finished' && !name)} onClick={() => void make()}>{t('notifications.add')}</Button></>}>
      <Field label={t('notifications.when')} hint={event === 'failed' && channels.gather_s > 0 ? t('notifications.gathers', { n: channels.gather_s }) : undefined}>
        {(id) => <select id={id} value={event} onChange={(e) => setEvent(e.currentTarget.value as EventName)}>{channels.events.map((one) => <option key={one} value={one}>{t(`notifications.event_${one}`)}</option>)}</select>}
      </Field>
      {ofFunction && (
        <Field label={t('notifications.of')}>
          {(id) => (
            <select id={id} value={name} onChange={(e) => setName(e.currentTarget.value)}>
              <option value="">{event === 'finished' ? t('notifications.choose_function') : t('notifications.every_function')}</option>
              {functions.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
            </select>
          )}
        </Field>
      )}
      <fieldset class="channels">
        <legend>{t('notifications.how')}</legend>
        {KINDS.map((kind) => {
          const off = kind === 'email' && !channels.email;
          return (
            <div key={kind} class="channel">
              <label class="row"><input type="checkbox" disabled={off} checked={on.includes(kind)} onChange={(e) => setOn(e.currentTarget.checked ? [...on, kind] : on.filter((other) => other !== kind))} /> {t(`notifications.by_${kind}`)}</label>
              {off && <span class="faint small">{t('notifications.email_off')}</span>}
              {kind !== 'portal' && on.includes(kind) && (
                <span class="row grow">
                  <input class="grow" {...({ type: kind === 'email' ? 'email' : 'url' } as object)} aria-label={t('notifications.target', { kind: t(`notifications.by_${kind}`) })} placeholder={kind === 'email' ? 'ada@example.org' : kind === 'slack' ? 'https://hooks.slack.com/services/…' : 'https://example.org/hook'} value={targets[kind] ?? ''} onInput={(e) => setTargets({ ...targets, [kind]: e.currentTarget.value })} />
                  <Button busy={busy === kind} disabled={!targets[kind]} onClick={() => void test(kind)}>{t('notifications.send_test')}</Button>
                </span>
              )}
            </div>
          );
        })}
      </fieldset>
      <Problem of={problem} />
    </Dialog>
  );
}
