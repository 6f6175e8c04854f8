import { ApiProblem, send, session } from '../../lib/api';
import { cell } from '../../lib/cell';
import { api } from './places';

/** A file on its way into a bucket. */
export interface UploadItem {
  id: number;
  bucket: string;
  key: string;
  size: number;
  sent: number;
  state: 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';
  problem?: ApiProblem;
}

interface Work extends UploadItem {
  file: File;
  /** What is under way, to be broken off. */
  requests: Set<XMLHttpRequest>;
  /** Of an upload in parts that was begun: parts that are kept are not sent again. */
  upload?: { upload_id: string; part_bytes: number };
  kept: Set<number>;
}

const AT_ONCE = 3;
const PARTS_AT_ONCE = 3;
const PARTS_ABOVE = 64 << 20;
const TRIES = 4;

/** Every upload of this tab, the newest last. They go on while other pages are open. */
export const uploads = cell<readonly UploadItem[]>([]);
const works = new Map<number, Work>();
const doneListeners = new Set<(bucket: string) => void>();
let last = 0;

/** Tells when an object has come into a bucket. */
export function onUploaded(hear: (bucket: string) => void): () => void {
  doneListeners.add(hear);
  return () => void doneListeners.delete(hear);
}

const show = () => uploads.set([...works.values()].map(({ id, bucket, key, size, sent, state, problem }) => ({ id, bucket, key, size, sent, state, problem })));

/** Sends files; each goes under the prefix with its own path. */
export function upload(bucket: string, prefix: string, files: readonly { file: File; path: string }[]): void {
  for (const { file, path } of files) {
    const id = ++last;
    works.set(id, { id, bucket, key: prefix + path, size: file.size, sent: 0, state: 'waiting', file, requests: new Set(), kept: new Set() });
  }
  pump();
}

export function cancel(id: number): void {
  const work = works.get(id);
  if (!work || work.state === 'done') return;
  work.state = 'cancelled';
  for (const request of work.requests) request.abort();
  if (work.upload) void send('DELETE', partsPath(work, '')).catch(() => undefined);
  work.upload = undefined;
  pump();
}

/** Goes on with one that failed; parts that arrived are not sent again. */
export function retry(id: number): void {
  const work = works.get(id);
  if (!work || (work.state !== 'failed' && work.state !== 'cancelled')) return;
  if (work.state === 'cancelled') work.kept.clear();
  work.state = 'waiting';
  work.problem = undefined;
  pump();
}

/** Forgets those that have ended. */
export function clearEnded(): void {
  for (const work of works.values()) if (work.state === 'done' || work.state === 'cancelled' || work.state === 'failed') works.delete(work.id);
  show();
}

export const busy = (): boolean => uploads.get().some((one) => one.state === 'waiting' || one.state === 'sending');

addEventListener('beforeunload', (event) => {
  if (busy()) event.preventDefault();
});

function pump(): void {
  const sending = [...works.values()].filter((one) => one.state === 'sending').length;
  for (const work of [...works.values()].filter((one) => one.state === 'waiting').slice(0, AT_ONCE - sending)) void run(work);
  show();
}

const isCancelled = (work: Work): boolean => work.state === 'cancelled';

async function run(work: Work): Promise<void> {
  work.state = 'sending';
  try {
    await (work.size > PARTS_ABOVE ? inParts(work) : whole(work));
    if (isCancelled(work)) return;
    work.state = 'done';
    work.sent = work.size;
    for (const hear of doneListeners) hear(work.bucket);
  } catch (error) {
    if (isCancelled(work)) return;
    work.state = 'failed';
    work.problem = error instanceof ApiProblem ? error : new ApiProblem(0, '', String(error), '', '');
  } finally {
    pump();
  }
}

async function whole(work: Work): Promise<void> {
  await patiently(work, () => put(work, api(work.bucket, `object?${new URLSearchParams({ key: work.key })}`), work.file, (sent) => {
    work.sent = sent;
    show();
  }));
}

const partsPath = (work: Work, more: string) => api(work.bucket, `uploads/${encodeURIComponent(work.upload!.upload_id)}${more}?${new URLSearchParams({ key: work.key })}`);

async function inParts(work: Work): Promise<void> {
  work.upload ??= await send<{ upload_id: string; part_bytes: number }>('POST', api(work.bucket, 'uploads'), { key: work.key, content_type: work.file.type || undefined });
  // At most 10,000 parts.
  const size = Math.max(work.upload.part_bytes, Math.ceil(work.size / 9000 / 1048576) * 1048576);
  const count = Math.ceil(work.size / size);
  const sent = new Map<number, number>();
  const lengthOf = (number: number) => Math.min(size, work.size - (number - 1) * size);
  for (const number of work.kept) sent.set(number, lengthOf(number));
  const left = Array.from({ length: count }, (_, i) => i + 1).filter((number) => !work.kept.has(number));
  const add = () => {
    work.sent = [...sent.values()].reduce((a, b) => a + b, 0);
    show();
  };
  await Promise.all(
    Array.from({ length: PARTS_AT_ONCE }, async () => {
      for (let number = left.shift(); number !== undefined && !isCancelled(work); number = left.shift()) {
        const part = number;
        const from = (part - 1) * size;
        await patiently(work, () => put(work, partsPath(work, `/${part}`), work.file.slice(from, from + lengthOf(part)), (bytes) => {
          sent.set(part, bytes);
          add();
        }));
        work.kept.add(part);
      }
    }),
  );
  if (isCancelled(work)) return;
  await patiently(work, () => send('POST', partsPath(work, '/complete'), { overwrite: true }));
}

/** Tries again what failed on the way; what the server refused is not tried again. */
async function patiently<T>(work: Work, act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      const passing = error instanceof ApiProblem && (error.status === 0 || error.status === 429 || error.status === 502 || error.status === 503);
      if (!passing || tries >= TRIES || isCancelled(work)) throw error;
      await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
    }
  }
}

/** PUT with progress: what fetch does not tell. */
function put(work: Work, path: string, body: Blob, progress: (sent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    work.requests.add(request);
    request.open('PUT', path);
    const csrf = session.get()?.csrf;
    if (csrf) request.setRequestHeader('Dure-Csrf', csrf);
    request.setRequestHeader('Content-Type', work.file.type || 'application/octet-stream');
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onloadend = () => {
      work.requests.delete(request);
      if (request.status >= 200 && request.status < 300) return resolve();
      let told: Record<string, unknown> = {};
      try {
        told = JSON.parse(request.responseText) as Record<string, unknown>;
      } catch {
        // No problem document: the status says it.
      }
      reject(request.status === 0 ? new ApiProblem(0, '', 'The server cannot be reached', '', '') : ApiProblem.from(told, request.status));
    };
    request.send(body);
  });
}

/** Files and whole folders of a drop, each with its path below the folder that was dropped. */
export async function filesOf(drop: DataTransfer): Promise<{ file: File; path: string }[]> {
  const entries = [...drop.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry?.() : null));
  // Entries are gone once the event is over; files are read meanwhile.
  const plain = [...drop.files].map((file) => ({ file, path: file.name }));
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const found: { file: File; path: string }[] = [];
  const walk = async (entry: FileSystemEntry, path: string): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push({ file, path: path + file.name });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const one of some) await walk(one, `${path}${entry.name}/`);
    }
  };
  for (const entry of entries) if (entry) await walk(entry, '');
  return found;
}
