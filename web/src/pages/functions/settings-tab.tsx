import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ApiProblem, may, send } from '../../lib/api';
import { bytes, duration } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link, navigate } from '../../lib/router';
import type { Page as ListOf } from '../../lib/types';
import { Button, ButtonLink, Card, Command, Facts, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Confirm, toast } from '../../ui/forms';
import { apiOf, pageOf, spanOf, type FunctionView, type VersionView } from './types';

/** What the live version needs and promises; it is changed in function.yaml, so that it is versioned with the code. */
export function SettingsTab({ of: f }: { of: FunctionView }) {
  const versions = useResource<ListOf<VersionView>>(apiOf(f.name, '/versions'), { topics: ['functions'] });
  const live = versions.data?.items.find((one) => one.version === f.live);
  const secrets = useResource<ListOf<{ name: string }>>(live && live.spec.secrets.length > 0 ? '/api/secrets?limit=1000' : null);
  const [deleting, setDeleting] = useState(false);
  const remove = async () => {
    try {
      await send('DELETE', apiOf(f.name));
      toast(t('functions.deleted', { name: f.name }));
      navigate('/functions');
    } catch (problem) {
      toast(problem instanceof ApiProblem ? problem.detail || problem.title : String(problem), 'bad');
    }
  };
  const isSet = (name: string) => secrets.data?.items.some((one) => one.name === name);
  return (
    <>
      {versions.problem && <Problem of={versions.problem} retry={() => void versions.reload()} />}
      {versions.loading && <Skeleton rows={9} />}
      {live && (
        <div class="two">
          <Card title={t('functions.limits')} actions={may('deploy') && <ButtonLink small kind="quiet" to={pageOf(f.name, 'edit')} icon="edit">function.yaml</ButtonLink>}>
            <Facts items={specOf(live)} />
          </Card>
          <div class="stack">
            <Card title={t('functions.secrets')}>
              {live.spec.secrets.length === 0 && <p class="quiet">{t('functions.secrets_none')}</p>}
              {secrets.problem && <Problem of={secrets.problem} />}
              <ul class="names">
                {live.spec.secrets.map((name) => (
                  <li key={name} class="row">
                    <code class="grow">{name}</code>
                    {secrets.data && (isSet(name) ? <State tone="ok" word={t('functions.secret_set')} /> : <State tone="bad" word={t('functions.secret_missing')} />)}
                  </li>
                ))}
              </ul>
              {live.spec.secrets.some((name) => secrets.data && !isSet(name)) && <Command text={`dure secret set ${live.spec.secrets.find((name) => !isSet(name))}`} />}
              {live.spec.secrets.length > 0 && <Link class="small" to="/settings/secrets">{t('functions.secrets_where')}</Link>}
            </Card>
            <Card title={t('functions.environment')}>
              {Object.keys(live.spec.environment).length === 0 ? <p class="quiet">{t('functions.environment_none')}</p> : <Facts items={Object.entries(live.spec.environment).map(([name, value]) => [name, <code>{value}</code>])} />}
            </Card>
            <Card title={t('functions.about')}>
              <Facts items={[[t('functions.owner'), f.owner], [t('functions.created'), <Time at={f.created_at} />], [t('functions.changed'), <Time at={f.updated_at} />]]} />
            </Card>
          </div>
        </div>
      )}
      {may('deploy') && (
        <Card title={t('functions.danger')}>
          <div class="row wrap">
            <span class="grow quiet">{t('functions.delete_text')}</span>
            <Button kind="danger" icon="trash" onClick={() => setDeleting(true)}>{t('functions.delete')}</Button>
          </div>
        </Card>
      )}
      <Confirm title={t('functions.delete_title', { name: f.name })} open={deleting} onClose={() => setDeleting(false)} onConfirm={remove} word={t('functions.delete')} typed={f.name}>
        <p>{t('functions.delete_text')}</p>
        {f.running + f.waiting > 0 && <p class="bad-word">{t('functions.delete_busy', { n: f.running + f.waiting })}</p>}
        <Command text={`dure fn delete ${f.name}`} />
      </Confirm>
    </>
  );
}

function specOf(v: VersionView): [string, ComponentChildren][] {
  const { spec } = v;
  const none = t('functions.no_limit');
  const span = (text: string | null | undefined, otherwise: string) => (spanOf(text) === null ? otherwise : duration(spanOf(text)));
  return [
    [t('functions.runtime'), spec.runtime],
    [t('functions.handler'), <code>{spec.handler}</code>],
    [t('functions.memory'), spec.limits.memory_bytes ? bytes(spec.limits.memory_bytes) : none],
    [t('functions.cpu'), spec.limits.cpu_millis ? t('functions.cores', { n: spec.limits.cpu_millis / 1000 }) : none],
    [t('functions.gpus'), String(spec.gpus)],
    [t('functions.timeout'), span(spec.timeout, none)],
    [t('functions.network'), spec.network === 'None' ? t('functions.network_none') : t('functions.network_egress')],
    [t('functions.concurrency'), String(spec.concurrency)],
    [t('functions.instances'), spec.instances === 0 ? t('functions.instances_any') : String(spec.instances)],
    [t('functions.retries'), spec.retries.max === 0 ? t('functions.retries_none') : t('functions.retries_n', { n: spec.retries.max, first: span(spec.retries.first_delay, ''), longest: span(spec.retries.longest_delay, '') })],
    [t('functions.promise'), spec.at_most_once ? t('functions.at_most_once') : spec.idempotent ? t('functions.idempotent') : t('functions.at_least_once')],
    [t('functions.durability'), spec.durability === 'Durable' ? t('functions.durable') : t('functions.relaxed')],
    [t('functions.tmp'), bytes(spec.limits.tmp_bytes)],
    [t('functions.processes'), String(spec.limits.processes)],
  ];
}
