import { absolute } from '../../lib/format';
import { language, t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { ButtonLink, Card, Empty, Facts, Problem, Skeleton, Time } from '../../ui/basics';
import { cronWords } from './cron';
import { apiOf, pageOf, type AheadView, type FunctionView } from './types';

/** When the function runs by itself: in words, the next times, and those that were missed. */
export function ScheduleTab({ of: f }: { of: FunctionView }) {
  const ahead = useResource<AheadView>(f.schedule ? apiOf(f.name, '/schedule') : null, { topics: ['functions', `function:${f.name}`], every: 30_000 });
  if (!f.schedule)
    return (
      <Card>
        <Empty title={t('functions.no_schedule_title')} icon="clock" actions={<ButtonLink to={pageOf(f.name, 'edit')} icon="edit">{t('functions.edit_yaml')}</ButtonLink>}>
          {t('functions.no_schedule_text')}
        </Empty>
        <pre class="code">{'# function.yaml\nschedule:\n  cron: "0 3 * * *"\n  time_zone: Asia/Seoul\n'}</pre>
      </Card>
    );
  const its = ahead.data;
  const zone = f.schedule.time_zone;
  const words = cronWords(f.schedule.cron);
  return (
    <div class="two">
      <Card title={t('functions.tab_schedule')}>
        {ahead.problem && <Problem of={ahead.problem} retry={() => void ahead.reload()} />}
        <p class="cron-words">{words ?? f.schedule.cron}</p>
        <Facts
          items={[
            [t('functions.cron'), <code>{f.schedule.cron}</code>],
            [t('functions.time_zone'), zone],
            [t('functions.missed'), f.schedule.missed > 0 ? <span class="bad-word">{t('functions.missed_n', { n: f.schedule.missed })} {f.schedule.last_missed_at && <Time at={f.schedule.last_missed_at} />}</span> : t('functions.missed_none')],
          ]}
        />
        <p class="quiet small">{t('functions.missed_text')}</p>
      </Card>
      <Card title={t('functions.next_firings')}>
        {ahead.loading && <Skeleton rows={5} />}
        <ol class="firings">
          {its?.firings.map((at) => (
            <li key={at} class="row">
              <span class="grow" title={absolute(Date.parse(at))}>{inZone(Date.parse(at), zone)}</span>
              <span class="quiet"><Time at={at} /></span>
            </li>
          ))}
        </ol>
      </Card>
    </div>
  );
}

const inZone = (at: number, zone: string): string => {
  const format: Intl.DateTimeFormatOptions = { weekday: 'short', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  try {
    return `${new Intl.DateTimeFormat(language(), { ...format, timeZone: zone }).format(at)} (${zone})`;
  } catch {
    return absolute(at);
  }
};
