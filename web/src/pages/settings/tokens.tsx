import { useState } from 'preact/hooks';
import { ApiProblem, may, send, session } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useQuery } from '../../lib/router';
import { useResource } from '../../lib/resource';
import type { Page, Schema } from '../../lib/types';
import { Button, Card, Command, Copy, Empty, Problem, Skeleton, Time } from '../../ui/basics';
import { Choice, Confirm, Dialog, Field, toast } from '../../ui/forms';
import { Table, type Column } from '../../ui/table';

type Token = Schema['TokenViewPageView']['items'][number];
type Made = Schema['CreatedTokenView'];
const SCOPES = ['read', 'invoke', 'deploy', 'admin'] as const;

/** Tokens: one's own, and for owners everybody's. */
export function Tokens() {
  const [whose, setWhose] = useQuery('whose', 'mine');
  const mine = whose === 'mine' || !may('admin');
  const tokens = useResource<Page<Token>>(`/api/tokens?limit=1000${mine ? '&mine' : ''}`);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const columns: Column<Token>[] = [
    { key: 'name', title: t('settings.name'), width: 'minmax(120px, 2fr)', render: (one) => <strong class="cut">{one.name}</strong> },
    { key: 'id', title: t('settings.id'), width: '110px', hide: 620, render: (one) => <code>{one.id}</code> },
    ...(mine ? [] : [{ key: 'person', title: t('settings.person'), width: '110px', hide: 480, render: (one: Token) => <span class="cut">{one.person ?? '–'}</span> }]),
    { key: 'scopes', title: t('settings.may'), width: 'minmax(110px, 1.4fr)', render: (one) => <span class="row settings-tags">{one.scopes?.map((scope) => <span key={scope} class="tag">{scope}</span>)}</span> },
    { key: 'created', title: t('settings.made'), width: '110px', hide: 760, render: (one) => <Time at={one.created_at} /> },
    { key: 'used', title: t('settings.used'), width: '110px', hide: 480, render: (one) => (one.last_used_at ? <Time at={one.last_used_at} /> : <span class="faint">{t('settings.never')}</span>) },
    { key: 'expires', title: t('settings.expires'), width: '110px', hide: 620, render: (one) => (one.expires_at ? <Time at={one.expires_at} /> : <span class="faint">{t('settings.never')}</span>) },
    { key: 'revoke', title: '', width: '44px', align: 'right', render: (one) => <Button kind="quiet" small icon="trash" label={t('settings.revoke_of', { name: one.name })} onClick={() => setRevoking(one)} /> },
  ];
  return (
    <>
      <div class="row wrap">
        {may('admin') && <Choice label={t('settings.whose')} value={mine ? 'mine' : 'all'} options={[['mine', t('settings.mine')], ['all', t('settings.everyones')]]} onChange={(value) => setWhose(value)} />}
        <span class="grow" />
        <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
          {t('settings.make_token')}
        </Button>
      </div>
      {tokens.problem && <Problem of={tokens.problem} retry={() => void tokens.reload()} />}
      <Card flush>
        {tokens.loading ? <Skeleton /> : tokens.data?.items.length === 0 ? (
          <Empty title={t('settings.no_tokens')} icon="key" actions={<Button kind="primary" icon="plus" onClick={() => setMaking(true)}>{t('settings.make_token')}</Button>} command={may('admin') ? 'dure token create NAME' : undefined}>
            {t('settings.no_tokens_text')}
          </Empty>
        ) : (
          <Table label={t('settings.tab_tokens')} columns={columns} items={tokens.data?.items ?? []} keyOf={(one) => one.id} />
        )}
      </Card>
      <MakeToken open={making} onClose={() => setMaking(false)} onMade={(token) => { setMade(token); void tokens.reload(); }} />
      <Dialog title={t('settings.token_made', { name: made?.name ?? '' })} open={!!made} onClose={() => setMade(null)} wide>
        <p>{t('settings.token_once')}</p>
        <p class="settings-once">
          <code>{made?.token}</code> <Copy text={made?.token ?? ''} />
        </p>
        <p class="quiet">{t('settings.token_use')}</p>
        <Command text={`DURE_URL=${location.origin} DURE_TOKEN=… dure fn list`} />
      </Dialog>
      <Confirm
        title={t('settings.revoke_title', { name: revoking?.name ?? '' })}
        word={t('settings.revoke')}
        open={!!revoking}
        onClose={() => setRevoking(null)}
        onConfirm={async () => {
          try {
            await send('DELETE', `/api/tokens/${encodeURIComponent(revoking!.id)}`);
            toast(t('settings.revoked', { name: revoking!.name }));
          } catch (error) {
            toast(error instanceof ApiProblem ? error.detail : String(error), 'bad');
          }
          await tokens.reload();
        }}
      >
        <p>{t('settings.revoke_text')}</p>
      </Confirm>
    </>
  );
}

function MakeToken({ open, onClose, onMade }: { open: boolean; onClose: () => void; onMade: (token: Made) => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly string[]>(['read', 'invoke']);
  const [days, setDays] = useState('90');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const fault = (where: string) => problem?.faults.find((one) => one.where === where)?.what;
  const allowed = SCOPES.filter((scope) => session.get()?.scopes.includes(scope));

  async function make(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      const token = await send<Made>('POST', '/api/tokens?mine', { name, scopes: scopes.filter((one) => allowed.includes(one as 'read')), ...(days ? { expires_in_days: Number(days) } : {}) });
      setName('');
      onClose();
      onMade(token);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    }
    setBusy(false);
  }

  return (
    <Dialog title={t('settings.make_token')} open={open} onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.cancel')}</Button><Button kind="primary" busy={busy} disabled={!name} onClick={() => void make()}>{t('settings.make')}</Button></>}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void make(); }}>
        <Field label={t('settings.token_name')} hint={t('settings.token_name_hint')} fault={fault('name')} value={name} onInput={(e: InputEvent) => setName((e.currentTarget as HTMLInputElement).value)} autocomplete="off" autofocus required />
        <fieldset class="settings-scopes">
          <legend>{t('settings.may')}</legend>
          {allowed.map((scope) => (
            <label key={scope} class="row">
              <input type="checkbox" checked={scopes.includes(scope)} onChange={(e) => setScopes(e.currentTarget.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))} />
              <span>
                <code>{scope}</code> <span class="quiet">{t(`settings.scope_${scope}`)}</span>
              </span>
            </label>
          ))}
          {fault('scopes') && <span class="fault small">{fault('scopes')}</span>}
        </fieldset>
        <Field label={t('settings.expires_in')} hint={t('settings.expires_hint')} fault={fault('expires_in_days')} type="number" min={1} max={3650} value={days} onInput={(e: InputEvent) => setDays((e.currentTarget as HTMLInputElement).value)} />
        {problem && problem.faults.length === 0 && <Problem of={problem} />}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}
