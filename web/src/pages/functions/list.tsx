import { useMemo } from 'preact/hooks';
import { may } from '../../lib/api';
import { duration, number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link, navigate, useQuery } from '../../lib/router';
import { useKeys } from '../../lib/keys';
import type { Page as ListOf } from '../../lib/types';
import { ButtonLink, Card, Empty, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Choice, Search } from '../../ui/forms';
import { Page } from '../../ui/page';
import { VirtualTable, type Column } from '../../ui/table';
import { usePaletteActions } from '../../ui/palette';
import { Aims, DayBars, FunctionState, Share, stateOf } from './parts';
import { pageOf, type FunctionView } from './types';
import './functions.css';

const SHOWN = ['all', 'failing', 'busy', 'scheduled'] as const;
type Shown = (typeof SHOWN)[number];

const FITS: Record<Shown, (f: FunctionView) => boolean> = {
  all: () => true,
  failing: (f) => ['FAILED', 'UNKNOWN'].includes(f.last_run?.state ?? '') || (f.activity?.failed ?? 0) > 0,
  busy: (f) => f.running + f.waiting > 0,
  scheduled: (f) => !!f.schedule,
};

const columns = (): Column<FunctionView>[] => [
  {
    key: 'name',
    title: t('functions.name'),
    width: 'minmax(150px, 2fr)',
    render: (f) => (
      <Link class="name-link" to={pageOf(f.name)}>
        {f.name}
      </Link>
    ),
  },
  { key: 'state', title: t('functions.state'), width: '96px', render: (f) => <FunctionState of={f} /> },
  { key: 'runtime', title: t('functions.runtime'), width: '82px', hide: 720, render: (f) => <span class="quiet">{f.runtime ?? '–'}</span> },
  { key: 'live', title: t('functions.live'), width: '150px', hide: 860, render: (f) => <Aims of={f} /> },
  {
    key: 'day',
    title: t('functions.day'),
    width: '170px',
    hide: 600,
    render: (f) => (
      <span class="row day">
        <span class="share">
          <Share of={f.activity} />
        </span>
        {f.activity && <DayBars of={f.activity} />}
      </span>
    ),
  },
  { key: 'p50', title: t('functions.p50'), width: '72px', align: 'right', hide: 780, render: (f) => <span class="quiet">{duration(f.activity?.p50_ms)}</span> },
  {
    key: 'busy',
    title: t('functions.busy'),
    width: '112px',
    align: 'right',
    hide: 960,
    render: (f) => (f.running + f.waiting === 0 ? <span class="faint">–</span> : <span>{`${number(f.running)} / ${number(f.waiting)}`}</span>),
  },
  {
    key: 'last',
    title: t('functions.last_run'),
    width: '150px',
    hide: 420,
    render: (f) =>
      f.last_run ? (
        <Link class="row last-run" to={`/invocations/${f.last_run.id}`}>
          <State of={f.last_run.state} /> <span class="faint small"><Time at={f.last_run.created_at} /></span>
        </Link>
      ) : (
        <span class="faint">{t('functions.never')}</span>
      ),
  },
  { key: 'next', title: t('functions.next'), width: '96px', hide: 1060, render: (f) => (f.schedule ? <span class="quiet"><Time at={f.schedule.next_at} /></span> : <span class="faint">–</span>) },
];

/** Every function, and how it does. */
export default function FunctionsPage() {
  const [text, setText] = useQuery('q');
  const [shown, setShown] = useQuery('show', 'all');
  const list = useResource<ListOf<FunctionView>>('/api/functions', { topics: ['functions', 'overview'], every: 15_000 });
  const items = list.data?.items;
  const fitting = useMemo(() => (items ?? []).filter((f) => f.name.includes(text.trim().toLowerCase()) && (FITS[shown as Shown] ?? FITS.all)(f)), [items, text, shown]);
  const failing = (items ?? []).filter((f) => stateOf(f)[0] === 'bad').length;
  useKeys(t('nav.functions'), may('deploy') ? { c: { run: () => navigate('/functions/new'), label: t('functions.new') } } : {});
  usePaletteActions(may('deploy') ? [{ name: t('functions.new'), group: t('palette.actions'), icon: 'plus', keys: 'c', run: () => navigate('/functions/new') }] : []);
  const empty = items?.length === 0;
  return (
    <Page
      title={t('nav.functions')}
      tab={failing > 0 ? t('functions.tab_failing', { n: failing }) : undefined}
      command="dure fn list"
      at={list.at}
      fill={!empty}
      actions={may('deploy') && <ButtonLink kind="primary" icon="plus" to="/functions/new">{t('functions.new')}</ButtonLink>}
    >
      {list.problem && <Problem of={list.problem} retry={() => void list.reload()} />}
      {list.loading && <Skeleton rows={8} />}
      {empty && (
        <Card>
          <Empty
            title={t('functions.empty')}
            icon="functions"
            command="dure fn deploy examples/hello-python"
            actions={may('deploy') && <ButtonLink kind="primary" icon="edit" to="/functions/new">{t('functions.write_here')}</ButtonLink>}
          >
            {t('functions.empty_text')}
          </Empty>
        </Card>
      )}
      {items && !empty && (
        <>
          <div class="row wrap filters">
            <Search value={text} onChange={setText} placeholder={t('functions.filter')} />
            <Choice<Shown> label={t('functions.show')} value={shown as Shown} onChange={setShown} options={SHOWN.map((one) => [one, t(`functions.show_${one}`)] as const)} />
            <span class="grow" />
            <span class="faint small">{t('functions.count', { n: fitting.length })}</span>
          </div>
          <Card flush class="fill">
            {fitting.length === 0 ? (
              <Empty title={t('functions.none_fits')} icon="filter" />
            ) : (
              <VirtualTable<FunctionView> label={t('nav.functions')} columns={columns()} total={fitting.length} row={(i) => fitting[i]} keyOf={(f) => f.name} hrefOf={(f) => pageOf(f.name)} onOpen={(f) => navigate(pageOf(f.name))} />
            )}
          </Card>
        </>
      )}
    </Page>
  );
}
