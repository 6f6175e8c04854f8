"use strict";
// The connection to the server: what is sent, what is kept until it is acknowledged, what is said again.

const fs = require("node:fs");
const net = require("node:net");
const { KIND, FLAG, FRAME_MAX, INLINE_MAX, KEY_BYTES, EMPTY, logFrame, keyId, keyAttempt } = require("./wire.cjs");

const BACKLOG_MAX = 4 << 20; // bytes of log frames kept while no server is there
const STALL_MAX = 64 << 20; // bytes queued for a server that does not read; further logs are dropped and counted
const FULL_SLEEP_MS = 1;
const READ_BYTES = 64 << 10; // of one read

const ioFolder = process.env.DURE_IO || "/dure/io";

/** Everything a streamed result has said so far, so that it can be given whole after a lost connection. */
class Spool {
  /** @param name called for the file's path when a file is needed */
  constructor(name) { this.name = name; this.path = null; this.pieces = []; this.size = 0; this.file = -1; }

  add(bytes) {
    this.size += bytes.length;
    if (this.file < 0) {
      this.pieces.push(bytes);
      if (this.size <= INLINE_MAX) return;
      this.path = this.name();
      this.file = fs.openSync(this.path, "w", 0o600);
      bytes = Buffer.concat(this.pieces);
      this.pieces = [];
    }
    writeAll(this.file, bytes);
  }

  /** Ends it; returns [flags, payload] of a RESULT that holds the whole. */
  close() {
    if (this.file < 0) return [0, Buffer.concat(this.pieces)];
    fs.closeSync(this.file);
    return [FLAG.PATH, Buffer.from(this.path)];
  }

  discard() {
    if (this.file < 0) return;
    fs.closeSync(this.file);
    fs.unlinkSync(this.path);
  }
}

function writeAll(descriptor, bytes) {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at);
}

/**
 * The connection, read into one buffer for ever: a buffer for every read, as `data` events have it, costs more than reading does.
 * @param read called with (socket, bytes); the bytes are overwritten by the next read
 */
function reading(accepted, read) {
  const socket = new net.Socket({
    handle: accepted._handle,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (count, buffer) => {
        read(socket, buffer.subarray(0, count));
        return true;
      },
    },
  });
  accepted._handle = null;
  socket.resume();
  return socket;
}

class Link {
  /** @param read called with (buffer, kind, start, end) for every frame; throws when the frame makes no sense */
  constructor(read) {
    this.read = read;
    this.socket = null;
    this.greeted = false; // HELLO came and READY went out on this connection
    this.lost = 0; // connections lost so far
    this.kept = new Map(); // key -> RESULT or ERROR frame to say again
    this.steps = new Map(); // key and seq -> STEP frame to say again
    this.rest = EMPTY;
    this.out = [];
    this.flushing = false;
    this.backlog = [];
    this.backlogBytes = 0;
    this.dropped = 0;
    this.droppedKey = null;
    this.flush = this.flush.bind(this);
  }

  listen(listening) {
    const path = `${ioFolder}/fn.sock`, hidden = `${path}.new`;
    for (const old of [path, hidden]) fs.rmSync(old, { force: true });
    const server = net.createServer({ pauseOnConnect: true }, (socket) => this.accept(reading(socket, (reader, bytes) => this.feed(reader, bytes))));
    // The worker takes the name's appearance for readiness, so it appears only once connections are accepted.
    server.listen(hidden, () => {
      fs.renameSync(hidden, path);
      listening();
    });
  }

  accept(socket) {
    if (this.socket) this.drop(this.socket); // a new connection replaces an older one
    this.socket = socket;
    this.rest = EMPTY;
    socket.on("error", () => this.drop(socket));
    socket.on("close", () => this.drop(socket));
  }

  drop(socket) {
    if (this.socket !== socket) return;
    this.socket = null;
    this.greeted = false;
    this.lost++;
    this.out = [];
    socket.destroy();
  }

  feed(socket, bytes) {
    if (this.socket !== socket) return;
    if (this.rest.length) bytes = Buffer.concat([this.rest, bytes]);
    let at = 0;
    try {
      while (bytes.length - at >= 5) {
        const length = bytes.readUInt32LE(at);
        if (length === 0 || length > FRAME_MAX) throw new Error(`a frame of ${length} bytes`);
        if (bytes.length - at - 4 < length) break;
        this.read(bytes, bytes[at + 4], at + 5, at + 4 + length);
        if (this.socket !== socket) return;
        at += 4 + length;
      }
      this.rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at)); // what was read into is read into again
    } catch (error) {
      fs.writeSync(2, `[dure] the server's connection is ended: ${error.message}\n`);
      this.drop(socket);
    }
  }

  /** Says READY, then what no server has acknowledged. */
  greet(ready) {
    this.greeted = true;
    this.out.push(ready, ...this.backlog);
    if (this.dropped) {
      this.out.push(logFrame(this.droppedKey, 2, Date.now(), `[dure] ${this.dropped} lines were dropped while no server was reading`));
    }
    for (const frame of this.steps.values()) this.out.push(frame);
    for (const frame of this.kept.values()) this.out.push(frame);
    this.backlog = [];
    this.backlogBytes = this.dropped = 0;
    this.flush();
  }

  /** Sends with everything else of this turn, in one write. What must not be lost is in kept or steps already. */
  send(frame) {
    if (!this.greeted) return;
    this.out.push(frame);
    if (!this.flushing) {
      this.flushing = true;
      process.nextTick(this.flush);
    }
  }

  flush() {
    this.flushing = false;
    const out = this.out;
    if (out.length === 0 || !this.socket) return;
    this.out = [];
    this.write(out.length === 1 ? out[0] : Buffer.concat(out), false);
  }

  /**
   * Straight to the descriptor: half the cost of a stream write, and the only way to wait for a slow reader of logs
   * without letting them pile up. What does not fit at once goes through the stream, and so does the rest until it is empty.
   */
  write(bytes, wait) {
    const socket = this.socket, handle = socket._handle;
    if (socket.writableLength > 0 || !handle || !(handle.fd >= 0)) {
      socket.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length;) {
      try {
        at += fs.writeSync(handle.fd, bytes, at);
      } catch (error) {
        if (error.code !== "EAGAIN") { this.drop(socket); return; }
        if (!wait) { socket.write(bytes.subarray(at)); return; }
        Atomics.wait(sleeper, 0, 0, FULL_SLEEP_MS);
      }
    }
  }

  /** Sends log frames in order, waiting for a slow server, or keeps them for the next one. */
  sendLogs(frames) {
    if (this.greeted && this.socket.writableLength < STALL_MAX) {
      this.flush();
      if (this.socket) this.write(frames.length === 1 ? frames[0] : Buffer.concat(frames), true);
      return;
    }
    for (const frame of frames) {
      if (this.backlogBytes + frame.length > BACKLOG_MAX) {
        this.dropped += linesIn(frame);
        this.droppedKey = frame.latin1Slice(5, 17);
      } else {
        this.backlog.push(frame);
        this.backlogBytes += frame.length;
      }
    }
  }

  acknowledge(bytes, start, end) {
    if ((end - start) % KEY_BYTES) throw new Error("an ACK of odd length");
    for (let at = start; at < end; at += KEY_BYTES) {
      const key = bytes.latin1Slice(at, at + KEY_BYTES), kept = this.kept.get(key);
      if (kept === undefined) continue;
      this.kept.delete(key);
      if (kept[4] === KIND.RESULT && kept[17] & FLAG.PATH) fs.rm(kept.subarray(18), { force: true }, () => {});
    }
  }

  /** Where a large result goes; makes the folder. */
  payloadPath(key) {
    fs.mkdirSync(`${ioFolder}/out`, { recursive: true, mode: 0o700 });
    return `${ioFolder}/out/${keyId(key)}-${keyAttempt(key)}`;
  }
}

function linesIn(frame) {
  let lines = 1;
  for (let at = frame.indexOf(10, 26); at >= 0; at = frame.indexOf(10, at + 1)) lines++;
  return lines;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

module.exports = { Link, Spool, ioFolder, writeAll };
