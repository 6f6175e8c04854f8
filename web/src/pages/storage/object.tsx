import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, may, request, send } from '../../lib/api';
import { bytes } from '../../lib/format';
import { save } from '../../lib/save';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { navigate } from '../../lib/router';
import { Button, Card, Copy, Facts, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Confirm, Dialog, Field, Menu, toast } from '../../ui/forms';
import { LinkDialog } from './link';
import { api, baseName, folderPath, objectUrl } from './places';
import type { ObjectView } from './types';

interface Versions {
  items: ObjectView[];
  next?: string;
}

/** One object: what it is, what is in it, its versions, and what can be done with it. */
export function ObjectPanel({ bucket, name, versioned, onClose, onChanged, onDelete }: { bucket: string; name: string; versioned: boolean; onClose: () => void; onChanged: () => void; onDelete: () => void }) {
  const list = useResource<Versions>(api(bucket, `versions?${new URLSearchParams({ key: name })}`));
  const [version, setVersion] = useState<string | undefined>();
  const [linking, setLinking] = useState(false);
  const [moving, setMoving] = useState(false);
  const [erasing, setErasing] = useState<ObjectView | null>(null);
  useEffect(() => setVersion(undefined), [name]);
  const versions = list.data?.items ?? [];
  const shown = versions.find((one) => (version ? one.version_id === version : one.latest)) ?? versions[0];
  const restore = async (one: ObjectView) => {
    try {
      await send('POST', api(bucket, 'copy'), { from: name, to: name, version_id: one.version_id, overwrite: true });
      toast(t('storage.restored', { name: baseName(name) }));
      setVersion(undefined);
      void list.reload();
      onChanged();
    } catch (error) {
      toast((error as Error).message, 'bad');
    }
  };
  return (
    <Dialog title={baseName(name)} open wide onClose={onClose}>
      <Problem of={list.problem} retry={list.reload} />
      {list.loading && <Skeleton />}
      {shown && (
        <div class="object">
          <div class="object-side">
            <div class="row wrap">
              {!shown.delete_marker && <Button kind="primary" icon="download" onClick={() => save(objectUrl(bucket, name, { version, download: true }), baseName(name))}>{t('storage.download')}</Button>}
              {!shown.delete_marker && <Button icon="link" onClick={() => setLinking(true)}>{t('storage.share')}</Button>}
              {may('deploy') && shown.latest && !shown.delete_marker && (
                <Menu
                  label={t('storage.more_for', { name: baseName(name) })}
                  items={[
                    { name: t('storage.rename'), icon: 'edit', run: () => setMoving(true) },
                    { name: t('ui.delete'), icon: 'trash', danger: true, run: onDelete },
                  ]}
                />
              )}
            </div>
            <Facts
              items={[
                [t('storage.key'), <span key="k" class="row"><code class="grow wrap-any">{name}</code><Copy text={`s3://${bucket}/${name}`} label={t('storage.copy_address')} /></span>],
                [t('storage.size'), shown.delete_marker ? t('storage.deleted_here') : `${bytes(shown.size)}`],
                [t('storage.type'), shown.content_type],
                [t('storage.changed'), <Time key="t" at={shown.modified_at} />],
                [t('storage.owner'), shown.owner],
                ['ETag', shown.etag && <code key="e" class="wrap-any">{shown.etag}</code>],
                ...Object.entries(shown.metadata ?? {}).map(([key, value]) => [key, value] as [string, string]),
              ]}
            />
            {(versioned || versions.length > 1) && (
              <Card title={t('storage.versions')} flush>
                <ul class="versions">
                  {versions.map((one) => (
                    <li key={one.version_id ?? one.modified_at} class={one === shown ? 'chosen' : ''}>
                      <button type="button" class="link grow" aria-current={one === shown} onClick={() => setVersion(one.version_id ?? undefined)}>
                        <Time at={one.modified_at} /> <span class="faint">{one.delete_marker ? '' : bytes(one.size)}</span>
                      </button>
                      {one.latest && <State tone={one.delete_marker ? 'off' : 'ok'} word={one.delete_marker ? t('storage.deleted_here') : t('storage.latest')} />}
                      {!one.latest && one.delete_marker && <State tone="off" word={t('storage.deleted_here')} />}
                      {may('deploy') && !one.latest && !one.delete_marker && <Button small kind="quiet" icon="retry" label={t('storage.restore')} onClick={() => void restore(one)} />}
                      {may('deploy') && one.version_id && <Button small kind="quiet" icon="trash" label={t('storage.erase')} onClick={() => setErasing(one)} />}
                    </li>
                  ))}
                </ul>
              </Card>
            )}
          </div>
          <Preview key={`${name} ${shown.version_id ?? shown.etag}`} bucket={bucket} object={shown} version={version} />
        </div>
      )}
      {linking && <LinkDialog bucket={bucket} name={name} version={version} onClose={() => setLinking(false)} />}
      {moving && <Rename bucket={bucket} name={name} onClose={() => setMoving(false)} onMoved={(to) => { onChanged(); navigate(`${folderPath(bucket, to.replace(/[^/]*$/, ''))}`); }} />}
      {erasing && (
        <Confirm
          title={t('storage.erase')}
          open
          word={t('storage.erase')}
          onClose={() => setErasing(null)}
          onConfirm={async () => {
            await send('POST', api(bucket, 'delete'), { keys: [{ key: name, version_id: erasing.version_id }] }).catch((error: Error) => toast(error.message, 'bad'));
            setVersion(undefined);
            onChanged();
            void list.reload();
          }}
        >
          <p>{erasing.delete_marker ? t('storage.erase_marker') : t('storage.erase_text')}</p>
        </Confirm>
      )}
    </Dialog>
  );
}

const TEXT_BYTES = 256 * 1024;
const IMAGE = /^image\/(png|jpeg|gif|webp|avif|svg\+xml|bmp|x-icon)/;
const isText = (type: string, key: string) => /^text\/|json|xml|yaml|javascript|csv|x-sh|toml/.test(type) || /\.(txt|md|log|csv|tsv|json|jsonl|ndjson|ya?ml|toml|ini|py|js|ts|tsx|go|rs|c|h|cpp|cs|java|sh|sql|html?|css|xml|tex|bib|r|jl)$/i.test(key);

function Preview({ bucket, object, version }: { bucket: string; object: ObjectView; version?: string }) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const type = object.content_type ?? '';
  const image = IMAGE.test(type) || /\.(png|jpe?g|gif|webp|svg|avif)$/i.test(object.key);
  const readable = !image && isText(type, object.key);
  const url = objectUrl(bucket, object.key, { version });
  useEffect(() => {
    if (!readable || object.delete_marker || object.size === 0) return;
    let over = false;
    request('GET', url, { headers: { Accept: '*/*', ...(object.size > TEXT_BYTES && { Range: `bytes=0-${TEXT_BYTES - 1}` }) } })
      .then((answer) => answer.text())
      .then((got) => !over && setText(pretty(got, type, object.key, object.size > TEXT_BYTES)))
      .catch((error: unknown) => !over && error instanceof ApiProblem && setProblem(error));
    return () => void (over = true);
  }, [url]);
  if (object.delete_marker) return null;
  return (
    <section class="preview" aria-label={t('storage.preview')}>
      <Problem of={problem} />
      {image && object.size > 0 && <img src={url} alt={t('storage.picture', { name: baseName(object.key) })} />}
      {readable && object.size > 0 && text === null && !problem && <Skeleton rows={8} />}
      {text !== null && <pre class="code" tabIndex={0}>{text}</pre>}
      {readable && object.size > TEXT_BYTES && <p class="faint small">{t('storage.cut', { size: bytes(TEXT_BYTES), all: bytes(object.size) })}</p>}
      {((!image && !readable) || object.size === 0) && <p class="quiet">{object.size === 0 ? t('storage.empty_object') : t('storage.no_preview')}</p>}
    </section>
  );
}

function pretty(text: string, type: string, key: string, cut: boolean): string {
  if (cut || !(type.includes('json') || key.endsWith('.json'))) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Rename({ bucket, name, onClose, onMoved }: { bucket: string; name: string; onClose: () => void; onMoved: (to: string) => void }) {
  const [to, setTo] = useState(name);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const move = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await send('POST', api(bucket, 'copy'), { from: name, to, move: true });
      toast(t('storage.renamed', { name: baseName(to) }));
      onMoved(to);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('storage.rename')} open onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.cancel')}</Button><Button kind="primary" busy={busy} disabled={to === name || to === ''} type="submit" form="rename">{t('storage.rename')}</Button></>}>
      <form id="rename" class="stack" onSubmit={(event) => void move(event)}>
        <Field label={t('storage.key')} hint={t('storage.rename_hint')} value={to} autocomplete="off" spellcheck={false} onInput={(e: InputEvent) => setTo((e.currentTarget as HTMLInputElement).value)} />
        <Problem of={problem} />
      </form>
    </Dialog>
  );
}
