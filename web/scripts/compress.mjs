// Puts a .br and a .gz beside every file of a folder that becomes clearly smaller by it: node compress.mjs DIR
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = process.argv[2];
const already = /\.(br|gz|png|jpg|woff2)$/;
for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
  if (!entry.isFile() || already.test(entry.name)) continue;
  const path = join(entry.path ?? entry.parentPath, entry.name);
  const plain = readFileSync(path);
  const gzip = gzipSync(plain, { level: 9 });
  if (gzip.length > plain.length * 0.9) continue;
  writeFileSync(path + '.gz', gzip);
  writeFileSync(path + '.br', brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }));
}
