import { number } from '../../lib/format';
import { t, useLanguage } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import type { OverviewView } from '../../lib/types';
import { ButtonLink, Card, Empty, Figure, Problem, Skeleton, State } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { Page } from '../../ui/page';
import { Activity } from './activity';
import { Broken, Coming, Keeping, Machines } from './cards';
import { RangeChoice, Trends, useRange } from './trends';
import './overview.css';

const COMMANDS = ['dure fn deploy hello.py', `dure fn invoke hello --data '{"name": "Ada"}' --follow`, 'dure status'];

/** Everything on one screen: what runs, what waits, what broke, and whether anything could be lost. */
export default function Overview() {
  useLanguage();
  const [range, setRange] = useRange();
  const overview = useResource<OverviewView>('/api/overview', { topics: ['overview', 'workers', 'functions', 'storage'], every: 10_000 });
  const data = overview.data;
  const running = data?.functions.running ?? 0;
  const failed = (data?.functions.last_day.failed ?? 0) + (data?.functions.last_day.unknown ?? 0);
  return (
    <Page
      title={t('nav.overview')}
      tab={data && running > 0 ? t('overview.tab_running', { n: running }) : undefined}
      aside={data && <State of={data.status} soft />}
      actions={<RangeChoice value={range} onChange={setRange} />}
      command="dure status --watch"
      at={overview.at}
    >
      {overview.problem && <Problem of={overview.problem} retry={() => void overview.reload()} />}
      {!data && overview.loading && <Skeleton rows={12} />}
      {data && <Warnings checks={data.checks} />}
      {data && data.functions.functions === 0 && isNew(data) ? (
        <First />
      ) : (
        data && (
          <>
            <div class="figures">
              <Figure name={t('overview.running')} value={number(running)} tone={running > 0 ? 'run' : undefined} to="/invocations?state=PROCESSING" />
              <Figure name={t('overview.waiting')} value={number(data.functions.waiting)} tone={data.functions.waiting > 0 ? 'wait' : undefined} to="/invocations?state=PENDING" />
              <Figure name={t('overview.succeeded')} value={number(data.functions.last_day.success, true)} more={t('overview.last_day')} to="/invocations?state=SUCCESS" />
              <Figure name={t('overview.failed')} value={number(failed, true)} tone={failed > 0 ? 'bad' : undefined} more={shareOf(data, failed)} to="/invocations?state=FAILED" />
              <Figure name={t('nav.functions')} value={number(data.functions.functions)} to="/functions" />
            </div>
            <Card class="trends-card">
              <Trends range={range} />
            </Card>
            <div class="overview-grid">
              <div class="stack">
                <Broken data={data.functions} />
                <Coming data={data.functions} />
              </div>
              <Activity />
              <Machines data={data.functions} />
              <Keeping data={data} />
            </div>
          </>
        )
      )}
    </Page>
  );
}

const ended = (data: OverviewView): number => {
  const day = data.functions.last_day;
  return day.success + day.failed + day.cancelled + day.unknown;
};

const isNew = (data: OverviewView): boolean => ended(data) === 0 && data.functions.running + data.functions.waiting === 0;

const shareOf = (data: OverviewView, failed: number): string => (failed === 0 ? t('overview.last_day') : t('overview.share', { percent: ((failed / ended(data)) * 100).toFixed(failed / ended(data) < 0.1 ? 1 : 0) }));

/** What is not as it should be, in words. */
function Warnings({ checks }: { checks: OverviewView['checks'] }) {
  const bad = checks.filter((check) => check.status !== 'ok');
  if (bad.length === 0) return null;
  return (
    <ul class="warnings" aria-label={t('overview.warnings')}>
      {bad.map((check) => (
        <li key={check.name} class={check.status === 'failed' || check.status === 'refusing' ? 'bad' : 'wait'}>
          <Icon name="warning" />
          <span>
            <strong>{check.name}</strong> {check.detail ?? check.status}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** A new installation: what to do next. */
const First = () => (
  <Card>
    <Empty
      title={t('overview.first_title')}
      icon="functions"
      command={COMMANDS}
      actions={
        <ButtonLink to="/functions/new" kind="primary" icon="plus">
          {t('overview.first_deploy')}
        </ButtonLink>
      }
    >
      {t('overview.first_text')}
    </Empty>
  </Card>
);
