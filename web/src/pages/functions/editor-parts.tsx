import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytes } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button, Problem, State } from '../../ui/basics';
import { Dialog, Field, Menu, toast } from '../../ui/forms';
import { Icon } from '../../ui/icons';
import { marksOf, pathFault, placeInOutput, type PlacedMark } from './build-marks';
import { sizeOf } from './source';
import { isChanged, type Build, type Editing } from './use-editing';

/** The files, as tabs: add, rename, take away. */
export function FileTabs({ of: editing, marks }: { of: Editing; marks: readonly PlacedMark[] }) {
  const [naming, setNaming] = useState<{ from: string | null } | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const remove = (path: string) => {
    const file = editing.files.get(path)!;
    editing.remove(path);
    toast(t('functions.file_removed', { path }), 'ok', { name: t('functions.undo'), run: () => editing.put(file) });
  };
  const removed = [...(editing.base?.files.keys() ?? [])].filter((path) => !editing.files.has(path));
  return (
    <div class="file-tabs">
      <div class="row head">
        <span class="grow small quiet">{t('functions.files')}</span>
        <Button kind="quiet" small icon="plus" label={t('functions.add_file')} onClick={() => setNaming({ from: null })} />
        <Button kind="quiet" small icon="upload" label={t('functions.upload_file')} onClick={() => picker.current!.click()} />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={t('functions.upload_file')}
          onChange={(event) => {
            const list = event.currentTarget.files;
            if (list?.length) void editing.upload(list);
          }}
        />
      </div>
      <ul aria-label={t('functions.files')}>
        {[...editing.files.values()].map((file) => {
          const faults = marks.filter((mark) => mark.path === file.path).length;
          return (
            <li key={file.path} class={file.path === editing.active ? 'chosen' : ''}>
              <button type="button" class="file" aria-current={file.path === editing.active ? 'true' : undefined} title={file.path} onClick={() => editing.setActive(file.path)}>
                <span class="cut">{file.path}</span>
                {faults > 0 && <span class="faults" aria-label={t('functions.faults', { n: faults })}>{faults}</span>}
                {faults === 0 && isChanged(editing, file.path) && <i class="unsaved" role="img" aria-label={t('functions.file_changed')} title={t('functions.file_changed')} />}
              </button>
              <Menu
                label={t('functions.file_menu', { path: file.path })}
                items={[
                  { name: t('functions.rename'), icon: 'edit', run: () => setNaming({ from: file.path }) },
                  { name: t('functions.executable'), icon: file.executable ? 'check' : undefined, run: () => editing.put({ ...file, executable: !file.executable }), disabled: file.target !== undefined },
                  { name: t('ui.delete'), icon: 'trash', danger: true, run: () => remove(file.path) },
                ]}
              />
            </li>
          );
        })}
        {removed.map((path) => (
          <li key={path} class="gone">
            <span class="file cut" title={t('functions.file_gone')}>{path}</span>
            <Button kind="quiet" small icon="retry" label={t('functions.bring_back', { path })} onClick={() => editing.put(editing.base!.files.get(path)!)} />
          </li>
        ))}
      </ul>
      <Naming of={editing} naming={naming} onClose={() => setNaming(null)} />
    </div>
  );
}

function Naming({ of: editing, naming, onClose }: { of: Editing; naming: { from: string | null } | null; onClose: () => void }) {
  const [path, setPath] = useState('');
  useEffect(() => setPath(naming?.from ?? ''), [naming]);
  const fault = path === naming?.from ? '' : pathFault(path, editing.files);
  const done = () => {
    if (fault) return;
    if (naming!.from === null) editing.put({ path, text: '', executable: false });
    else if (naming!.from !== path) editing.put({ ...editing.files.get(naming!.from)!, path }, naming!.from);
    onClose();
  };
  return (
    <Dialog
      title={naming?.from ? t('functions.rename') : t('functions.add_file')}
      open={naming !== null}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button kind="primary" disabled={!!fault} onClick={done}>{naming?.from ? t('functions.rename') : t('functions.add')}</Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          done();
        }}
      >
        <Field label={t('functions.path')} hint={t('functions.path_hint')} fault={path && fault ? t(`functions.${fault}`) : undefined} value={path} autoFocus spellcheck={false} autocomplete="off" onInput={(event) => setPath((event.currentTarget as HTMLInputElement).value)} />
      </form>
    </Dialog>
  );
}

/** A file that is not text. */
export function NoText({ of: editing }: { of: Editing }) {
  const file = editing.files.get(editing.active);
  if (!file) return <p class="quiet no-text">{t('functions.no_file')}</p>;
  return <p class="quiet no-text">{file.target !== undefined ? t('functions.is_link', { to: file.target }) : t('functions.is_binary', { size: bytes(sizeOf(file)) })}</p>;
}

/** How the deployment goes: every step and line as it comes, and what is wrong at its place. */
export function BuildPanel({ of: build, editing, onPlace, onClose }: { of: Build; editing: Editing; onPlace: (mark: PlacedMark) => void; onClose: () => void }) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [build.lines.length, build.state]);
  const { rest } = useMemo(() => marksOf(editing.files, build.problem, []), [build, editing.files]);
  return (
    <section class="build" aria-label={t('functions.build')}>
      <header class="row">
        <State tone={build.state === 'running' ? 'run' : build.state === 'done' ? 'ok' : 'bad'} word={t(`functions.build_${build.state}`)} />
        <span class="grow" />
        <Button kind="quiet" small icon="close" label={t('ui.close')} onClick={onClose} />
      </header>
      <div class="build-lines" role="log" aria-live="polite" tabIndex={0}>
        {build.lines.map((line, i) => {
          const place = line.kind === 'output' ? placeInOutput(editing.files, line.text) : null;
          return line.kind === 'step' ? (
            <div key={i} class="step"><Icon name="right" size={12} /> {line.text}</div>
          ) : (
            <div key={i}>{place ? <button type="button" class="link" onClick={() => onPlace(place)}>{line.text}</button> : line.text}</div>
          );
        })}
        {build.marks.length > 0 && (
          <ul class="marks">
            {build.marks.map((mark, i) => (
              <li key={i}>
                <button type="button" class="link" onClick={() => onPlace(mark)}>
                  {mark.path}:{mark.line}
                  {mark.column > 0 && `:${mark.column}`}
                </button>{' '}
                {mark.text}
              </li>
            ))}
          </ul>
        )}
        {rest && <Problem of={rest} />}
        <div ref={end} />
      </div>
    </section>
  );
}
