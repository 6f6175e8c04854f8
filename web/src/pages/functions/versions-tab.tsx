import { useState } from 'preact/hooks';
import { may } from '../../lib/api';
import { bytes } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { navigate, setQuery, usePlace } from '../../lib/router';
import type { Page as ListOf } from '../../lib/types';
import { Button, Card, Command, Copy, Empty, Problem, Skeleton, Time } from '../../ui/basics';
import { Menu } from '../../ui/forms';
import { FileDifference } from './difference';
import { CanaryDialog, point } from './release';
import { apiOf, pageOf, short, type DiffView, type FunctionView, type ReleaseView, type VersionView } from './types';

/** Every version: who, when, what differs, and where calls go. */
export function VersionsTab({ of: f, changed }: { of: FunctionView; changed: () => Promise<void> }) {
  const { query } = usePlace();
  const versions = useResource<ListOf<VersionView>>(apiOf(f.name, '/versions'), { topics: ['functions'] });
  const history = useResource<ListOf<ReleaseView>>(apiOf(f.name, '/history'), { topics: ['functions'] });
  const [canary, setCanary] = useState<string | null>(null);
  const items = versions.data?.items ?? [];
  const live = items.find((v) => v.version === f.live)?.number;
  const previous = items.find((v) => v.number < (live ?? 0))?.number;
  const chosen = [query.get('from') === 'previous' ? String(previous ?? '') : query.get('from'), query.get('from') === 'previous' ? String(live ?? '') : query.get('to')].filter((one): one is string => !!one);
  const choose = (n: string) => {
    const next = chosen.includes(n) ? chosen.filter((one) => one !== n) : [...chosen.slice(-1), n];
    next.sort((a, b) => Number(a) - Number(b));
    setQuery({ from: next[0] ?? null, to: next[1] ?? null });
  };
  const reload = async () => {
    await Promise.all([changed(), versions.reload(), history.reload()]);
  };
  return (
    <>
      {versions.problem && <Problem of={versions.problem} retry={() => void versions.reload()} />}
      {versions.loading && <Skeleton rows={6} />}
      {items.length > 0 && (
        <Card flush title={t('functions.tab_versions')} actions={<span class="small quiet">{t('functions.choose_two')}</span>}>
          <ul class="versions">
            {items.map((v) => (
              <li key={v.version}>
                <input type="checkbox" aria-label={t('functions.compare_n', { n: v.number })} checked={chosen.includes(String(v.number))} onChange={() => choose(String(v.number))} />
                <strong>v{v.number}</strong>
                <span class="row">
                  <code class="quiet">{short(v.version)}</code>
                  <Copy text={v.version} label={t('functions.copy_digest')} />
                </span>
                <span class="row wrap tags">
                  {v.aliases.map((alias) => (
                    <span key={alias} class={`tag ${alias}`}>{alias === 'live' ? t('functions.tag_live') : alias === 'canary' ? t('functions.canary_share', { share: f.canary?.percent ?? 0 }) : alias}</span>
                  ))}
                </span>
                <span class="grow" />
                <span class="quiet who cut">{v.owner}</span>
                <span class="quiet when"><Time at={v.created_at} /></span>
                <span class="quiet size">{bytes(v.size_bytes)}</span>
                <Menu
                  label={t('functions.more_of', { name: `v${v.number}` })}
                  items={[
                    may('deploy') && { name: t('functions.make_live'), icon: 'check', disabled: v.version === f.live && !f.canary, run: () => void point(f, v.version, null).then(reload) },
                    may('deploy') && { name: t('functions.make_canary'), icon: 'filter', disabled: v.version === f.live || !f.live, run: () => setCanary(v.version) },
                    live !== undefined && v.number !== live && { name: t('functions.compare_live'), icon: 'copy', run: () => setQuery({ from: String(Math.min(v.number, live)), to: String(Math.max(v.number, live)) }) },
                    { name: t('functions.see_code'), icon: 'file', to: `${pageOf(f.name, 'code')}?version=${v.number}` },
                    may('deploy') && { name: t('functions.edit_from'), icon: 'edit', to: `${pageOf(f.name, 'edit')}?version=${v.number}` },
                    { name: t('functions.download'), icon: 'download', run: () => location.assign(apiOf(f.name, `/versions/${v.number}/source`)) },
                  ]}
                />
              </li>
            ))}
          </ul>
        </Card>
      )}
      {chosen.length === 2 && <Comparison name={f.name} from={chosen[0]!} to={chosen[1]!} />}
      <Card flush title={t('functions.history')}>
        {history.problem && <Problem of={history.problem} />}
        {history.loading && <Skeleton rows={4} />}
        {history.data?.items.length === 0 && <Empty title={t('functions.history_none')} icon="clock" />}
        <ol class="history">
          {(history.data?.items ?? []).slice(0, 50).map((release, i) => (
            <li key={i}>
              <span class={`tag ${release.action}`}>{t(`functions.action_${release.action as 'deploy' | 'canary' | 'live' | 'rollback'}`)}</span>
              <span class="grow">
                {t('functions.went_live', { n: release.live ?? 0 })}
                {release.canary && ` · ${t('functions.with_canary', { n: release.canary, share: release.canary_percent ?? 0 })}`}
              </span>
              <span class="quiet who cut">{release.owner}</span>
              <span class="quiet when"><Time at={release.at} /></span>
            </li>
          ))}
        </ol>
      </Card>
      {canary !== null && <CanaryDialog of={f} open version={canary} onClose={() => setCanary(null)} changed={reload} />}
    </>
  );
}

/** What differs between two versions. */
function Comparison({ name, from, to }: { name: string; from: string; to: string }) {
  const difference = useResource<DiffView>(apiOf(name, `/diff?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`));
  const files = difference.data?.files;
  return (
    <Card
      title={t('functions.compare_title', { from, to })}
      actions={
        <>
          {files && <span class="small quiet">{t('functions.files_changed', { n: files.length })}</span>}
          <Button kind="quiet" small icon="close" label={t('ui.close')} onClick={() => navigate(pageOf(name, 'versions'), { replace: true, keepScroll: true })} />
        </>
      }
    >
      {difference.problem && <Problem of={difference.problem} />}
      {difference.loading && <Skeleton rows={5} />}
      {files?.length === 0 && <p class="quiet">{t('functions.compare_same')}</p>}
      {files?.map((file) => <FileDifference key={file.path} path={file.path} change={file.change} text={file.diff ?? ''} />)}
      <Command text={`dure fn diff ${name} ${from} ${to}`} />
    </Card>
  );
}
