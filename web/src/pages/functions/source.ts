import { get, lines, request, ApiProblem } from '../../lib/api';
import { pack } from '../../lib/tar';
import type { Page } from '../../lib/types';
import { apiOf, type SourceFileView, type TemplateView, type VersionView } from './types';

/** A file of a function as the editor has it. Texts are strings; anything else is kept as it came. */
export interface SourceFile {
  path: string;
  text?: string;
  bytes?: Uint8Array<ArrayBuffer>;
  target?: string;
  executable: boolean;
}

/** A folder: files by path. */
export type Files = ReadonlyMap<string, SourceFile>;

/** More than this is not edited in a browser. */
export const BYTES_MAX = 20 << 20;
export const FILES_MAX = 500;
const TEXT_BYTES_MAX = 1 << 20;

/** The version's source is too much for a browser. */
export class TooLarge extends Error {}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/** What bytes are to an editor. */
export function fileOf(path: string, bytes: Uint8Array<ArrayBuffer>, executable = false): SourceFile {
  if (bytes.length <= TEXT_BYTES_MAX && !bytes.includes(0)) {
    try {
      return { path, text: strict.decode(bytes), executable };
    } catch {
      // Not text: kept as it is.
    }
  }
  return { path, bytes, executable };
}

export const sizeOf = (file: SourceFile): number => file.bytes?.length ?? utf8.encode(file.text ?? '').length;

const sameBytes = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Whether two files would be the same in a package; undefined is one that is not there. */
export function same(a: SourceFile | undefined, b: SourceFile | undefined): boolean {
  if (!a || !b) return a === b;
  if (a.executable !== b.executable || a.target !== b.target || a.text !== b.text) return false;
  return a.bytes === b.bytes || (!!a.bytes && !!b.bytes && sameBytes(a.bytes, b.bytes));
}

/** Whether two folders are. */
export const sameFiles = (a: Files, b: Files): boolean => a.size === b.size && [...a].every(([path, file]) => same(file, b.get(path)));

/** Lists a version's files. */
export async function listFiles(name: string, version: string, signal?: AbortSignal): Promise<SourceFileView[]> {
  const items: SourceFileView[] = [];
  let cursor = '';
  do {
    const page: Page<SourceFileView> = await get(`${apiOf(name, `/versions/${version}/files`)}?limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`, signal);
    items.push(...page.items);
    cursor = page.next ?? '';
  } while (cursor && items.length <= FILES_MAX);
  return items;
}

/** The bytes of one file of a version. */
export async function readFile(name: string, version: string, path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await request('GET', `${apiOf(name, `/versions/${version}/file`)}?path=${encodeURIComponent(path)}`, { signal, headers: { Accept: '*/*' } });
  return new Uint8Array(await answer.arrayBuffer());
}

const AT_ONCE = 6;

/** All of a version's files, to be edited. */
export async function readFiles(name: string, version: string, signal?: AbortSignal): Promise<Files> {
  const items = await listFiles(name, version, signal);
  if (items.length > FILES_MAX || items.reduce((sum, item) => sum + item.bytes, 0) > BYTES_MAX) throw new TooLarge();
  const files = new Map<string, SourceFile>();
  const left = [...items];
  const work = async () => {
    for (let item = left.shift(); item; item = left.shift()) {
      if (item.kind === 'link') files.set(item.path, { path: item.path, target: item.target ?? '', executable: false });
      else files.set(item.path, fileOf(item.path, await readFile(name, version, item.path, signal), item.executable));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The files of a template. */
export const filesOf = (template: TemplateView): Files =>
  new Map(template.files.map((file) => [file.path, { path: file.path, text: file.content, executable: file.executable }]));

/** One line of a deployment's answer. */
interface DeployLine {
  progress?: string;
  log?: string;
  version?: VersionView;
  problem?: Record<string, unknown>;
}

export interface DeployOptions {
  /** Percent of the calls that go to it; 0 makes it live. */
  canary: number;
  /** What it builds on: the function's tag, or null for a function that must not be there yet. */
  tag: string | null;
  /** Told what begins, and what compilers and installers write. */
  hear: (line: { progress?: string; log?: string }) => void;
}

/** Packs, sends and builds. Throws an {@link ApiProblem} when nothing was deployed. */
export async function deploy(name: string, files: Files, options: DeployOptions): Promise<VersionView> {
  const body = await pack([...files.values()].map((file) => ({ path: file.path, content: file.bytes ?? utf8.encode(file.text ?? ''), executable: file.executable, link: file.target })));
  const on: Record<string, string> = options.tag === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${options.tag}"` };
  const answer = await request('POST', `${apiOf(name, '/versions')}${options.canary > 0 ? `?canary=${options.canary}` : ''}`, {
    body,
    headers: { 'Content-Type': 'application/gzip', Accept: 'application/x-ndjson', ...on },
  });
  let last: DeployLine = {};
  await lines<DeployLine>(answer, (line) => {
    last = line;
    if (line.progress || line.log !== undefined) options.hear(line);
  });
  if (last.version) return last.version;
  if (last.problem) throw ApiProblem.from(last.problem);
  throw new ApiProblem(0, '', 'The server cannot be reached', '', '');
}
