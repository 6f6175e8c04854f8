"use strict";
// What a handler is given besides its event.

const fs = require("node:fs");
const { FRAME_MAX, stepFrame, keyId, keyAttempt } = require("./wire.cjs");
const { ioFolder } = require("./link.cjs");

const NAME_BYTES_MAX = 1024;

/** One attempt of one invocation. */
class Context {
  constructor(machine, key, deadline, meta) {
    this.machine = machine;
    this.key = key;
    this.deadline = deadline;
    this.meta = meta;
    this.partial = ["", "", ""];
    this.done = false;
    this.spool = null;
    this.lost = 0;
    this.stepNames = null;
    this.stepSeq = 0;
    this.checkpoint = null;
    this.abort = null;
  }
}

/** The handler's view of a Context. */
class HandlerContext {
  #inner;

  constructor(inner) { this.#inner = inner; }

  // As the command line and the API write it: 13 digits of Crockford's base 32.
  get awsRequestId() {
    if (this.#inner.meta?.id) return this.#inner.meta.id;
    let text = "";
    for (let number = keyId(this.#inner.key), digit = 0; digit < 13; digit++, number >>= 5n) text = "0123456789abcdefghjkmnpqrstvwxyz"[Number(number & 31n)] + text;
    return text;
  }
  get attempt() { return keyAttempt(this.#inner.key); }
  get mayHaveRun() { return this.#inner.meta?.may_have_run === true; }
  get functionName() { return process.env.DURE_FUNCTION ?? ""; }
  get functionVersion() { return process.env.DURE_VERSION ?? ""; }
  get invokedFunctionArn() { return `arn:dure:function:${this.functionName}:${this.functionVersion}`; }

  /** Milliseconds until the invocation is ended; a very large number when it has no limit. */
  getRemainingTimeInMillis() {
    const { deadline } = this.#inner;
    return deadline ? Math.max(0, deadline - Date.now()) : Number.MAX_SAFE_INTEGER;
  }

  /** A folder of this invocation that later attempts see again. Made when first asked for. */
  get checkpointDir() {
    const inner = this.#inner;
    if (!inner.checkpoint) {
      inner.checkpoint = checkpointPath(inner);
      fs.mkdirSync(inner.checkpoint, { recursive: true, mode: 0o700 });
    }
    return inner.checkpoint;
  }

  /** Aborted on cancellation. A handler that looks at it has time to clean up; others end at once. */
  get signal() {
    this.#inner.abort ??= new AbortController();
    return this.#inner.abort.signal;
  }

  /** Runs fn once for the whole invocation: its JSON result is journaled, and later attempts get it without running fn. */
  async step(name, fn, ...args) {
    const inner = this.#inner, { machine, key } = inner;
    if (typeof name !== "string" || name === "" || Buffer.byteLength(name) > NAME_BYTES_MAX) {
      throw new TypeError(`the name of a step is a string of 1 to ${NAME_BYTES_MAX} bytes`);
    }
    inner.stepNames ??= new Set();
    if (inner.stepNames.has(name)) throw new Error(`step '${name}' was used before in this invocation: give each step its own name`);
    inner.stepNames.add(name);
    const finished = inner.meta?.steps;
    if (finished && Object.hasOwn(finished, name)) return finished[name];
    const seq = ++inner.stepSeq;
    const json = JSON.stringify(await fn(...args)) ?? "null";
    if (json.length + NAME_BYTES_MAX + 64 > FRAME_MAX || Buffer.byteLength(json) + NAME_BYTES_MAX + 64 > FRAME_MAX) {
      throw new RangeError(`the result of step '${name}' is ${json.length} characters; at most 1,000,000 bytes can be journaled: put the data into checkpointDir`);
    }
    machine.output.flush();
    await machine.journal(key, seq, stepFrame(key, seq, name, json));
    return JSON.parse(json);
  }
}

function checkpointPath(inner) { return `${ioFolder}/ck/${keyId(inner.key)}`; }

/** True when the folder holds something; an empty one is removed. */
function hasCheckpoint(inner) {
  if (!inner.checkpoint && keyAttempt(inner.key) <= 1) return false;
  try {
    fs.rmdirSync(checkpointPath(inner));
    return false;
  } catch (error) {
    return error.code !== "ENOENT";
  }
}

module.exports = { Context, HandlerContext, hasCheckpoint };
