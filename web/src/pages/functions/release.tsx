import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import type { Page as ListOf } from '../../lib/types';
import { Button, Problem, Time } from '../../ui/basics';
import { Dialog, Field, toast } from '../../ui/forms';
import { apiOf, short, type FunctionView, type VersionView } from './types';

/** Sends callers to a version, with or without a canary. On top of what was seen; says so when that has changed. */
export async function point(f: FunctionView, version: string, canary: { version: string; percent: number } | null): Promise<boolean> {
  try {
    const now = await send<FunctionView>('PUT', apiOf(f.name, '/live'), { version, canary: canary ?? undefined }, { headers: { 'If-Match': `"${f.tag}"` } });
    toast(now.canary ? t('functions.canary_now', { share: now.canary.percent }) : t('functions.live_now', { n: now.live_number ?? 0 }));
    return true;
  } catch (problem) {
    toast(problem instanceof ApiProblem ? problem.detail || problem.title : String(problem), 'bad');
    return false;
  }
}

/** Chooses a version and its part of the calls. */
export function CanaryDialog({ of: f, open, onClose, changed, version }: { of: FunctionView; open: boolean; onClose: () => void; changed: () => Promise<void>; version?: string }) {
  const versions = useResource<ListOf<VersionView>>(open ? apiOf(f.name, '/versions') : null);
  const [chosen, setChosen] = useState('');
  const [share, setShare] = useState(10);
  const [busy, setBusy] = useState(false);
  const others = (versions.data?.items ?? []).filter((one) => one.version !== f.live);
  useEffect(() => {
    if (!open) return;
    setChosen(version ?? f.canary?.version ?? '');
    setShare(f.canary?.percent ?? 10);
  }, [open]);
  const now = chosen || others[0]?.version || '';
  const set = async () => {
    setBusy(true);
    if (await point(f, f.live!, { version: now, percent: share })) onClose();
    setBusy(false);
    await changed();
  };
  return (
    <Dialog
      title={t('functions.canary_set')}
      open={open}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button kind="primary" busy={busy} disabled={!now || !(share >= 1 && share <= 99)} onClick={() => void set()}>{t('functions.canary_do')}</Button>
        </>
      }
    >
      <p class="quiet">{t('functions.canary_text', { n: f.live_number ?? 0 })}</p>
      {versions.problem && <Problem of={versions.problem} />}
      <Field label={t('functions.version')}>
        {(id) => (
          <select id={id} value={now} onChange={(event) => setChosen(event.currentTarget.value)}>
            {others.map((one) => (
              <option key={one.version} value={one.version}>{`v${one.number} · ${short(one.version)} · ${one.owner}`}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t('functions.share', { share })}>{(id) => <input id={id} type="range" min={1} max={99} value={share} onInput={(event) => setShare(Number(event.currentTarget.value))} />}</Field>
      <code class="small quiet">{`dure fn canary ${f.name} ${others.find((one) => one.version === now)?.number ?? 'N'} --percent ${share}`}</code>
    </Dialog>
  );
}

/** Who deployed something, and when. */
export const ByWhom = ({ who, at }: { who: string; at: string }) => (
  <span class="quiet small">
    {who} · <Time at={at} />
  </span>
);
