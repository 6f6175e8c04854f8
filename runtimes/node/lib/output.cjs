"use strict";
// What an invocation prints, as LOG frames of that invocation.

const fs = require("node:fs");
const { AsyncLocalStorage } = require("node:async_hooks");
const { logFrame } = require("./wire.cjs");

const LINE_MAX = 64 << 10; // characters; a longer line is cut into several
const FLUSH_CHARACTERS = 64 << 10;
const FLUSH_MS = 20;

const current = new AsyncLocalStorage();

/** Collects whole lines of every invocation; sends them within 20 ms, or before the invocation's result. */
class Output {
  constructor(link, running) {
    this.link = link;
    this.running = running;
    this.groups = [];
    this.characters = 0;
    this.since = 0;
    this.timer = null;
    this.due = () => { this.timer = null; this.flush(); };
  }

  /** Replaces process.stdout and process.stderr; descriptors 1 and 2 stay what they are. */
  capture() {
    for (const [name, stream] of [["stdout", 1], ["stderr", 2]]) {
      let made = null;
      Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => made ??= this.stream(stream) });
    }
  }

  stream(number) {
    const { Writable } = require("node:stream");
    const stream = new Writable({
      decodeStrings: false,
      write: (piece, encoding, done) => {
        this.write(number, typeof piece === "string" ? piece : piece.toString("utf8"));
        done();
      },
    });
    stream.fd = number;
    stream.isTTY = false;
    stream._isStdio = true;
    stream.destroySoon = stream.destroy = () => stream;
    return stream;
  }

  owner() {
    const found = current.getStore();
    if (found && !found.done) return found;
    if (this.running.size === 1) for (const only of this.running.values()) return only;
    return null;
  }

  write(stream, text) {
    const owner = this.owner();
    if (!owner) {
      writeRaw(stream, text);
      return;
    }
    const last = text.lastIndexOf("\n");
    if (last < 0) {
      owner.partial[stream] += text;
    } else {
      this.lines(owner.key, stream, owner.partial[stream] + text.slice(0, last));
      owner.partial[stream] = text.slice(last + 1);
    }
    while (owner.partial[stream].length > LINE_MAX) {
      this.lines(owner.key, stream, owner.partial[stream].slice(0, LINE_MAX));
      owner.partial[stream] = owner.partial[stream].slice(LINE_MAX);
    }
  }

  lines(key, stream, text) {
    if (text.length <= LINE_MAX) {
      this.line(key, stream, text);
      return;
    }
    for (const line of text.split("\n")) {
      for (let at = 0; at === 0 || at < line.length; at += LINE_MAX) this.line(key, stream, line.slice(at, at + LINE_MAX));
    }
  }

  line(key, stream, text) {
    const ms = Date.now(), group = this.groups[this.groups.length - 1];
    if (group && group.key === key && group.stream === stream && group.ms === ms && group.text.length < FLUSH_CHARACTERS) {
      group.text += "\n" + text;
    } else {
      this.groups.push({ key, stream, ms, text });
    }
    if (this.characters === 0) this.since = ms;
    this.characters += text.length + 1;
    // A handler that computes without ever awaiting leaves timers no chance.
    if (this.characters > FLUSH_CHARACTERS || ms - this.since > FLUSH_MS) this.flush();
    else this.timer ??= setTimeout(this.due, FLUSH_MS);
  }

  flush() {
    if (this.characters === 0) return;
    const frames = this.groups.map((group) => logFrame(group.key, group.stream, group.ms, group.text));
    this.groups = [];
    this.characters = 0;
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    this.link.sendLogs(frames);
  }

  /** Sends everything the invocation printed, the unfinished line too. */
  finish(owner) {
    for (const stream of [1, 2]) {
      const tail = owner.partial[stream];
      owner.partial[stream] = "";
      if (tail) this.lines(owner.key, stream, tail);
    }
    this.flush();
  }
}

function writeRaw(descriptor, text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(descriptor, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") return; // nobody reads the raw output any more; the code need not fail for it
    }
  }
}

module.exports = { Output, current };
