import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { may } from '../../lib/api';
import { number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { Link, navigate, setQuery, usePlace } from '../../lib/router';
import { Button, Elapsed, Empty, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Page } from '../../ui/page';
import { VirtualTable, type Column } from '../../ui/table';
import { duration } from '../../lib/format';
import { Bulk } from './bulk';
import { commandOf, isNarrowed, readFilter } from './filter';
import { Filters, Presets } from './filters';
import { useFeed } from './feed';
import { hrefOf, isOver, type Run } from './types';
import './invocations.css';

/** What ran, runs and waits: as many rows as there are. */
export default function Invocations() {
  const { query } = usePlace();
  const filter = useMemo(() => readFilter(query), [query.toString()]);
  const { feed, shown, onRange, onTop } = useFeed(filter);
  const [chosen, setChosen] = useState<ReadonlyMap<string, Run>>(new Map());
  useEffect(() => setChosen(new Map()), [feed]);
  const toggle = useCallback(
    (run: Run) =>
      setChosen((before) => {
        const next = new Map(before);
        if (!next.delete(run.id)) next.set(run.id, run);
        return next;
      }),
    [],
  );
  const chosenIds = useMemo(() => new Set(chosen.keys()), [chosen]);
  const table = useRef<HTMLDivElement>(null);
  const showNew = () => {
    table.current?.querySelector('.table')?.scrollTo({ top: 0 });
    void feed.first();
  };
  useKeys(t('invocations.list'), {
    r: { run: showNew, label: t('invocations.show_new') },
    Escape: { run: () => setChosen(new Map()), label: t('invocations.choose_none') },
  });
  const columns = useColumns(chosenIds, toggle);
  const failed = feed.facets?.states.find((s) => s.value === 'FAILED')?.count ?? 0;
  const running = feed.facets?.states.find((s) => s.value === 'PROCESSING')?.count ?? 0;
  const tab = running > 0 ? t('invocations.tab_running', { n: running }) : filter.states.includes('FAILED') && failed > 0 ? t('invocations.tab_failed', { n: failed }) : undefined;
  return (
    <Page title={t('nav.invocations')} tab={tab} fill command={commandOf(filter)} at={shown.at} aside={<Total total={shown.total} known={shown.known && shown.counted} exact={feed.exact} />}>
      <Filters filter={filter} facets={feed.facets} />
      <Presets filter={filter} />
      <Problem of={feed.problem} retry={() => void feed.first()} />
      <section class="card flush fill invocations" ref={table}>
        <div class="body">
          {chosen.size > 0 && may('invoke') && <Bulk runs={[...chosen.values()]} onDone={() => setChosen(new Map())} />}
          {shown.fresh.size > 0 && !shown.atTop && (
            <button type="button" class="fresh" onClick={showNew}>
              {t('invocations.new', { n: shown.fresh.size })}
            </button>
          )}
          {!shown.known ? (
            !feed.problem && <Skeleton rows={14} />
          ) : shown.total === 0 ? (
            <Nothing narrowed={isNarrowed(filter)} />
          ) : (
            <VirtualTable
              key={shown.query}
              label={t('invocations.list')}
              columns={columns}
              total={shown.total}
              row={(index) => shown.row(index)}
              keyOf={(run) => run.id}
              onRange={onRange}
              onTop={onTop}
              onOpen={(run) => navigate(hrefOf(run.id))}
              hrefOf={(run) => hrefOf(run.id)}
              selected={chosenIds}
              onSelect={toggle}
            />
          )}
        </div>
      </section>
    </Page>
  );
}

const Total = ({ total, known, exact }: { total: number; known: boolean; exact: boolean }) =>
  known ? (
    <span class="quiet total" role="status">
      {exact ? number(total) : t('invocations.at_least', { n: number(total) })}
    </span>
  ) : null;

function Nothing({ narrowed }: { narrowed: boolean }) {
  return narrowed ? (
    <Empty title={t('invocations.none_match')} icon="filter" actions={<Button onClick={() => setQuery({ state: null, function: null, version: null, owner: null, trigger: null, range: null, text: null }, true)}>{t('invocations.clear')}</Button>}>
      {t('invocations.none_match_text')}
    </Empty>
  ) : (
    <Empty title={t('invocations.none')} icon="invocations" command={['dure fn deploy examples/hello-python', `dure fn invoke hello-python --data '{"name":"Ada"}'`]}>
      {t('invocations.none_text')}
    </Empty>
  );
}

function useColumns(chosen: ReadonlySet<string>, toggle: (run: Run) => void): Column<Run>[] {
  return useMemo(
    () => [
      {
        key: 'pick',
        title: '',
        width: '18px',
        hide: 560,
        render: (run) => <input type="checkbox" checked={chosen.has(run.id)} aria-label={t('invocations.choose', { id: run.id })} onChange={() => toggle(run)} />,
      },
      { key: 'state', title: t('invocations.state'), width: '96px', render: (run) => <State of={run.state} /> },
      { key: 'function', title: t('invocations.function'), width: 'minmax(90px, 1.1fr)', render: (run) => (
          <>
            <span class="fn">{run.function}</span>
            {run.reason && <span class="under">{run.reason}</span>}
          </>
        ) },
      {
        key: 'id',
        title: t('invocations.id'),
        width: '112px',
        hide: 620,
        render: (run) => (
          <Link to={hrefOf(run.id)} class="mono id">
            {run.id}
          </Link>
        ),
      },
      { key: 'trigger', title: t('invocations.trigger'), width: '76px', hide: 980, render: (run) => <span class="quiet">{t(`invocations.trigger_${run.trigger}` as never)}</span> },
      { key: 'who', title: t('invocations.who'), width: 'minmax(60px, 0.5fr)', hide: 860, render: (run) => <span class="quiet">{run.owner}</span> },
      { key: 'age', title: t('invocations.age'), width: '84px', render: (run) => <Time at={run.created_at} /> },
      {
        key: 'duration',
        title: t('invocations.duration'),
        width: '76px',
        align: 'right',
        hide: 440,
        render: (run) => (run.duration_ms !== null && run.duration_ms !== undefined ? duration(run.duration_ms) : isOver(run) || !run.started_at ? <span class="faint">–</span> : <Elapsed from={run.started_at} />),
      },
      { key: 'attempts', title: t('invocations.attempts'), width: '64px', align: 'right', hide: 900, render: (run) => (run.attempt > 1 ? run.attempt : <span class="faint">{run.attempt}</span>) },
      { key: 'reason', title: t('invocations.reason'), width: 'minmax(120px, 2fr)', hide: 720, render: (run) => <span class="quiet" title={run.reason ?? undefined}>{run.reason ?? ''}</span> },
    ],
    [chosen, toggle],
  );
}
