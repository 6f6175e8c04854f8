import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { may, send } from '../../lib/api';
import { bytes, number } from '../../lib/format';
import { save } from '../../lib/save';
import { t, useLanguage } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { useResource } from '../../lib/resource';
import { Link, navigate, useQuery } from '../../lib/router';
import { Button, Empty, Problem, Skeleton, Time } from '../../ui/basics';
import { Confirm, Dialog, Field, Search, toast } from '../../ui/forms';
import { Icon } from '../../ui/icons';
import { Page } from '../../ui/page';
import { VirtualTable, type Column } from '../../ui/table';
import { useListing, type Entry } from './listing';
import { ObjectPanel } from './object';
import { api, baseName, folderPath, objectUrl } from './places';
import './storage.css';
import { Tray } from './tray';
import type { BucketView } from './types';
import { filesOf, upload } from './uploads';

interface Deleted {
  deleted: number;
  failed: number;
  failures: { key: string; why: string }[];
}

/** A folder of a bucket. Files are dropped anywhere on it. */
export default function Bucket(parts: { bucket: string; prefix: string }) {
  useLanguage();
  const { bucket } = parts;
  const [odd] = useQuery('prefix');
  const prefix = odd || (parts.prefix && !parts.prefix.endsWith('/') ? `${parts.prefix}/` : parts.prefix);
  const [typed, setTyped] = useQuery('q');
  const [open, setOpen] = useQuery('object');
  const facts = useResource<BucketView>(`/api/storage/buckets/${encodeURIComponent(bucket)}`);
  const list = useListing(bucket, prefix, typed);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState<string[] | null>(null);
  const [naming, setNaming] = useState(false);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const folderPicker = useRef<HTMLInputElement>(null);
  useEffect(() => setChosen(new Set()), [bucket, prefix]);

  const send_ = (files: { file: File; path: string }[]) => files.length > 0 && upload(bucket, prefix, files);
  const pick = (input: HTMLInputElement) => {
    send_([...(input.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    input.value = '';
  };
  const toggle = useCallback((entry: Entry) => setChosen((before) => {
    const next = new Set(before);
    if (!next.delete(entry.key)) next.add(entry.key);
    return next;
  }), []);
  const go = (entry: Entry) => (entry.folder ? navigate(folderPath(bucket, entry.key)) : setOpen(entry.key, true));
  const parent = prefix.replace(/[^/]*\/$/, '');
  useKeys(t('storage.folder'), {
    ...(may('deploy') && { u: { run: () => picker.current?.click(), label: t('storage.upload') } }),
    ...(prefix && { Backspace: { run: () => navigate(folderPath(bucket, parent)), label: t('storage.up') } }),
    ...(chosen.size > 0 && may('deploy') && { Delete: { run: () => setDeleting([...chosen]), label: t('ui.delete') } }),
  });

  const columns: Column<Entry>[] = [
    ...(may('deploy') ? [{ key: 'x', title: '', width: '18px', render: (one: Entry) => <input type="checkbox" aria-label={t('storage.choose', { name: one.key })} checked={chosen.has(one.key)} onChange={() => toggle(one)} /> }] : []),
    {
      key: 'name', title: t('storage.name'), width: 'minmax(140px, 1fr)',
      render: (one) => (
        <span class="row entry">
          <Icon name={one.folder ? 'folder' : 'file'} />
          {one.folder ? <Link class="cut" to={folderPath(bucket, one.key)}>{one.key.slice(prefix.length)}</Link> : <button type="button" class="link cut" onClick={() => setOpen(one.key, true)}>{one.key.slice(prefix.length)}</button>}
        </span>
      ),
    },
    { key: 'size', title: t('storage.size'), width: '84px', align: 'right', render: (one) => (one.object ? bytes(one.object.size) : <span class="faint">–</span>) },
    { key: 'type', title: t('storage.type'), width: 'minmax(90px, 200px)', hide: 700, render: (one) => one.object?.content_type ?? <span class="faint">{one.folder ? t('storage.folder') : '–'}</span> },
    { key: 'changed', title: t('storage.changed'), width: '100px', hide: 420, render: (one) => (one.object ? <Time at={one.object.modified_at} /> : <span class="faint">–</span>) },
    { key: 'get', title: '', width: '28px', hide: 420, render: (one) => one.object && <Button kind="quiet" small icon="download" label={t('storage.download_one', { name: baseName(one.key) })} onClick={() => save(objectUrl(bucket, one.key, { download: true }), baseName(one.key))} /> },
  ];
  const crumbs: [string, string][] = [[t('storage.title'), '/storage'], ...(prefix ? ([[bucket, folderPath(bucket)], ...crumbsOf(bucket, parent)] as [string, string][]) : [])];
  const empty = !list.loading && !list.problem && list.entries.length === 0;
  return (
    <Page
      fill
      title={prefix ? `${baseName(prefix)}/` : bucket}
      tab={open ? baseName(open) : `${bucket}/${prefix}`}
      crumbs={crumbs}
      aside={facts.data && <span class="faint small">{t('storage.holds', { n: facts.data.objects, size: bytes(facts.data.used_bytes) })}</span>}
      actions={
        may('deploy') && (
          <>
            {chosen.size > 0 && <Button kind="danger" icon="trash" keys="Delete" onClick={() => setDeleting([...chosen])}>{t('storage.delete_n', { n: chosen.size })}</Button>}
            <Button icon="folder" onClick={() => folderPicker.current?.click()}>{t('storage.upload_folder')}</Button>
            <Button kind="primary" icon="upload" keys="u" onClick={() => picker.current?.click()}>{t('storage.upload')}</Button>
          </>
        )
      }
      command={`dure ls s3://${bucket}/${prefix}`}
      at={list.at}
    >
      <div
        class={`drop fill-column ${over ? 'over' : ''}`}
        onDragOver={(event) => {
          if (!may('deploy') || !event.dataTransfer?.types.includes('Files')) return;
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (may('deploy') && event.dataTransfer) void filesOf(event.dataTransfer).then(send_);
        }}
      >
        <input ref={picker} type="file" multiple hidden aria-label={t('storage.upload')} onChange={(e) => pick(e.currentTarget)} />
        <input ref={folderPicker} type="file" multiple hidden aria-label={t('storage.upload_folder')} {...({ webkitdirectory: true } as object)} onChange={(e) => pick(e.currentTarget)} />
        <div class="row wrap bucket-bar">
          <Search value={typed} onChange={setTyped} placeholder={t('storage.begins')} />
          {may('deploy') && <Button kind="quiet" icon="plus" onClick={() => setNaming(true)}>{t('storage.new_folder')}</Button>}
          <span class="grow" />
          {list.entries.length > 0 && <span class="faint small">{t(list.more ? 'storage.rows_more' : 'storage.rows', { count: number(list.entries.length) })}</span>}
        </div>
        <Problem of={list.problem ?? facts.problem} retry={list.reload} />
        {list.loading && <Skeleton />}
        {list.entries.length > 0 && (
          <VirtualTable
            label={t('storage.objects')}
            columns={columns}
            total={list.entries.length}
            row={(index) => list.entries[index]}
            keyOf={(one) => one.key}
            onRange={(_, to) => list.reach(to)}
            onOpen={go}
            hrefOf={(one) => (one.folder ? folderPath(bucket, one.key) : `${location.pathname}?${new URLSearchParams({ object: one.key })}`)}
            selected={chosen}
            onSelect={may('deploy') ? toggle : undefined}
          />
        )}
        {empty && typed && <Empty title={t('storage.nothing_found')} icon="search" />}
        {empty && !typed && (
          <Empty title={t('storage.empty_folder')} icon="upload" command={`dure cp FILE s3://${bucket}/${prefix}`} actions={may('deploy') && <Button icon="upload" kind="primary" onClick={() => picker.current?.click()}>{t('storage.upload')}</Button>}>
            {may('deploy') ? t('storage.empty_folder_text') : undefined}
          </Empty>
        )}
        {over && <div class="drop-hint">{t('storage.drop', { where: `${bucket}/${prefix}` })}</div>}
      </div>
      {open && <ObjectPanel bucket={bucket} name={open} versioned={facts.data?.versioning !== 'off'} onClose={() => setOpen('')} onChanged={list.reload} onDelete={() => setDeleting([open])} />}
      <DeleteObjects bucket={bucket} keys={deleting} versioned={facts.data?.versioning === 'enabled'} onClose={() => setDeleting(null)} onGone={() => { setChosen(new Set()); setOpen(''); list.reload(); void facts.reload(); }} />
      <NewFolder open={naming} onClose={() => setNaming(false)} onMade={(name) => navigate(folderPath(bucket, `${prefix}${name}/`))} />
      <Tray />
    </Page>
  );
}

const crumbsOf = (bucket: string, prefix: string): [string, string][] => {
  const parts = prefix.split('/').filter(Boolean);
  return parts.map((part, i) => [part, folderPath(bucket, `${parts.slice(0, i + 1).join('/')}/`)]);
};

function DeleteObjects({ bucket, keys, versioned, onClose, onGone }: { bucket: string; keys: string[] | null; versioned: boolean; onClose: () => void; onGone: () => void }) {
  if (!keys) return null;
  const folders = keys.filter((key) => key.endsWith('/'));
  const run = async () => {
    try {
      const done = await send<Deleted>('POST', api(bucket, 'delete'), { keys: keys.filter((key) => !key.endsWith('/')).map((key) => ({ key })), prefixes: folders });
      if (done.failed > 0) toast(t('storage.not_deleted', { n: done.failed, why: done.failures[0]?.why ?? '' }), 'bad');
      else toast(t('storage.deleted', { n: done.deleted }));
    } catch (error) {
      toast((error as Error).message, 'bad');
    }
    onGone();
  };
  return (
    <Confirm title={t('storage.delete_n', { n: keys.length })} open word={t('ui.delete')} onClose={onClose} onConfirm={run}>
      <ul class="names">{keys.slice(0, 8).map((key) => <li key={key} class="mono cut">{key}</li>)}{keys.length > 8 && <li class="faint">{t('storage.and_more', { n: keys.length - 8 })}</li>}</ul>
      {folders.length > 0 && <p>{t('storage.delete_folders')}</p>}
      <p class="quiet">{versioned ? t('storage.delete_versioned') : t('storage.delete_for_good')}</p>
    </Confirm>
  );
}

function NewFolder({ open, onClose, onMade }: { open: boolean; onClose: () => void; onMade: (name: string) => void }) {
  const [name, setName] = useState('');
  const good = name.replace(/^\/+|\/+$/g, '');
  return (
    <Dialog title={t('storage.new_folder')} open={open} onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.cancel')}</Button><Button kind="primary" disabled={!good} type="submit" form="new-folder">{t('storage.open_folder')}</Button></>}>
      <form id="new-folder" onSubmit={(event) => { event.preventDefault(); if (good) { onClose(); setName(''); onMade(good); } }}>
        <Field label={t('storage.name')} hint={t('storage.folder_hint')} value={name} autocomplete="off" onInput={(e: InputEvent) => setName((e.currentTarget as HTMLInputElement).value)} />
      </form>
    </Dialog>
  );
}
