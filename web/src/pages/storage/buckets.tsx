import { useState } from 'preact/hooks';
import { ApiProblem, may, send } from '../../lib/api';
import { bytes, number } from '../../lib/format';
import { t, useLanguage } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link, navigate, useQuery } from '../../lib/router';
import type { Page as ListPage } from '../../lib/types';
import { Bar, Button, Card, Empty, Figure, Problem, Skeleton, State, Time, useNow } from '../../ui/basics';
import { Confirm, Dialog, Field, Search, Tabs, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { folderPath, tabsOf } from './places';
import { lagOf } from './replication';
import './storage.css';
import { Tray } from './tray';
import type { BucketView, StorageStatus } from './types';

/** Every bucket, with what is in it and how its copies stand. */
export default function Buckets() {
  useLanguage();
  const now = useNow();
  const list = useResource<ListPage<BucketView>>('/api/storage/buckets', { topics: ['storage'], every: 15_000 });
  const status = useResource<StorageStatus>('/api/storage/status', { topics: ['storage'], every: 15_000 });
  const [filter, setFilter] = useQuery('q');
  const [making, setMaking] = useState(false);
  const [gone, setGone] = useState<BucketView | null>(null);
  const all = list.data?.items ?? [];
  const shown = all.filter((one) => one.name.includes(filter.toLowerCase()) || one.owner.toLowerCase().includes(filter.toLowerCase()));
  const providers = status.data?.providers ?? [];

  const copies = (bucket: BucketView) =>
    bucket.replicate.length === 0 ? (
      <span class="faint">{t('storage.no_copies')}</span>
    ) : (
      <span class="row">
        {bucket.replicate.map((name) => {
          const provider = providers.find((one) => one.name === name);
          const lag = provider && lagOf(provider, now);
          return <State key={name} tone={lag?.tone ?? 'off'} word={`${name}${lag ? `: ${lag.word}` : ''}`} />;
        })}
      </span>
    );
  const columns: Column<BucketView>[] = [
    { key: 'name', title: t('storage.bucket'), width: 'minmax(120px, 2fr)', render: (one) => <Link to={folderPath(one.name)}>{one.name}</Link> },
    { key: 'objects', title: t('storage.objects'), width: '90px', align: 'right', render: (one) => number(one.objects) },
    {
      key: 'size', title: t('storage.size'), width: 'minmax(86px, 150px)', align: 'right',
      render: (one) => (one.quota_bytes ? <span class="used"><span>{bytes(one.used_bytes)} <span class="faint">/ {bytes(one.quota_bytes)}</span></span><Bar share={one.used_bytes / one.quota_bytes} label={t('storage.of_quota')} /></span> : bytes(one.used_bytes)),
    },
    { key: 'copies', title: t('storage.copies'), width: 'minmax(110px, 1.6fr)', hide: 560, render: copies },
    { key: 'versioning', title: t('storage.versions'), width: '110px', hide: 760, render: (one) => t(`storage.versioning_${one.versioning}`) },
    { key: 'owner', title: t('storage.owner'), width: '100px', hide: 860, render: (one) => one.owner },
    { key: 'created', title: t('storage.created'), width: '96px', hide: 680, render: (one) => <Time at={one.created_at} /> },
    {
      key: 'menu', title: '', width: '32px',
      render: (one) => may('deploy') && <Button kind="quiet" small icon="trash" label={t('storage.delete_bucket', { name: one.name })} onClick={() => setGone(one)} />,
    },
  ];
  return (
    <Page
      title={t('storage.title')}
      tabs={<Tabs label={t('storage.title')} current="buckets" tabs={tabsOf()} />}
      actions={may('deploy') && <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>{t('storage.new_bucket')}</Button>}
      command="dure bucket list"
      at={list.at}
    >
      <div class="stack">
        <Problem of={list.problem} retry={list.reload} />
        {list.loading && <Skeleton />}
        {list.data && all.length > 0 && (
          <>
            <div class="figures">
              <Figure name={t('storage.buckets')} value={number(all.length)} />
              <Figure name={t('storage.objects')} value={number(all.reduce((sum, one) => sum + one.objects, 0))} />
              <Figure name={t('storage.used')} value={bytes(all.reduce((sum, one) => sum + one.used_bytes, 0))} />
              <Figure
                name={t('storage.replication')}
                to="/storage/replication"
                value={providers.length === 0 ? t('storage.none') : t('storage.providers', { n: providers.length })}
                more={providers.map((one) => `${one.name}: ${lagOf(one, now).word}`).join(', ')}
              />
            </div>
            <div class="row">
              <Search value={filter} onChange={setFilter} placeholder={t('storage.filter_buckets')} />
            </div>
            <Card flush>
              <Table label={t('storage.buckets')} columns={columns} items={shown} keyOf={(one) => one.name} onOpen={(one) => navigate(folderPath(one.name))} hrefOf={(one) => folderPath(one.name)} />
              {shown.length === 0 && <Empty title={t('storage.nothing_found')} icon="search" />}
            </Card>
          </>
        )}
        {list.data && all.length === 0 && (
          <Empty title={t('storage.no_buckets')} icon="storage" command={['dure bucket create lab', 'dure cp ./results s3://lab/ --recursive']} actions={may('deploy') && <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>{t('storage.new_bucket')}</Button>}>
            {t('storage.no_buckets_text')}
          </Empty>
        )}
      </div>
      <NewBucket open={making} providers={providers.map((one) => one.name)} onClose={() => setMaking(false)} onMade={(name) => navigate(folderPath(name))} />
      <DeleteBucket bucket={gone} onClose={() => setGone(null)} onGone={() => void list.reload()} />
      <Tray />
    </Page>
  );
}

function NewBucket({ open, providers, onClose, onMade }: { open: boolean; providers: string[]; onClose: () => void; onMade: (name: string) => void }) {
  const [name, setName] = useState('');
  const [versions, setVersions] = useState(false);
  const [quota, setQuota] = useState('');
  const [replicate, setReplicate] = useState<string[]>([]);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const make = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const gib = Number(quota);
      await send('POST', '/api/storage/buckets', { name, versioning: versions ? 'enabled' : undefined, quota_bytes: gib > 0 ? Math.round(gib * 2 ** 30) : undefined, replicate: replicate.length ? replicate : undefined });
      toast(t('storage.bucket_made', { name }));
      onClose();
      onMade(name);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('storage.new_bucket')} open={open} onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.cancel')}</Button><Button kind="primary" busy={busy} disabled={name === ''} type="submit" form="new-bucket">{t('storage.make')}</Button></>}>
      <form id="new-bucket" class="stack" onSubmit={(event) => void make(event)}>
        <Field label={t('storage.name')} hint={t('storage.name_hint')} value={name} autocomplete="off" spellcheck={false} onInput={(e: InputEvent) => setName((e.currentTarget as HTMLInputElement).value.toLowerCase())} />
        <Field label={t('storage.quota')} hint={t('storage.quota_hint')} type="number" min="0" step="any" value={quota} onInput={(e: InputEvent) => setQuota((e.currentTarget as HTMLInputElement).value)} />
        <label class="row"><input type="checkbox" checked={versions} onChange={(e) => setVersions(e.currentTarget.checked)} /> {t('storage.keep_versions')}</label>
        {providers.map((one) => (
          <label class="row" key={one}>
            <input type="checkbox" checked={replicate.includes(one)} onChange={(e) => setReplicate(e.currentTarget.checked ? [...replicate, one] : replicate.filter((other) => other !== one))} /> {t('storage.copy_to', { name: one })}
          </label>
        ))}
        <Problem of={problem} />
      </form>
    </Dialog>
  );
}

function DeleteBucket({ bucket, onClose, onGone }: { bucket: BucketView | null; onClose: () => void; onGone: () => void }) {
  if (!bucket) return null;
  return (
    <Confirm
      title={t('storage.delete_bucket', { name: bucket.name })}
      open
      word={t('ui.delete')}
      typed={bucket.objects > 0 ? bucket.name : undefined}
      onClose={onClose}
      onConfirm={async () => {
        try {
          await send('DELETE', `/api/storage/buckets/${encodeURIComponent(bucket.name)}${bucket.objects > 0 ? '?force=true' : ''}`);
          toast(t('storage.bucket_deleted', { name: bucket.name }));
        } catch (error) {
          toast((error as Error).message, 'bad');
        }
        onGone();
      }}
    >
      <p>{bucket.objects > 0 ? t('storage.delete_full', { n: bucket.objects, size: bytes(bucket.used_bytes) }) : t('storage.delete_empty')}</p>
    </Confirm>
  );
}
