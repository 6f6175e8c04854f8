import { ApiProblem, type Fault } from '../../lib/api';
import type { Mark } from './codemirror';
import type { Files } from './source';

/** Something wrong, at its place in a file of the editor. */
export interface PlacedMark extends Mark {
  path: string;
}

const PLACE = /^(?<path>.+?)(?::(?<line>\d+)(?::(?<column>\d+))?|\((?<line2>\d+),(?<column2>\d+)\))(?:[:\s]|$)/;
const IN_OUTPUT = /(?<path>[\w@./-]+\.\w+)(?::(?<line>\d+)(?::(?<column>\d+))?|\((?<line2>\d+),(?<column2>\d+)\)):?\s*(?:error\s*)?(?<text>[^\n]*)/;

/** The file of the editor that a tool means: it may have named it by the whole path of its own folder. */
function fileNamed(files: Files, path: string): string | undefined {
  const tidy = path.replace(/^\.\//, '');
  if (files.has(tidy)) return tidy;
  return [...files.keys()].find((one) => tidy.endsWith(`/${one}`));
}

function placed(files: Files, found: RegExpExecArray | null, text: string): PlacedMark | null {
  const part = found?.groups;
  const path = part?.path && fileNamed(files, part.path);
  if (!path) return null;
  return { path, line: Number(part.line ?? part.line2), column: Number(part.column ?? part.column2 ?? 0), text };
}

/** Where a fault is, when it names a line of a file here. */
export const placeOf = (files: Files, fault: Fault): PlacedMark | null => placed(files, PLACE.exec(fault.where), fault.what);

/** Where a line of a compiler's output is. */
export function placeInOutput(files: Files, line: string): PlacedMark | null {
  const found = IN_OUTPUT.exec(line);
  return placed(files, found, found?.groups?.text ?? line);
}

/** Splits what a failed build said: what has a place in a file, and the rest of the problem. */
export function marksOf(files: Files, problem: ApiProblem | null, output: readonly string[]): { marks: PlacedMark[]; rest: ApiProblem | null } {
  if (!problem) return { marks: [], rest: null };
  const fromFaults = problem.faults.map((fault) => placeOf(files, fault));
  const marks = fromFaults.filter((mark) => mark !== null);
  if (marks.length === 0) for (const line of output) if (/error|undefined|expected/i.test(line)) marks.push(...[placeInOutput(files, line)].filter((mark) => mark !== null));
  const left = problem.faults.filter((_, i) => !fromFaults[i]);
  return { marks, rest: new ApiProblem(problem.status, problem.id, problem.title, problem.detail, problem.remedy, left) };
}

/** What is wrong with a path in a package; empty when nothing is. */
export function pathFault(path: string, files: Files): 'path_empty' | 'path_bad' | 'path_kept' | 'path_taken' | '' {
  if (!path.trim()) return 'path_empty';
  if (path.startsWith('/') || path.length > 200 || /[\u0000-\u001f\\]/.test(path) || path.split('/').some((part) => part === '' || part === '.' || part === '..')) return 'path_bad';
  if (path.startsWith('.dure/')) return 'path_kept';
  if (files.has(path) || [...files.keys()].some((one) => one.startsWith(`${path}/`) || path.startsWith(`${one}/`))) return 'path_taken';
  return '';
}
