"use strict";
// Runs invocations: one event loop for everything, as many at a time as the server sends.

const fs = require("node:fs");
const { KIND, FLAG, INLINE_MAX, KEY_BYTES, plainFrame, answerFrame, chunkFrame, keyId, keyAttempt } = require("./wire.cjs");
const { Link, Spool } = require("./link.cjs");
const { Output, current } = require("./output.cjs");
const { Context, HandlerContext, hasCheckpoint } = require("./context.cjs");
const { InitError, load, describe } = require("./load.cjs");

const HELLO_WAIT_MS = 60_000; // a function that cannot start tells the server so, then ends; without a server it ends too
const LAST_WORDS_MS = 1000; // for what is on its way to the server when the process ends
const EXIT_CANCELLED = 143; // as a shell says for SIGTERM
const HEAD_BYTES = KEY_BYTES + 13; // of an INVOKE: key, flags, deadline, length of meta

const running = new Map(); // key -> Context
const stepWaiters = new Map(); // key and seq -> resolve
const link = new Link(read);
const output = new Output(link, running);
let state = "starting", greetingOwed = false, failure = null, handler = null, raw = false, takesCallback = false, stopping = false, several = false;

const machine = {
  output,
  /** Resolves once the step is durable. */
  journal(key, seq, frame) {
    const step = key + seq;
    link.steps.set(step, frame);
    link.send(frame);
    return new Promise((resolve) => stepWaiters.set(step, resolve));
  },
};

// -- frames from the server ------------------------------------------------------------------------------------------

function read(bytes, kind, start, end) {
  if (kind === KIND.INVOKE) invoke(bytes, start, end);
  else if (kind === KIND.ACK) link.acknowledge(bytes, start, end);
  else if (kind === KIND.HELLO) hello(JSON.parse(bytes.toString("utf8", start, end)));
  else if (!link.greeted) throw new Error(`frame ${kind} before HELLO`);
  else if (kind === KIND.STEP_OK) stepDone(bytes, start, end);
  else if (kind === KIND.ASSIGN && state === "generic") assign(JSON.parse(bytes.toString("utf8", start, end)));
  else throw new Error(`frame ${kind}`);
}

function hello(message) {
  if (message.protocol !== 1) throw new Error("another protocol than 1");
  if (failure) refuse();
  else if (state === "starting") greetingOwed = true;
  else link.greet(ready());
}

function ready() {
  const named = (keys) => [...keys].map((key) => [String(keyId(key)), keyAttempt(key)]);
  return plainFrame(KIND.READY, JSON.stringify({ state, pid: process.pid, runtime: `node${process.versions.node}`, running: named(running.keys()), finished: named(link.kept.keys()) }));
}

function stepDone(bytes, start, end) {
  if (end - start !== KEY_BYTES + 4) throw new Error("STEP_OK");
  const step = bytes.latin1Slice(start, start + KEY_BYTES) + bytes.readUInt32LE(start + KEY_BYTES);
  link.steps.delete(step);
  stepWaiters.get(step)?.();
  stepWaiters.delete(step);
}

function assign(message) {
  Object.assign(process.env, message.env);
  process.env.DURE_FUNCTION ??= message.function ?? "";
  process.env.DURE_VERSION ??= message.version ?? "";
  state = "starting";
  initialise(message.handler, () => link.greeted && link.send(ready()));
}

// -- starting --------------------------------------------------------------------------------------------------------

function initialise(name, done) {
  several = Number(process.env.DURE_CONCURRENCY) > 1;
  load(name).then((loaded) => {
    ({ handler, raw } = loaded);
    takesCallback = handler.length >= 3;
    state = "ready";
    if (greetingOwed && link.socket) link.greet(ready());
    else done();
  }).catch((error) => {
    failure = describe(error);
    fs.writeSync(2, `${failure.errorType}: ${failure.errorMessage}\n${failure.stackTrace.join("\n")}\n`);
    if (link.greeted || greetingOwed) refuse();
    else setTimeout(() => process.exit(1), HELLO_WAIT_MS);
  });
}

function refuse() {
  if (!link.socket) return;
  link.socket.end(plainFrame(KIND.INIT_ERROR, JSON.stringify(failure)), () => process.exit(1));
}

// -- invocations -----------------------------------------------------------------------------------------------------

function invoke(bytes, start, end) {
  const key = bytes.latin1Slice(start, start + KEY_BYTES), at = start + KEY_BYTES;
  const metaEnd = start + HEAD_BYTES + (start + HEAD_BYTES <= end ? bytes.readUInt32LE(at + 9) : Infinity);
  if (state !== "ready" || !link.greeted || metaEnd > end) throw new Error("INVOKE out of place");
  if (running.has(key)) return;
  if (link.kept.has(key)) { // the server forgot that it was told
    link.send(link.kept.get(key));
    return;
  }
  const flags = bytes[at], deadline = bytes.readUInt32LE(at + 1) + bytes.readUInt32LE(at + 5) * 0x100000000;
  let meta = null;
  if (metaEnd > start + HEAD_BYTES) {
    const text = bytes.toString("utf8", start + HEAD_BYTES, metaEnd);
    meta = JSON.parse(flags & FLAG.META_PATH ? fs.readFileSync(text, "utf8") : text);
  }
  const context = new Context(machine, key, deadline, meta);
  running.set(key, context);
  let event;
  try {
    event = eventOf(bytes, metaEnd, end, flags);
  } catch (error) {
    fail(context, error);
    return;
  }
  // Who is current matters only where several may print: following it through every promise slows all of them.
  if (several) current.run(context, call, context, event);
  else call(context, event);
}

function eventOf(bytes, start, end, flags) {
  if (flags & FLAG.PATH) {
    bytes = fs.readFileSync(bytes.toString("utf8", start, end));
    start = 0;
    end = bytes.length;
  }
  if (raw) return Buffer.from(bytes.subarray(start, end));
  if (start === end) return {};
  try {
    return JSON.parse(bytes.utf8Slice(start, end));
  } catch (error) {
    throw new InitError("InvalidJson", `the event is not JSON: ${error.message}; a module that wants bytes exports raw = true`);
  }
}

function call(context, event) {
  let result;
  try {
    if (takesCallback) {
      result = new Promise((resolve, reject) => {
        const early = handler(event, new HandlerContext(context), (error, value) => error ? reject(error) : resolve(value));
        if (typeof early?.then === "function") early.then(resolve, reject);
      });
    } else {
      result = handler(event, new HandlerContext(context));
    }
  } catch (error) {
    fail(context, error);
    return;
  }
  if (typeof result?.then === "function") result.then((value) => settle(context, value), (error) => fail(context, error));
  else settle(context, result);
}

function settle(context, result) {
  if (typeof result === "object" && result !== null && isStream(result)) {
    stream(context, result).catch((error) => fail(context, error));
    return;
  }
  try {
    finish(context, answer(context, result));
  } catch (error) {
    fail(context, error);
  }
}

const isStream = (value) => typeof value[Symbol.asyncIterator] === "function" ||
  (typeof value.next === "function" && typeof value[Symbol.iterator] === "function");

async function stream(context, pieces) {
  const { key } = context;
  context.spool = new Spool(() => link.payloadPath(key));
  context.lost = link.lost;
  for await (const piece of pieces) {
    if (context.done) return;
    const bytes = typeof piece === "string" ? Buffer.from(piece)
      : piece instanceof Uint8Array ? piece : Buffer.from(JSON.stringify(piece) + "\n");
    output.flush();
    context.spool.add(bytes);
    for (let at = 0; at < bytes.length; at += INLINE_MAX) link.send(chunkFrame(key, bytes.subarray(at, at + INLINE_MAX)));
    if (link.socket?.writableLength > INLINE_MAX) await new Promise((resolve) => link.socket.once("drain", resolve).once("close", resolve));
  }
  if (context.done) return;
  const checkpoint = hasCheckpoint(context) ? FLAG.CHECKPOINT : 0;
  const [flags, payload] = context.spool.close();
  const whole = answerFrame(KIND.RESULT, key, flags | checkpoint, payload);
  link.kept.set(key, whole);
  const seen = context.lost === link.lost && link.greeted;
  finish(context, seen ? answerFrame(KIND.RESULT, key, FLAG.STREAMED | checkpoint, "") : whole);
}

function answer(context, result) {
  const { key } = context;
  let payload = result, flags = hasCheckpoint(context) ? FLAG.CHECKPOINT : 0;
  if (result === undefined) {
    payload = "null";
  } else if (result instanceof ArrayBuffer) {
    payload = new Uint8Array(result);
  } else if (!(result instanceof Uint8Array)) {
    try {
      payload = JSON.stringify(result);
    } catch (error) {
      throw new InitError("ResultNotJson", `the handler's result cannot be written as JSON: ${error.message}`);
    }
    if (payload === undefined) throw new InitError("ResultNotJson", `the handler's result cannot be written as JSON: it is a ${typeof result}`);
  }
  if (payload.length * 3 > INLINE_MAX && (payload.length > INLINE_MAX || Buffer.byteLength(payload) > INLINE_MAX)) {
    const path = link.payloadPath(key);
    fs.writeFileSync(path, payload, { mode: 0o600 });
    flags |= FLAG.PATH;
    payload = path;
  }
  const frame = answerFrame(KIND.RESULT, key, flags, payload);
  link.kept.set(key, frame);
  return frame;
}

function fail(context, error) {
  if (context.done) return;
  context.spool?.discard();
  if (stopping && error?.name === "AbortError") error = new InitError("Cancelled", "the invocation was cancelled");
  const frame = answerFrame(KIND.ERROR, context.key, hasCheckpoint(context) ? FLAG.CHECKPOINT : 0, JSON.stringify(describe(error)));
  link.kept.set(context.key, frame);
  finish(context, frame);
}

function finish(context, frame) {
  if (context.done) return;
  if (output.characters > 0 || context.partial[1] || context.partial[2]) output.finish(context);
  context.done = true;
  running.delete(context.key);
  link.send(frame);
  if (stopping && running.size === 0) leave(EXIT_CANCELLED);
}

// -- the end ---------------------------------------------------------------------------------------------------------

/** Ends the process once what was sent has left it. */
function leave(code) {
  output.flush();
  link.flush();
  if (!link.socket || link.socket.writableLength === 0) process.exit(code);
  link.socket.once("drain", () => process.exit(code));
  setTimeout(() => process.exit(code), LAST_WORDS_MS);
}

// After an error that nobody caught the process may be in any state: everything that runs has failed.
process.on("uncaughtException", (error, origin) => {
  const told = describe(error);
  fs.writeSync(2, `${origin}: ${told.errorType}: ${told.errorMessage}\n${told.stackTrace.join("\n")}\n`);
  for (const context of [...running.values()]) fail(context, error);
  leave(1);
});

process.on("SIGTERM", () => {
  stopping = true;
  const error = new InitError("Cancelled", "the invocation was cancelled");
  for (const context of [...running.values()]) {
    if (context.abort) context.abort.abort();
    else if (process.listenerCount("SIGTERM") === 1) fail(context, error);
  }
  if (running.size === 0) leave(EXIT_CANCELLED);
});

process.on("exit", (code) => {
  for (const context of [...running.values()]) fail(context, new InitError("ProcessExit", `the process ended with code ${code} before the handler was done`));
  output.flush();
  link.flush();
});

// Lambda's way to stream, for handlers that were written for it.
globalThis.awslambda ??= {
  streamifyResponse: (streaming) => (event, context) => {
    const { PassThrough } = require("node:stream");
    const stream = new PassThrough();
    Promise.resolve().then(() => streaming(event, stream, context)).then(() => stream.end(), (error) => stream.destroy(error));
    return stream;
  },
  HttpResponseStream: { from: (stream) => stream },
};

output.capture();
link.listen(() => {
  if (process.env.DURE_HANDLER) initialise(process.env.DURE_HANDLER, () => {});
  else state = "generic";
});
