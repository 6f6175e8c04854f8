import { useState } from 'preact/hooks';
import { ApiProblem, may, send } from '../../lib/api';
import { duration, number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { useResource } from '../../lib/resource';
import { navigate } from '../../lib/router';
import type { Page as ListOf, InvocationView } from '../../lib/types';
import { Button, ButtonLink, Card, Elapsed, Empty, Figure, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Menu, Tabs, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { usePaletteActions } from '../../ui/palette';
import { DayBars, FunctionState, Share, stateOf } from './parts';
import { CanaryDialog, point } from './release';
import { CodeTab } from './code-tab';
import { ScheduleTab } from './schedule-tab';
import { SettingsTab } from './settings-tab';
import { TryTab } from './try-tab';
import { VersionsTab } from './versions-tab';
import { apiOf, pageOf, type FunctionView } from './types';
import './functions.css';

const TABS = ['overview', 'try', 'versions', 'code', 'schedule', 'settings'] as const;
type TabName = (typeof TABS)[number];

const COMMANDS: Record<TabName, (name: string) => string> = {
  overview: (name) => `dure fn show ${name}`,
  try: (name) => `dure fn invoke ${name} --data '{}'`,
  versions: (name) => `dure fn versions ${name}`,
  code: (name) => `dure fn pull ${name}`,
  schedule: (name) => `dure fn show ${name}`,
  settings: (name) => `dure fn show ${name} --format json`,
};

/** One function: how it does, trying it, its versions, code, schedule and settings. */
export default function FunctionPage({ name, tab = 'overview' }: { name: string; tab?: string }) {
  const shown = (TABS as readonly string[]).includes(tab) ? (tab as TabName) : 'overview';
  const its = useResource<FunctionView>(apiOf(name), { topics: ['functions', `function:${name}`], every: 15_000, onEvent: (event) => event.name !== 'functions' || !event.data.name || event.data.name === name });
  const f = its.data;
  const [canary, setCanary] = useState(false);
  const [tryCommand, setTryCommand] = useState('');
  const go = (to: string) => () => navigate(pageOf(name, to));
  useKeys(name, {
    ...Object.fromEntries(TABS.map((one, i) => [String(i + 1), { run: go(one), label: t(`functions.tab_${one}`) }])),
    ...(may('deploy') && { e: { run: go('edit'), label: t('functions.edit') } }),
  });
  usePaletteActions([
    ...TABS.map((one, i) => ({ name: `${name}: ${t(`functions.tab_${one}`)}`, group: name, icon: 'functions' as const, keys: String(i + 1), run: go(one) })),
    ...(may('deploy') ? [{ name: `${name}: ${t('functions.edit')}`, group: name, icon: 'edit' as const, keys: 'e', run: go('edit') }] : []),
  ]);
  const gone = its.problem?.status === 404;
  const canPoint = may('deploy') && !!f && f.versions > 1;
  const [, word] = f ? stateOf(f) : ['off', ''];
  return (
    <Page
      title={name}
      tab={f ? `${f.running > 0 ? '● ' : word === t('functions.state_failing') ? '✗ ' : ''}${name}` : name}
      crumbs={[[t('nav.functions'), '/functions']]}
      command={shown === 'try' && tryCommand ? tryCommand : COMMANDS[shown](name)}
      at={its.at}
      aside={
        f && (
          <>
            <FunctionState of={f} soft />
            {f.live_number !== undefined && <span class="tag">v{f.live_number}</span>}
            <span class="quiet small">{f.runtime}</span>
          </>
        )
      }
      actions={
        f && (
          <>
            {may('invoke') && shown !== 'try' && <ButtonLink to={pageOf(name, 'try')} icon="play">{t('functions.try_it')}</ButtonLink>}
            {may('deploy') && <ButtonLink to={pageOf(name, 'edit')} icon="edit" kind="primary">{t('functions.edit')}</ButtonLink>}
            {canPoint && (
              <Menu
                label={t('functions.more_of', { name })}
                items={[
                  { name: t('functions.canary_set'), icon: 'filter', run: () => setCanary(true) },
                  { name: t('functions.rollback'), icon: 'retry', run: () => void rollback(f).then(its.reload) },
                  { name: t('functions.compare_previous'), icon: 'copy', to: pageOf(name, 'versions') + '?from=previous' },
                ]}
              />
            )}
          </>
        )
      }
      tabs={f && <Tabs label={name} current={shown} tabs={TABS.map((one) => ({ id: one, title: t(`functions.tab_${one}`), to: pageOf(name, one), count: one === 'versions' ? f.versions : undefined }))} />}
    >
      {gone && <Empty title={t('functions.gone', { name })} icon="functions" command={`dure fn deploy examples/hello-python --name ${name}`} actions={<ButtonLink to="/functions">{t('functions.to_list')}</ButtonLink>} />}
      {its.problem && !gone && <Problem of={its.problem} retry={() => void its.reload()} />}
      {its.loading && <Skeleton rows={9} />}
      {f && !gone && (
        <>
          {f.canary && <CanaryBar of={f} onChange={() => setCanary(true)} changed={its.reload} />}
          {shown === 'overview' && <Overview of={f} />}
          {shown === 'try' && <TryTab of={f} onCommand={setTryCommand} onEnd={() => void its.reload()} />}
          {shown === 'versions' && <VersionsTab of={f} changed={its.reload} />}
          {shown === 'code' && <CodeTab of={f} />}
          {shown === 'schedule' && <ScheduleTab of={f} />}
          {shown === 'settings' && <SettingsTab of={f} />}
          <CanaryDialog of={f} open={canary} onClose={() => setCanary(false)} changed={its.reload} />
        </>
      )}
    </Page>
  );
}

async function rollback(f: FunctionView): Promise<void> {
  try {
    const now = await send<FunctionView>('POST', apiOf(f.name, '/rollback'), {}, { headers: { 'If-Match': `"${f.tag}"` } });
    toast(t('functions.rolled_back', { n: now.live_number ?? 0 }));
  } catch (problem) {
    toast(problem instanceof ApiProblem ? problem.detail || problem.title : String(problem), 'bad');
  }
}

/** A canary's part of the calls, and what can be done with it. */
function CanaryBar({ of: f, onChange, changed }: { of: FunctionView; onChange: () => void; changed: () => Promise<void> }) {
  const share = f.canary!.percent;
  const versions = useResource<ListOf<{ number: number; version: string }>>(apiOf(f.name, '/versions')).data?.items;
  const its = versions?.find((one) => one.version === f.canary!.version)?.number;
  return (
    <div class="canary-bar" role="group" aria-label={t('functions.canary')}>
      <div class="shares" aria-hidden="true">
        <i style={{ width: `${100 - share}%` }} />
        <i class="canary" style={{ width: `${share}%` }} />
      </div>
      <div class="row wrap">
        <span class="grow">{t('functions.canary_words', { live: f.live_number ?? 0, canary: its ?? f.canary!.version.slice(0, 12), rest: 100 - share, share })}</span>
        {may('deploy') && (
          <>
            <Button small onClick={() => void point(f, f.canary!.version, null).then(changed)}>{t('functions.promote')}</Button>
            <Button small onClick={onChange}>{t('functions.change_share')}</Button>
            <Button small kind="danger" onClick={() => void point(f, f.live!, null).then(changed)}>{t('functions.end_canary')}</Button>
          </>
        )}
      </div>
    </div>
  );
}

const recentColumns = (): Column<InvocationView>[] => [
  { key: 'state', title: t('functions.state'), width: '104px', render: (i) => <State of={i.state} /> },
  { key: 'id', title: t('functions.invocation'), width: '128px', hide: 520, render: (i) => <code>{i.id}</code> },
  { key: 'at', title: t('functions.when'), width: '90px', render: (i) => <span class="quiet"><Time at={i.created_at} /></span> },
  { key: 'took', title: t('functions.took'), width: '84px', align: 'right', render: (i) => (i.duration_ms !== undefined && i.duration_ms !== null ? <span>{duration(i.duration_ms)}</span> : i.started_at ? <Elapsed from={i.started_at} /> : <span class="faint">–</span>) },
  { key: 'who', title: t('functions.who'), width: '110px', hide: 640, render: (i) => <span class="quiet">{i.trigger === 'schedule' ? t('functions.by_schedule') : i.owner}</span> },
  { key: 'why', title: t('functions.reason'), width: 'minmax(80px, 1fr)', hide: 400, render: (i) => <span class="quiet" title={i.reason ?? i.error?.error_message ?? ''}>{i.error?.error_message ?? i.reason ?? ''}</span> },
];

function Overview({ of: f }: { of: FunctionView }) {
  const recent = useResource<ListOf<InvocationView>>(`/api/invocations?function=${encodeURIComponent(f.name)}&limit=15`, { topics: [`function:${f.name}`], every: 10_000 });
  const items = recent.data?.items;
  const day = f.activity;
  const partly = day && Date.parse(day.since) > Date.now() - 23.5 * 3_600_000;
  return (
    <>
      <div class="figures">
        <Figure name={t('functions.day')} value={<Share of={day} />} more={day ? t('functions.day_words', { good: day.succeeded, bad: day.failed + day.unknown }) : t('functions.day_none')} to={`/invocations?function=${f.name}`} />
        <Figure name={t('functions.p50_long')} value={duration(day?.p50_ms)} more={partly ? t('functions.counted_since') : undefined} />
        <Figure name={t('functions.running')} value={number(f.running)} tone={f.running > 0 ? 'run' : undefined} />
        <Figure name={t('functions.waiting')} value={number(f.waiting)} tone={f.waiting > 0 ? 'wait' : undefined} />
        <Figure name={t('functions.next')} value={f.schedule?.next_at ? <Time at={f.schedule.next_at} /> : '–'} more={f.schedule?.cron ?? t('functions.no_schedule')} to={pageOf(f.name, 'schedule')} />
      </div>
      {day && (
        <Card title={t('functions.day_title')}>
          <DayBars of={day} height={64} width={960} />
          <div class="row small faint"><span class="grow">{t('functions.day_ago')}</span>{t('functions.now')}</div>
        </Card>
      )}
      <Card title={t('functions.recent')} flush actions={<ButtonLink small kind="quiet" to={`/invocations?function=${f.name}`}>{t('functions.all_of_them')}</ButtonLink>}>
        {recent.problem && <Problem of={recent.problem} retry={() => void recent.reload()} />}
        {recent.loading && <Skeleton rows={5} />}
        {items?.length === 0 && <Empty title={t('functions.not_run')} icon="play" command={`dure fn invoke ${f.name} --data '{}'`} actions={may('invoke') && <ButtonLink to={pageOf(f.name, 'try')} icon="play">{t('functions.try_it')}</ButtonLink>} />}
        {items && items.length > 0 && <Table<InvocationView> label={t('functions.recent')} columns={recentColumns()} items={items} keyOf={(i) => i.id} hrefOf={(i) => `/invocations/${i.id}`} onOpen={(i) => navigate(`/invocations/${i.id}`)} />}
      </Card>
    </>
  );
}
