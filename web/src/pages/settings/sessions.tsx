import { useState } from 'preact/hooks';
import { ApiProblem, loadSession, may, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useQuery } from '../../lib/router';
import { useResource } from '../../lib/resource';
import type { Page, Schema } from '../../lib/types';
import { Button, Card, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Choice, Confirm, toast } from '../../ui/forms';
import { Table, type Column } from '../../ui/table';

type Open = Schema['OpenSessionViewPageView']['items'][number];

/** What a browser calls itself, in two words. */
export function browserOf(agent: string): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /OPR\//.test(agent) ? 'Opera' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : '';
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return [browser || agent.split(/[\s/]/)[0] || t('settings.unknown_browser'), system].filter(Boolean).join(' · ');
}

/** Where somebody is signed in. */
export function Sessions() {
  const [whose, setWhose] = useQuery('whose', 'mine');
  const mine = whose === 'mine' || !may('admin');
  const sessions = useResource<Page<Open>>(`/api/sessions${mine ? '?mine' : ''}`, { every: 15_000 });
  const [everywhere, setEverywhere] = useState(false);

  async function end(path: string, said: string): Promise<void> {
    try {
      await send('DELETE', path);
      toast(said);
    } catch (error) {
      toast(error instanceof ApiProblem ? error.detail : String(error), 'bad');
    }
    await loadSession();
    await sessions.reload();
  }

  const how = (text: string) => (text === 'password' ? t('settings.by_password') : text === 'link' ? t('settings.by_link') : text.replace('oidc:', ''));
  const columns: Column<Open>[] = [
    ...(mine ? [] : [{ key: 'person', title: t('settings.person'), width: 'minmax(90px, 1fr)', render: (one: Open) => <strong class="cut">{one.person}</strong> }]),
    {
      key: 'browser', title: t('settings.browser'), width: 'minmax(140px, 2fr)',
      render: (one) => (
        <span class="cut" title={one.agent}>
          {browserOf(one.agent)} {one.current && <State tone="ok" word={t('settings.this_one')} soft />}
        </span>
      ),
    },
    { key: 'address', title: t('settings.address'), width: '130px', hide: 620, render: (one) => <code>{one.address}</code> },
    { key: 'how', title: t('settings.signed_in_by'), width: '120px', hide: 760, render: (one) => how(one.how) },
    { key: 'since', title: t('settings.since'), width: '110px', hide: 480, render: (one) => <Time at={one.created_at} /> },
    { key: 'used', title: t('settings.used'), width: '100px', render: (one) => <Time at={one.last_used_at} /> },
    { key: 'end', title: '', width: '44px', align: 'right', render: (one) => <Button kind="quiet" small icon="out" label={t('settings.end_session')} onClick={() => void end(`/api/sessions/${one.id}`, t('settings.session_ended'))} /> },
  ];
  return (
    <>
      <div class="row wrap">
        {may('admin') && <Choice label={t('settings.whose')} value={mine ? 'mine' : 'all'} options={[['mine', t('settings.mine')], ['all', t('settings.everyones')]]} onChange={(value) => setWhose(value)} />}
        <span class="grow" />
        <Button icon="out" onClick={() => void end('/api/sessions?others', t('settings.others_ended'))}>
          {t('settings.end_others')}
        </Button>
        <Button kind="danger" icon="out" onClick={() => setEverywhere(true)}>
          {t('settings.end_all')}
        </Button>
      </div>
      {sessions.problem && <Problem of={sessions.problem} retry={() => void sessions.reload()} />}
      <Card flush>{sessions.loading ? <Skeleton rows={3} /> : <Table label={t('settings.tab_sessions')} columns={columns} items={sessions.data?.items ?? []} keyOf={(one) => one.id} />}</Card>
      <Confirm title={t('settings.end_all')} word={t('settings.end_all')} open={everywhere} onClose={() => setEverywhere(false)} onConfirm={() => end('/api/sessions', t('settings.others_ended'))}>
        <p>{t('settings.end_all_text')}</p>
      </Confirm>
    </>
  );
}
