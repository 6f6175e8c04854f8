import { t } from '../../lib/i18n';
import { bytes, duration } from '../../lib/format';
import { useResource } from '../../lib/resource';
import type { Schema, StatusView } from '../../lib/types';
import { Bar, Card, Command, Facts, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Age } from '../../ui/page';
import { Table, type Column } from '../../ui/table';

type Check = Schema['HealthView']['checks'][number];

const toneOf = (status: string) => (status === 'ok' ? 'ok' : status === 'failed' || status === 'refusing' ? 'bad' : 'wait');

/** How the server is. */
export function Health() {
  const health = useResource<Schema['HealthView']>('/api/health', { every: 5000 });
  const status = useResource<StatusView>('/api/status', { every: 5000 });
  const columns: Column<Check>[] = [
    { key: 'name', title: t('settings.check'), width: 'minmax(90px, 1fr)', render: (one) => <strong>{one.name}</strong> },
    { key: 'status', title: t('settings.state'), width: '110px', render: (one) => <State tone={toneOf(one.status)} word={one.status} /> },
    { key: 'age', title: t('settings.age'), width: '90px', align: 'right', hide: 480, render: (one) => <span class="quiet">{one.age_ms === null || one.age_ms === undefined ? '–' : duration(one.age_ms)}</span> },
    { key: 'detail', title: t('settings.detail'), width: 'minmax(120px, 3fr)', render: (one) => <span class="cut quiet" title={one.detail ?? ''}>{one.detail ?? '–'}</span> },
  ];
  const disk = status.data?.disk;
  const used = disk && disk.total_bytes > 0 ? 1 - disk.free_bytes / disk.total_bytes : 0;
  return (
    <div class="settings-health">
      <div class="stack">
        {health.problem && <Problem of={health.problem} retry={() => void health.reload()} />}
        <Card flush title={<State tone={toneOf(health.data?.status ?? '')} word={health.data ? t(health.data.status === 'ok' ? 'settings.healthy' : 'settings.unhealthy') : t('ui.loading')} />} actions={health.at && <Age at={health.at} />}>
          {health.data ? <Table label={t('settings.checks')} columns={columns} items={health.data.checks} keyOf={(one) => one.name} /> : <Skeleton rows={4} />}
        </Card>
        <Card title={t('settings.support')}>
          <div class="stack">
            <p class="quiet">{t('settings.support_text')}</p>
            <Command text="dure support" />
          </div>
        </Card>
      </div>
      <Card title={t('settings.server')}>
        {status.problem && <Problem of={status.problem} retry={() => void status.reload()} />}
        {status.data ? (
          <div class="stack">
            <Facts
              items={[
                [t('settings.version'), <code>{status.data.version}</code>],
                [t('settings.started'), <Time at={status.data.started_at} />],
                [t('settings.process'), String(status.data.pid)],
                [t('settings.database'), status.data.database],
                [t('settings.address'), status.data.url],
                [t('settings.store'), status.data.store ?? t('settings.none')],
                [t('settings.data'), <code>{status.data.data}</code>],
              ]}
            />
            {disk && (
              <div class="settings-disk">
                <div class="row">
                  <span class="grow">{t('settings.disk', { free: bytes(disk.free_bytes), total: bytes(disk.total_bytes) })}</span>
                  <State tone={toneOf(disk.state)} word={disk.state} />
                </div>
                <Bar share={used} tone={toneOf(disk.state)} label={t('settings.disk_used')} />
              </div>
            )}
          </div>
        ) : (
          !status.problem && <Skeleton rows={6} />
        )}
      </Card>
    </div>
  );
}
