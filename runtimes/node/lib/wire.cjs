"use strict";
// Frames of the function protocol (docs/protocol.md).

const KIND = {
  HELLO: 0x01, ASSIGN: 0x02, INVOKE: 0x03, ACK: 0x04, STEP_OK: 0x05,
  READY: 0x11, INIT_ERROR: 0x12, RESULT: 0x13, ERROR: 0x14, CHUNK: 0x15, LOG: 0x16, STEP: 0x17,
};
const FRAME_MAX = 1 << 20; // bytes after the length field
const INLINE_MAX = 256 << 10; // larger payloads travel as files
const KEY_BYTES = 12; // u64 id, u32 attempt
const FLAG = { PATH: 1, STREAMED: 2, CHECKPOINT: 4, META_PATH: 2 };
const EMPTY = Buffer.alloc(0);

/** A frame that belongs to no invocation. */
function plainFrame(kind, text) {
  const size = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(5 + size);
  frame.writeUInt32LE(size + 1, 0);
  frame[4] = kind;
  frame.write(text, 5);
  return frame;
}

/** A frame of the invocation `key` (12 bytes as a latin1 string) with room for `size` bytes after the key, and its first free offset 17. */
function keyFrame(kind, key, size) {
  const frame = Buffer.allocUnsafe(17 + size);
  frame.writeUInt32LE(13 + size, 0);
  frame[4] = kind;
  frame.latin1Write(key, 5, KEY_BYTES);
  return frame;
}

/** RESULT or ERROR: key, flags, payload (string or bytes). */
function answerFrame(kind, key, flags, payload) {
  if (typeof payload === "string") {
    const size = Buffer.byteLength(payload);
    const frame = keyFrame(kind, key, 1 + size);
    frame[17] = flags;
    frame.utf8Write(payload, 18, size);
    return frame;
  }
  const frame = keyFrame(kind, key, 1 + payload.length);
  frame[17] = flags;
  frame.set(payload, 18);
  return frame;
}

function chunkFrame(key, bytes) {
  const frame = keyFrame(KIND.CHUNK, key, bytes.length);
  frame.set(bytes, 17);
  return frame;
}

function logFrame(key, stream, ms, text) {
  const size = Buffer.byteLength(text);
  const frame = keyFrame(KIND.LOG, key, 9 + size);
  frame[17] = stream;
  frame.writeUInt32LE(ms % 0x100000000, 18);
  frame.writeUInt32LE(Math.floor(ms / 0x100000000), 22);
  frame.utf8Write(text, 26, size);
  return frame;
}

function stepFrame(key, seq, name, json) {
  const label = Buffer.byteLength(name), size = Buffer.byteLength(json);
  const frame = keyFrame(KIND.STEP, key, 6 + label + size);
  frame.writeUInt32LE(seq, 17);
  frame.writeUInt16LE(label, 21);
  frame.write(name, 23);
  frame.write(json, 23 + label);
  return frame;
}

const keyId = (key) => Buffer.from(key, "latin1").readBigUInt64LE(0);
const keyAttempt = (key) => Buffer.from(key, "latin1").readUInt32LE(8);

module.exports = {
  KIND, FLAG, FRAME_MAX, INLINE_MAX, KEY_BYTES, EMPTY, plainFrame, answerFrame, chunkFrame, logFrame, stepFrame, keyId, keyAttempt,
};
