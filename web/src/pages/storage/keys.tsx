import { useState } from 'preact/hooks';
import { ApiProblem, may, send, session } from '../../lib/api';
import { absolute } from '../../lib/format';
import { t, useLanguage } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import type { Page as ListPage } from '../../lib/types';
import { Button, Card, Copy, Empty, Facts, Problem, Skeleton, State, Time, useNow } from '../../ui/basics';
import { Choice, Confirm, Dialog, Field, Tabs, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { tabsOf } from './places';
import './storage.css';
import type { AccessKeyView, CreatedKey } from './types';

/** Access keys for S3 clients, and what those clients are to be told. */
export default function KeysPage() {
  useLanguage();
  const now = useNow();
  const admin = may('admin');
  const list = useResource<ListPage<AccessKeyView>>(admin ? '/api/storage/keys?limit=1000' : null, { every: 30_000 });
  const [made, setMade] = useState<CreatedKey | null>(null);
  const [making, setMaking] = useState(false);
  const [gone, setGone] = useState<AccessKeyView | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const shortLived = async () => {
    try {
      setMade(await send<CreatedKey>('POST', '/api/storage/session'));
      setProblem(null);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    }
  };
  const ended = (one: AccessKeyView) => !!one.expires_at && Date.parse(one.expires_at) <= now;
  const columns: Column<AccessKeyView>[] = [
    { key: 'id', title: t('storage.key_id'), width: 'minmax(120px, 1.4fr)', render: (one) => <code>{one.id}</code> },
    { key: 'user', title: t('storage.key_user'), width: 'minmax(70px, 1fr)', render: (one) => one.user },
    { key: 'scopes', title: t('storage.key_scopes'), width: 'minmax(80px, 1fr)', hide: 460, render: (one) => one.scopes.join(' ') },
    { key: 'buckets', title: t('storage.buckets'), width: 'minmax(80px, 1fr)', hide: 620, render: (one) => one.buckets.join(', ') || t('storage.all') },
    { key: 'created', title: t('storage.created'), width: '96px', hide: 760, render: (one) => <Time at={one.created_at} /> },
    { key: 'ends', title: t('storage.ends'), width: '110px', hide: 540, render: (one) => (ended(one) ? <State tone="off" word={t('storage.ended')} /> : one.expires_at ? <Time at={one.expires_at} /> : t('storage.never_ends')) },
    { key: 'menu', title: '', width: '32px', render: (one) => <Button kind="quiet" small icon="trash" label={t('storage.revoke', { id: one.id })} onClick={() => setGone(one)} /> },
  ];
  return (
    <Page
      title={t('storage.title')}
      tab={t('storage.keys')}
      tabs={<Tabs label={t('storage.title')} current="keys" tabs={tabsOf()} />}
      actions={
        <>
          <Button icon="clock" onClick={() => void shortLived()}>{t('storage.short_key')}</Button>
          {admin && <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>{t('storage.new_key')}</Button>}
        </>
      }
      command="dure storage key list"
      at={list.at}
    >
      <div class="stack">
        <p class="quiet">{t('storage.keys_text')}</p>
        <Problem of={problem ?? list.problem} />
        {list.loading && <Skeleton />}
        {list.data && list.data.items.length > 0 && (
          <Card flush>
            <Table label={t('storage.keys')} columns={columns} items={list.data.items} keyOf={(one) => one.id} />
          </Card>
        )}
        {((list.data && list.data.items.length === 0) || !admin) && (
          <Empty title={admin ? t('storage.no_keys') : t('storage.keys_of_admins')} icon="key" command="dure storage key create ada --scope read write">
            {t('storage.no_keys_text')}
          </Empty>
        )}
      </div>
      {making && <NewKey onClose={() => setMaking(false)} onMade={(key) => { setMaking(false); setMade(key); void list.reload(); }} />}
      {made && <Made of={made} onClose={() => setMade(null)} />}
      {gone && (
        <Confirm
          title={t('storage.revoke', { id: gone.id })}
          open
          word={t('storage.revoke_word')}
          onClose={() => setGone(null)}
          onConfirm={async () => {
            await send('DELETE', `/api/storage/keys/${gone.id}`).catch((error: Error) => toast(error.message, 'bad'));
            void list.reload();
          }}
        >
          <p>{t('storage.revoke_text', { user: gone.user })}</p>
        </Confirm>
      )}
    </Page>
  );
}

const SCOPES = ['read', 'write', 'buckets', 'admin'] as const;

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: CreatedKey) => void }) {
  const [user, setUser] = useState(session.get()?.user.name ?? '');
  const [scopes, setScopes] = useState<string[]>(['read', 'write']);
  const [buckets, setBuckets] = useState('');
  const [days, setDays] = useState('90');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const text = (set: (value: string) => void) => (e: InputEvent) => set((e.currentTarget as HTMLInputElement).value);
  const make = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const named = buckets.split(/[\s,]+/).filter(Boolean);
      onMade(await send<CreatedKey>('POST', '/api/storage/keys', { user, scopes, buckets: named.length ? named : null, expires_in_days: Number(days) > 0 ? Number(days) : null }));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('storage.new_key')} open onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.cancel')}</Button><Button kind="primary" busy={busy} disabled={!user || scopes.length === 0} type="submit" form="new-key">{t('storage.make')}</Button></>}>
      <form id="new-key" class="stack" onSubmit={(event) => void make(event)}>
        <Field label={t('storage.key_user')} hint={t('storage.key_user_hint')} value={user} onInput={text(setUser)} autocomplete="off" />
        <fieldset class="row wrap scopes">
          <legend>{t('storage.key_scopes')}</legend>
          {SCOPES.map((one) => (
            <label key={one} class="row"><input type="checkbox" checked={scopes.includes(one)} onChange={(e) => setScopes(e.currentTarget.checked ? [...scopes, one] : scopes.filter((other) => other !== one))} /> {one}</label>
          ))}
        </fieldset>
        <Field label={t('storage.key_buckets')} hint={t('storage.key_buckets_hint')} value={buckets} onInput={text(setBuckets)} autocomplete="off" />
        <Field label={t('storage.key_days')} hint={t('storage.key_days_hint')} type="number" min="0" value={days} onInput={text(setDays)} />
        <Problem of={problem} />
      </form>
    </Dialog>
  );
}

type Client = 'awscli' | 'rclone' | 'boto3';

function Made({ of: key, onClose }: { of: CreatedKey; onClose: () => void }) {
  const [client, setClient] = useState<Client>('awscli');
  const settings = settingsOf(client, key);
  return (
    <Dialog title={t('storage.key_made')} open wide onClose={onClose} actions={<Button kind="primary" onClick={onClose}>{t('storage.key_kept')}</Button>}>
      <p>{t('storage.key_once')}{key.expires_at && ` ${t('storage.key_until', { time: absolute(Date.parse(key.expires_at)) })}`}</p>
      <Facts
        items={[
          [t('storage.key_id'), <span key="i" class="row"><code>{key.access_key_id}</code><Copy text={key.access_key_id} /></span>],
          [t('storage.key_secret'), <span key="s" class="row"><code class="wrap-any">{key.secret_access_key}</code><Copy text={key.secret_access_key} label={t('storage.copy_secret')} /></span>],
          [t('storage.endpoint'), <span key="e" class="row"><code>{key.endpoint}</code><Copy text={key.endpoint} /></span>],
        ]}
      />
      <Choice label={t('storage.client')} value={client} options={[['awscli', 'AWS CLI'], ['rclone', 'rclone'], ['boto3', 'boto3']]} onChange={setClient} />
      <div class="row settings-head"><span class="grow faint small">{settings.where}</span><Copy text={settings.text} label={t('storage.copy_settings')} /></div>
      <pre class="code" tabIndex={0}>{settings.text}</pre>
    </Dialog>
  );
}

function settingsOf(client: Client, key: CreatedKey): { where: string; text: string } {
  const { access_key_id: id, secret_access_key: secret, endpoint, region } = key;
  switch (client) {
    case 'awscli':
      return { where: t('storage.in_shell'), text: `export AWS_ACCESS_KEY_ID=${id}\nexport AWS_SECRET_ACCESS_KEY=${secret}\nexport AWS_DEFAULT_REGION=${region}\nexport AWS_ENDPOINT_URL=${endpoint}\naws s3 ls` };
    case 'rclone':
      return { where: '~/.config/rclone/rclone.conf', text: `[dure]\ntype = s3\nprovider = Other\naccess_key_id = ${id}\nsecret_access_key = ${secret}\nregion = ${region}\nendpoint = ${endpoint}\nforce_path_style = true` };
    default:
      return { where: 'Python', text: `import boto3\n\ns3 = boto3.client(\n    "s3",\n    endpoint_url="${endpoint}",\n    region_name="${region}",\n    aws_access_key_id="${id}",\n    aws_secret_access_key="${secret}",\n)\nfor bucket in s3.list_buckets()["Buckets"]:\n    print(bucket["Name"])` };
  }
}
