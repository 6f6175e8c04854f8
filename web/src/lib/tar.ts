/** What goes into a package: a file with its bytes, or a link. */
export interface TarEntry {
  path: string;
  content?: Uint8Array<ArrayBuffer>;
  executable?: boolean;
  /** Where a link leads to; such an entry has no content. */
  link?: string | null;
}

const BLOCK = 512;
const NAME_BYTES = 100;
const utf8 = new TextEncoder();

const isPlain = (name: Uint8Array) => name.length <= NAME_BYTES && name.every((byte) => byte >= 0x20 && byte < 0x7f);

function field(block: Uint8Array, at: number, value: Uint8Array): void {
  block.set(value, at);
}

const octal = (value: number, digits: number) => utf8.encode(`${value.toString(8).padStart(digits, '0')}\0`);

/** One header, POSIX ustar. Times and owners are left at nought: the same files make the same package. */
function header(name: Uint8Array, type: string, size: number, mode: number, link: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  field(block, 0, name.subarray(0, NAME_BYTES));
  field(block, 100, octal(mode, 7));
  field(block, 108, octal(0, 7));
  field(block, 116, octal(0, 7));
  field(block, 124, octal(size, 11));
  field(block, 136, octal(0, 11));
  field(block, 148, utf8.encode('        '));
  field(block, 156, utf8.encode(type));
  field(block, 157, link.subarray(0, NAME_BYTES));
  field(block, 257, utf8.encode('ustar\x0000'));
  const sum = block.reduce((total, byte) => total + byte, 0);
  field(block, 148, utf8.encode(`${sum.toString(8).padStart(6, '0')}\0 `));
  return block;
}

/** `LENGTH name=value\n`, where the length counts itself. */
function record(name: string, value: Uint8Array): Uint8Array {
  const rest = utf8.encode(` ${name}=`).length + value.length + 1;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  const line = new Uint8Array(length);
  const start = utf8.encode(`${length} ${name}=`);
  line.set(start);
  line.set(value, start.length);
  line[length - 1] = 0x0a;
  return line;
}

const padding = (size: number) => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

/** The pieces of a tar file. Names that ustar has no room or no letters for come in a header of their own (pax). */
export function tar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (const entry of entries) {
    const name = utf8.encode(entry.path);
    const link = utf8.encode(entry.link ?? '');
    const isLink = entry.link !== undefined && entry.link !== null;
    const content = isLink ? new Uint8Array() : (entry.content ?? new Uint8Array());
    const records = [...(isPlain(name) ? [] : [record('path', name)]), ...(isPlain(link) ? [] : [record('linkpath', link)])];
    if (records.length > 0) {
      const size = records.reduce((total, one) => total + one.length, 0);
      pieces.push(header(utf8.encode('././@PaxHeader'), 'x', size, 0o644, new Uint8Array()));
      for (const one of records) pieces.push(new Uint8Array(one));
      pieces.push(padding(size));
    }
    pieces.push(header(name, isLink ? '2' : '0', content.length, entry.executable || isLink ? 0o755 : 0o644, link), content, padding(content.length));
  }
  pieces.push(new Uint8Array(2 * BLOCK));
  return pieces;
}

/** A .tar.gz of the entries, in the order of their paths. */
export async function pack(entries: readonly TarEntry[]): Promise<Blob> {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return await new Response(new Blob(tar(sorted)).stream().pipeThrough(new CompressionStream('gzip'))).blob();
}
