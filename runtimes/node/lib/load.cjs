"use strict";
// Finds the handler and tells failures in the words of the function's author.

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const ENDINGS = [".mjs", ".cjs", ".js", ".ts", ".mts", ".cts"];
const TEXT_MAX = 64 << 10; // characters of an error message
const SHIM = path.dirname(__dirname);

class InitError extends Error {
  constructor(kind, message, stack = []) {
    super(message);
    this.kind = kind;
    this.lines = stack;
  }
}

/** The function that `module.function` names, and whether its module wants bytes. */
async function load(name) {
  const code = process.env.DURE_CODE || "/code", deps = process.env.DURE_DEPS || "/deps";
  process.env.NODE_PATH = `${deps}/node_modules`;
  Module._initPaths();
  try { process.chdir(code); } catch { /* a handler that needs files says so better than we could */ }
  const dot = name.lastIndexOf(".");
  if (dot <= 0 || dot === name.length - 1) throw new InitError("HandlerNotFound", `the handler '${name}' is not of the form module.function`);
  const file = find(path.join(code, name.slice(0, dot)), name, code), wanted = name.slice(dot + 1);
  const exported = await open(file, code).catch((error) => { throw placed(error, file); });
  const handler = exported[wanted] ?? exported.default?.[wanted] ?? (wanted === "default" ? exported.default : undefined);
  if (typeof handler !== "function") {
    const names = Object.keys({ ...exported, ...exported.default }).filter((key) => key !== "default" && key !== "module.exports");
    throw new InitError("HandlerNotFound", `${path.basename(file)} exports no function '${wanted}'; it exports ${names.join(", ") || "nothing"}`);
  }
  return { handler, raw: (exported.raw ?? exported.default?.raw) === true };
}

function find(stem, name, code) {
  for (const ending of ENDINGS) if (fs.existsSync(stem + ending)) return stem + ending;
  let here = [];
  try { here = fs.readdirSync(code).filter((entry) => ENDINGS.includes(path.extname(entry))); } catch { /* said below */ }
  throw new InitError("HandlerNotFound", `the handler is '${name}', but there is no ${path.relative(code, stem)}.js or .mjs; the function's folder has ${here.join(", ") || "no JavaScript file"}`);
}

async function open(file, code) {
  const ending = path.extname(file);
  if (ending.endsWith("ts") && !strips()) return transpiled(file, code);
  if (ending === ".cjs" || (ending === ".js" && !saysModule(code))) return Module.createRequire(`${code}/`)(file);
  return import(pathToFileURL(file).href);
}

/** A syntax error of an ES module does not say where it is; a check of the file does. */
function placed(error, file) {
  if (!(error instanceof SyntaxError) || error.stack.includes(path.dirname(file))) return error;
  const { stderr } = require("node:child_process").spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
  const place = stderr.split(/\n\s*\n/)[0];
  return place.includes(path.basename(file)) ? new InitError("SyntaxError", error.message, place.split("\n")) : error;
}

function saysModule(code) {
  try { return JSON.parse(fs.readFileSync(`${code}/package.json`, "utf8")).type === "module"; } catch { return false; }
}

const strips = () => Boolean(process.features.typescript) || process.execArgv.includes("--experimental-strip-types");

/** TypeScript on a Node.js that cannot strip types: by the function's own `typescript`, as CommonJS. */
function transpiled(file, code) {
  const require = Module.createRequire(`${code}/`);
  let typescript;
  try {
    typescript = require("typescript");
  } catch {
    throw new InitError("TypeScriptUnsupported", `${path.basename(file)} is TypeScript, which Node.js ${process.versions.node} cannot run: use Node.js 22.18 or newer, add 'typescript' to the dependencies, or deploy compiled JavaScript`);
  }
  const compilerOptions = { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022, esModuleInterop: true, inlineSourceMap: true };
  for (const ending of [".ts", ".mts", ".cts"]) {
    Module._extensions[ending] = (module, name) =>
      module._compile(typescript.transpileModule(fs.readFileSync(name, "utf8"), { compilerOptions, fileName: name }).outputText, name);
  }
  process.setSourceMapsEnabled(true);
  return require(file);
}

/** An error as the protocol's JSON error, without the shim's own frames. */
function describe(error) {
  if (error instanceof InitError) return { errorType: error.kind, errorMessage: error.message, stackTrace: error.lines };
  if (!(error instanceof Error) && !(typeof error?.stack === "string" && typeof error?.message === "string")) {
    return { errorType: typeof error === "object" && error?.constructor?.name || typeof error, errorMessage: cut(text(error)), stackTrace: [] };
  }
  const stackTrace = [];
  for (let one = error, depth = 0; one && depth < 10; one = one.cause, depth++) {
    if (depth > 0) stackTrace.push(`Caused by: ${cut(text(one))}`);
    if (typeof one.stack === "string") stackTrace.push(...frames(one));
  }
  return { errorType: error.name || error.constructor?.name || "Error", errorMessage: cut(String(error.message)), stackTrace };
}

function frames(error) {
  const lines = error.stack.split("\n");
  // A syntax error's place comes before its message, not among the frames.
  const place = error.name === "SyntaxError" && !lines[0].startsWith("SyntaxError") ? lines.slice(0, 3) : [];
  const calls = lines.filter((line) => /^\s+at /.test(line) && !line.includes(SHIM) && !line.includes("node:internal"));
  while (calls.length > 0 && calls[calls.length - 1].includes("node:")) calls.pop(); // what called the shim
  return [...place, ...calls].slice(0, 200);
}

function text(value) {
  try {
    return typeof value === "object" && value !== null && !(value instanceof Error) ? JSON.stringify(value) : String(value);
  } catch {
    return "(it cannot be shown)";
  }
}

const cut = (words) => words.length > TEXT_MAX ? `${words.slice(0, TEXT_MAX)}... (${words.length} characters)` : words;

module.exports = { InitError, load, describe };
