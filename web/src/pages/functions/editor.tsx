import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiProblem, may } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { useResource } from '../../lib/resource';
import { navigate, useLeaveGuard, useQuery } from '../../lib/router';
import type { Page as ListOf } from '../../lib/types';
import { Button, Empty, Problem, Skeleton, Time } from '../../ui/basics';
import { Field, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import type { PlacedMark } from './build-marks';
import { CodePane } from './code-pane';
import { ConflictDialog } from './conflict';
import { BuildPanel, FileTabs, NoText } from './editor-parts';
import { filesOf } from './source';
import { apiOf, pageOf, type FunctionView, type ReleaseView, type TemplateView } from './types';
import { TooLarge, useEditing, type Editing } from './use-editing';
import './functions.css';

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const FIRST = ['hello-python', 'hello-node', 'hello-typescript'];
const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
const SHARES = [0, 1, 5, 10, 25, 50];

/** Writes a function, or goes on with one, and deploys it from the browser. */
export default function EditorPage({ name = '' }: { name?: string }) {
  const [version] = useQuery('version');
  const editing = useEditing(name, version);
  const [newName, setNewName] = useState('');
  const [share, setShare] = useState(0);
  const [conflict, setConflict] = useState(false);
  const [reveal, setReveal] = useState<{ line: number; column: number } | null>(null);
  const as = name || newName;
  const { base, files, build, dirty } = editing;
  const busy = build?.state === 'running';
  const latest = useResource<FunctionView>(name ? apiOf(name) : null, { topics: ['functions', `function:${name}`], every: 10_000 });
  const moved = !!base && !!latest.data && !busy && latest.data.tag !== base.tag;

  const dirtyNow = useRef(false);
  dirtyNow.current = dirty;
  useLeaveGuard(useCallback(() => (dirtyNow.current ? t('functions.leave') : null), []));

  const deploy = async () => {
    if (busy || conflict || !base || files.size === 0) return;
    if (!NAME.test(as)) return toast(t('functions.name_bad'), 'bad');
    try {
      const made = await editing.send(as, share);
      await latest.reload();
      toast(share > 0 ? t('functions.deployed_canary', { n: made.number, share }) : t('functions.deployed', { n: made.number }), 'ok', { name: t('functions.try_it'), run: () => navigate(pageOf(as, 'try')) });
      dirtyNow.current = false;
      if (!name) navigate(pageOf(as, 'edit'), { replace: true });
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.id === 'DURE0220' && name) setConflict(true);
    }
  };
  useKeys(t('functions.editor'), { 'Ctrl+s': { run: () => void deploy(), label: t('functions.deploy'), inFields: true } });

  const go = (mark: PlacedMark) => {
    editing.setActive(mark.path);
    setReveal({ line: mark.line, column: mark.column });
  };
  const marks = useMemo(() => (build?.marks ?? []).filter((mark) => mark.path === editing.active), [build, editing.active]);
  const shownFile = files.get(editing.active);
  const title = name ? t('functions.edit_title', { name }) : t('functions.new');
  const commands = name ? `dure fn pull ${name} && dure fn deploy ${name}` : `dure fn deploy examples/hello-python${newName ? ` --name ${newName}` : ''}`;

  if (!may('deploy'))
    return (
      <Page title={title} command={commands}>
        <Empty title={t('functions.may_not')} icon="key">{t('functions.may_not_text')}</Empty>
      </Page>
    );
  return (
    <Page
      title={title}
      tab={busy ? t('functions.tab_building', { name: as }) : build?.state === 'failed' ? `✗ ${title}` : dirty ? `● ${title}` : title}
      crumbs={name ? [[t('nav.functions'), '/functions'], [name, pageOf(name)]] : [[t('nav.functions'), '/functions']]}
      aside={base?.number ? <span class="quiet small">{dirty ? t('functions.on_top_of', { n: base.number }) : t('functions.as_deployed', { n: base.number })}</span> : undefined}
      command={commands}
      fill
      actions={
        <>
          {name && dirty && <Button kind="quiet" icon="retry" onClick={editing.revert}>{t('functions.revert')}</Button>}
          {name && latest.data?.live && (
            <select class="share-choice" aria-label={t('functions.share_label')} value={String(share)} onChange={(event) => setShare(Number(event.currentTarget.value))}>
              {SHARES.map((one) => (
                <option key={one} value={String(one)}>
                  {one === 0 ? t('functions.share_all') : t('functions.share_part', { share: one })}
                </option>
              ))}
            </select>
          )}
          <Button kind="primary" icon="upload" keys="Ctrl+S" busy={busy} disabled={!base || files.size === 0} onClick={() => void deploy()}>
            {t('functions.deploy')}
          </Button>
        </>
      }
    >
      {editing.problem && (editing.problem instanceof TooLarge ? <Empty title={t('functions.too_large')} command={commands}>{t('functions.too_large_text')}</Empty> : <Problem of={editing.problem} />)}
      {!base && !editing.problem && <Skeleton rows={10} />}
      {!name && base && <NewFunction of={editing} name={newName} onName={setNewName} />}
      {moved && <Moved name={name} onTake={() => setConflict(true)} />}
      {editing.restored && dirty && !moved && (
        <div class="notice row wrap">
          <span class="grow">{t('functions.restored')}</span>
          <Button small onClick={editing.revert}>{t('functions.drop_draft')}</Button>
        </div>
      )}
      {base && files.size > 0 && (
        <div class="editor">
          <FileTabs of={editing} marks={build?.marks ?? []} />
          <div class="editor-main">
            {shownFile?.text !== undefined ? (
              <CodePane path={editing.active} text={shownFile.text} marks={marks} reveal={reveal} version={editing.outside} onChange={editing.change} />
            ) : (
              <NoText of={editing} />
            )}
            {build && <BuildPanel of={build} editing={editing} onPlace={go} onClose={() => editing.setBuild(null)} />}
          </div>
        </div>
      )}
      {name && <ConflictDialog of={editing} open={conflict} onClose={() => setConflict(false)} />}
    </Page>
  );
}

/** Says that somebody else deployed, who and when, and leads to what changed. */
function Moved({ name, onTake }: { name: string; onTake: () => void }) {
  const history = useResource<ListOf<ReleaseView>>(apiOf(name, '/history'), { topics: ['functions'] });
  const last = history.data?.items[0];
  return (
    <div class="notice warn row wrap" role="alert">
      <span class="grow">
        {last ? t('functions.moved_by', { who: last.owner, n: last.live ?? 0 }) : t('functions.moved')} {last && <Time at={last.at} />}
      </span>
      <Button small kind="primary" onClick={onTake}>{t('functions.see_merge')}</Button>
    </div>
  );
}

/** What a new function begins with: a name and one of the examples. */
function NewFunction({ of: editing, name, onName }: { of: Editing; name: string; onName: (name: string) => void }) {
  // What is offered does not change while the server runs; the topic only keeps the connection of the tab.
  const templates = useResource<ListOf<TemplateView>>('/api/templates', { topics: ['functions'], onEvent: () => false });
  const [chosen, setChosen] = useQuery('template');
  const items = [...(templates.data?.items ?? [])].sort((a, b) => rank(a.name) - rank(b.name));
  const begun = useRef('');
  useEffect(() => {
    const template = items.find((one) => one.name === (chosen || FIRST[0]));
    if (!template || begun.current === template.name) return;
    begun.current = template.name;
    const from = filesOf(template);
    editing.begin({ digest: '', number: null, tag: null, files: from }, from);
  }, [templates.data, chosen]);
  const choose = (one: string) => {
    if (editing.dirty && !confirm(t('functions.template_replace'))) return;
    setChosen(one);
  };
  return (
    <div class="new-function">
      {templates.problem && <Problem of={templates.problem} retry={() => void templates.reload()} />}
      <Field label={t('functions.name')} placeholder="hello" autoFocus value={name} spellcheck={false} autocomplete="off" hint={t('functions.name_hint')} fault={name && !NAME.test(name) ? t('functions.name_bad') : undefined} onInput={(event) => onName((event.currentTarget as HTMLInputElement).value)} />
      <div class="field">
        <span class="small quiet" id="templates-label">{t('functions.begin_with')}</span>
        <ul class="templates" aria-labelledby="templates-label">
          {items.map((one) => (
            <li key={one.name}>
              <button type="button" aria-pressed={one.name === (chosen || FIRST[0])} onClick={() => choose(one.name)} title={one.description}>
                <strong>{one.name}</strong>
                <span class="small quiet cut">{one.description}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
