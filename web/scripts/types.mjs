// Makes src/lib/schema.d.ts from the server's OpenAPI document: npm run types [-- DOCUMENT [OUT]]
// Without a document (a file or an address) it asks a server that it starts from the debug build and ends again.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import openapiTS, { COMMENT_HEADER, astToString } from 'openapi-typescript';

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const [document, out = join(web, 'src/lib/schema.d.ts')] = process.argv.slice(2);

/** Starts a server on a folder of its own, does something with its address, and ends it. */
async function withServer(use) {
  const data = mkdtempSync(join(tmpdir(), 'dure-types-'));
  const server = spawn(join(web, '../artifacts/bin/Dure/debug/dure'), ['up', '--foreground', '--yes', '--data', data, '--port', '0'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  try {
    const announced = join(data, 'run/server.json');
    for (let tries = 0; tries < 600 && !existsSync(announced); tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    return await use(JSON.parse(readFileSync(announced, 'utf8')).url);
  } finally {
    server.kill('SIGINT');
    await ended;
    // The worker may still be clearing up.
    rmSync(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const generate = async (from) => COMMENT_HEADER + astToString(await openapiTS(from));
const text = document
  ? await generate(/^https?:/.test(document) ? new URL(document) : pathToFileURL(document))
  : await withServer((url) => generate(new URL('/openapi.json', url)));
writeFileSync(out, text);
