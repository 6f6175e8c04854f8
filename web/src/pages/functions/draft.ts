import { merge } from '../../lib/diff';
import { same, type Files, type SourceFile } from './source';

/** What was begun and not deployed, kept in this browser: the texts that differ from the version it builds on. */
interface KeptDraft {
  /** Digest of the version it builds on; empty for a new function. */
  base: string;
  at: number;
  /** By path; null for a file that was taken away. */
  changes: Record<string, { text: string; executable: boolean } | null>;
}

const KEPT_MAX = 2_000_000;
const keyOf = (user: string, name: string) => `dure.draft.${user}.${name || '*'}`;

/** What was kept for a function; null when nothing was, or this browser keeps nothing. */
export function keptDraft(user: string, name: string): KeptDraft | null {
  try {
    const text = localStorage.getItem(keyOf(user, name));
    return text ? (JSON.parse(text) as KeptDraft) : null;
  } catch {
    return null;
  }
}

/** Forgets what was kept. */
export function dropDraft(user: string, name: string): void {
  try {
    localStorage.removeItem(keyOf(user, name));
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

/** Keeps what differs. Files that are not text are not kept. */
export function keepDraft(user: string, name: string, base: string, before: Files, now: Files): void {
  const changes: KeptDraft['changes'] = {};
  for (const [path, file] of now) if (file.text !== undefined && !same(file, before.get(path))) changes[path] = { text: file.text, executable: file.executable };
  for (const path of before.keys()) if (!now.has(path)) changes[path] = null;
  if (Object.keys(changes).length === 0) return dropDraft(user, name);
  try {
    const text = JSON.stringify({ base, at: Date.now(), changes } satisfies KeptDraft);
    if (text.length <= KEPT_MAX) localStorage.setItem(keyOf(user, name), text);
  } catch {
    // Full or forbidden: the guard against leaving still asks.
  }
}

/** The files with what was kept on top. */
export function withDraft(before: Files, draft: KeptDraft): Files {
  const files = new Map(before);
  for (const [path, change] of Object.entries(draft.changes)) {
    if (change) files.set(path, { path, ...change });
    else files.delete(path);
  }
  return sorted(files);
}

export const sorted = (files: Files): Files => new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));

/** A file that differs between what was begun from, what somebody else deployed, and what is here. */
export interface Conflict {
  path: string;
  base?: SourceFile;
  mine?: SourceFile;
  theirs?: SourceFile;
  /** Both changed it, and not alike. */
  both: boolean;
  /** Both changes in one, where they are in different places of a text; else somebody must choose. */
  together?: SourceFile;
  choice: Choice | null;
}

export type Choice = 'mine' | 'theirs' | 'together';

function together(base?: SourceFile, mine?: SourceFile, theirs?: SourceFile): SourceFile | undefined {
  if (base?.text === undefined || mine?.text === undefined || theirs?.text === undefined) return undefined;
  const text = merge(base.text, mine.text, theirs.text);
  return text === null ? undefined : { path: mine.path, text, executable: mine.executable === base.executable ? theirs.executable : mine.executable };
}

/** What must be put together. Files that one side alone changed are chosen already. */
export function conflicts(base: Files, mine: Files, theirs: Files): Conflict[] {
  const found: Conflict[] = [];
  for (const path of [...new Set([...base.keys(), ...mine.keys(), ...theirs.keys()])].sort()) {
    const [b, m, o] = [base.get(path), mine.get(path), theirs.get(path)];
    if (same(m, o)) continue;
    const [changedHere, changedThere] = [!same(b, m), !same(b, o)];
    const both = changedHere && changedThere;
    const one = both ? together(b, m, o) : undefined;
    found.push({ path, base: b, mine: m, theirs: o, both, together: one, choice: one ? 'together' : both ? null : changedHere ? 'mine' : 'theirs' });
  }
  return found;
}

/** Theirs, with what was chosen of mine. */
export function merged(theirs: Files, chosen: readonly Conflict[]): Files {
  const files = new Map(theirs);
  for (const one of chosen) {
    const file = one.choice === 'mine' ? one.mine : one.choice === 'together' ? one.together : one.theirs;
    if (file) files.set(one.path, file);
    else files.delete(one.path);
  }
  return sorted(files);
}
