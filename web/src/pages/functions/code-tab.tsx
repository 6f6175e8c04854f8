import { useEffect, useState } from 'preact/hooks';
import { may } from '../../lib/api';
import { bytes } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { setQuery, usePlace } from '../../lib/router';
import type { Page as ListOf } from '../../lib/types';
import { ButtonLink, Empty, Problem, Skeleton } from '../../ui/basics';
import { CodePane } from './code-pane';
import { fileOf, readFile } from './source';
import { apiOf, pageOf, type FunctionView, type SourceFileView, type VersionView } from './types';

const SHOWN_BYTES_MAX = 1 << 20;

/** The code of a version, to read. */
export function CodeTab({ of: f }: { of: FunctionView }) {
  const { query } = usePlace();
  const version = query.get('version') ?? String(f.live_number ?? '');
  const versions = useResource<ListOf<VersionView>>(apiOf(f.name, '/versions'));
  const files = useResource<ListOf<SourceFileView>>(version ? apiOf(f.name, `/versions/${encodeURIComponent(version)}/files?limit=1000`) : null);
  const items = files.data?.items ?? [];
  const wanted = query.get('file');
  const file = items.find((one) => one.path === wanted) ?? items.find((one) => /^(handler\.py|index\.\w+|main\.\w+|bootstrap)$/.test(one.path)) ?? items[0];
  if (!f.live) return <Empty title={t('functions.state_none')} icon="file" />;
  return (
    <div class="editor reading">
      <div class="file-tabs">
        <div class="row head">
          <select aria-label={t('functions.version')} value={version} onChange={(event) => setQuery({ version: event.currentTarget.value === String(f.live_number) ? null : event.currentTarget.value, file: file?.path ?? null })}>
            {(versions.data?.items ?? []).map((one) => (
              <option key={one.version} value={String(one.number)}>{`v${one.number}${one.aliases.length > 0 ? ` · ${one.aliases.join(', ')}` : ''}`}</option>
            ))}
          </select>
          <span class="grow" />
          {may('deploy') && <ButtonLink small to={`${pageOf(f.name, 'edit')}${version === String(f.live_number) ? '' : `?version=${version}`}`} icon="edit">{t('functions.edit')}</ButtonLink>}
        </div>
        <ul aria-label={t('functions.files')}>
          {items.map((one) => (
            <li key={one.path} class={one === file ? 'chosen' : ''}>
              <button type="button" class="file" aria-current={one === file ? 'true' : undefined} title={one.path} onClick={() => setQuery({ file: one.path })}>
                <span class="cut grow">{one.path}</span>
                <span class="faint small">{bytes(one.bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
        {files.data?.next && <p class="quiet small">{t('functions.first_files', { n: items.length })}</p>}
      </div>
      <div class="editor-main">
        {files.problem && <Problem of={files.problem} retry={() => void files.reload()} />}
        {files.loading && <Skeleton rows={8} />}
        {file && <Shown key={`${version}/${file.path}`} name={f.name} version={version} file={file} />}
      </div>
    </div>
  );
}

function Shown({ name, version, file }: { name: string; version: string; file: SourceFileView }) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const readable = file.kind === 'text' && file.bytes <= SHOWN_BYTES_MAX;
  useEffect(() => {
    if (!readable) return;
    const ending = new AbortController();
    readFile(name, version, file.path, ending.signal)
      .then((got) => setText(fileOf(file.path, got).text ?? ''))
      .catch((error: Error) => !ending.signal.aborted && setProblem(error));
    return () => ending.abort();
  }, [readable]);
  if (problem) return <Problem of={problem} />;
  if (!readable)
    return (
      <p class="quiet no-text">
        {file.kind === 'link' ? t('functions.is_link', { to: file.target ?? '' }) : t('functions.is_binary', { size: bytes(file.bytes) })}{' '}
        {file.kind !== 'link' && <a href={`${apiOf(name, `/versions/${version}/file`)}?path=${encodeURIComponent(file.path)}`}>{t('functions.download')}</a>}
      </p>
    );
  return text === null ? <Skeleton rows={8} /> : <CodePane path={file.path} text={text} readOnly />;
}
