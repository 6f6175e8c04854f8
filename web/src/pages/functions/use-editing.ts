import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiProblem, get, session } from '../../lib/api';
import { marksOf, type PlacedMark } from './build-marks';
import { dropDraft, keepDraft, keptDraft, sorted, withDraft } from './draft';
import { deploy, fileOf, readFiles, same, sameFiles, TooLarge, type Files, type SourceFile } from './source';
import { apiOf, type FunctionView, type VersionView } from './types';

/** What is being changed: a version as the server has it. */
export interface Base {
  /** Its digest; empty for a function that is not there yet. */
  digest: string;
  number: number | null;
  /** Where callers were sent when it was read; null for a function that is not there yet. */
  tag: string | null;
  files: Files;
}

/** How a deployment goes. */
export interface Build {
  state: 'running' | 'done' | 'failed';
  lines: { kind: 'step' | 'output'; text: string }[];
  problem: ApiProblem | null;
  marks: PlacedMark[];
}

const KEEP_AFTER_MS = 500;
const LINES_MAX = 5000;
const EMPTY: Files = new Map();
const who = () => session.get()?.user.name ?? '';

/** Reads what is to be edited: the live version (or the one asked for), with what was begun here before on top. */
async function load(name: string, version: string): Promise<{ base: Base; files: Files; restored: boolean }> {
  const f = await get<FunctionView>(apiOf(name));
  if (!f.live) return { base: { digest: '', number: null, tag: f.tag, files: EMPTY }, files: EMPTY, restored: false };
  const draft = keptDraft(who(), name);
  if (draft && draft.base !== f.live) {
    // Begun on top of a version that is no longer live: what is there now is offered to be taken in.
    const before = await readFiles(name, draft.base).catch(() => null);
    if (before) return { base: { digest: draft.base, number: null, tag: draft.base, files: before }, files: withDraft(before, draft), restored: true };
  }
  const files = await readFiles(name, f.live);
  const base: Base = { digest: f.live, number: f.live_number ?? null, tag: f.tag, files };
  if (version) return { base, files: await readFiles(name, version), restored: false };
  if (draft && draft.base === f.live) return { base, files: withDraft(files, draft), restored: true };
  return { base, files, restored: false };
}

/** All that the editor of a function does. */
export function useEditing(name: string, version: string) {
  const [base, setBase] = useState<Base | null>(null);
  const [files, setFiles] = useState<Files>(EMPTY);
  const [active, setActive] = useState('');
  const [problem, setProblem] = useState<Error | null>(null);
  const [restored, setRestored] = useState(false);
  const [outside, setOutside] = useState(0);
  const [build, setBuild] = useState<Build | null>(null);
  const now = useRef({ base, files });
  now.current = { base, files };

  const begin = useCallback((from: Base, with_: Files) => {
    setBase(from);
    setFiles(with_);
    setActive((path) => (with_.has(path) ? path : firstOf(with_)));
    setOutside((n) => n + 1);
  }, []);
  useEffect(() => {
    if (!name) return begin({ digest: '', number: null, tag: null, files: EMPTY }, EMPTY);
    let over = false;
    load(name, version)
      .then((found) => {
        if (over) return;
        begin(found.base, found.files);
        setRestored(found.restored);
      })
      .catch((error: Error) => !over && setProblem(error));
    return () => void (over = true);
  }, [name, version, begin]);

  const dirty = useMemo(() => !!base && !sameFiles(base.files, files), [base, files]);
  useEffect(() => {
    if (!base || !name) return;
    const timer = setTimeout(() => keepDraft(who(), name, base.digest, base.files, files), KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [base, files, name]);

  const change = useCallback((path: string, text: string) => {
    setFiles((all) => {
      const file = all.get(path);
      return !file || file.text === text ? all : new Map(all).set(path, { ...file, text });
    });
  }, []);
  const put = useCallback((file: SourceFile, instead?: string) => {
    setFiles((all) => {
      const next = new Map(all);
      if (instead !== undefined) next.delete(instead);
      return sorted(next.set(file.path, file));
    });
    setActive(file.path);
    setOutside((n) => n + 1);
  }, []);
  const remove = useCallback((path: string) => {
    const left = new Map(now.current.files);
    left.delete(path);
    setFiles(left);
    setActive((at) => (at === path ? firstOf(left) : at));
  }, []);
  const upload = useCallback(async (list: FileList) => {
    for (const one of list) put(fileOf(one.name, new Uint8Array(await one.arrayBuffer())));
  }, [put]);
  const revert = useCallback(() => {
    const from = now.current.base!;
    dropDraft(who(), name);
    setRestored(false);
    begin(from, from.files);
  }, [name, begin]);

  const send = useCallback(async (as: string, canary: number): Promise<VersionView> => {
    const { base: on, files: sent } = now.current;
    const lines: Build['lines'] = [];
    let drawn = 0;
    const show = (state: Build['state'], of: ApiProblem | null = null) => {
      drawn = Date.now();
      const { marks } = marksOf(sent, of, lines.filter((line) => line.kind === 'output').map((line) => line.text));
      setBuild({ state, lines: [...lines], problem: of, marks });
    };
    show('running');
    try {
      const made = await deploy(as, sent, {
        canary,
        tag: on!.tag,
        hear: (line) => {
          if (lines.length < LINES_MAX) lines.push(line.progress !== undefined ? { kind: 'step', text: line.progress } : { kind: 'output', text: line.log ?? '' });
          if (Date.now() - drawn > 60 || line.progress) show('running');
        },
      });
      const f = await get<FunctionView>(apiOf(as));
      show('done');
      dropDraft(who(), as);
      setRestored(false);
      setBase({ digest: made.version, number: made.number, tag: f.tag, files: sent });
      return made;
    } catch (error) {
      const told = error instanceof ApiProblem ? error : new ApiProblem(0, '', String(error), '', '');
      show('failed', told);
      const first = marksOf(sent, told, lines.map((line) => line.text)).marks[0];
      if (first) setActive(first.path);
      throw told;
    }
  }, []);

  /** Reads what somebody else deployed. */
  const theirs = useCallback(async (): Promise<Base> => {
    const f = await get<FunctionView>(apiOf(name));
    return { digest: f.live ?? '', number: f.live_number ?? null, tag: f.tag, files: f.live ? await readFiles(name, f.live) : EMPTY };
  }, [name]);

  return { base, files, active, setActive, problem, restored, outside, build, setBuild, dirty, begin, change, put, remove, upload, revert, send, theirs };
}

export type Editing = ReturnType<typeof useEditing>;

/** The file that is shown first: where the code is, not the README. */
function firstOf(files: Files): string {
  const texts = [...files.values()].filter((file) => file.text !== undefined).map((file) => file.path);
  return texts.find((path) => /^(handler\.py|index\.\w+|main\.\w+|bootstrap)$/.test(path)) ?? texts.find((path) => /\.(py|m?[jt]s|go|cs|cpp)$/.test(path)) ?? texts[0] ?? '';
}

/** Whether a file differs from the version it builds on. */
export const isChanged = (editing: Editing, path: string): boolean => !same(editing.base?.files.get(path), editing.files.get(path));

export { TooLarge };
