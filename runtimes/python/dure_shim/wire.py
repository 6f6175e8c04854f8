"""Frames of the function protocol (docs/protocol.md)."""
from struct import Struct

HELLO, ASSIGN, INVOKE, ACK, STEP_OK = 0x01, 0x02, 0x03, 0x04, 0x05
READY, INIT_ERROR, RESULT, ERROR, CHUNK, LOG, STEP = 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17

FRAME_MAX = 1 << 20  # bytes after the length field
INLINE_MAX = 256 << 10  # larger payloads travel as files
TEXT_MAX = 64 << 10  # bytes of an error message

IS_PATH, WAS_STREAMED, HAS_CHECKPOINT = 1, 2, 4
META_IS_PATH = 2

HEAD = Struct("<IB")
KEY = Struct("<QI")
INVOKE_HEAD = Struct("<QIBQI")  # key, flags, deadline, length of meta
RESULT_HEAD = Struct("<IB12sB")
LOG_HEAD = Struct("<IB12sBQ")
STEP_HEAD = Struct("<IB12sIH")
STEP_OK_BODY = Struct("<12sI")


def frame(kind, *parts):
    body = b"".join(parts)
    return HEAD.pack(len(body) + 1, kind) + body


class ProtocolError(Exception):
    """The other side sent what the protocol does not know; the connection cannot be trusted any more."""


class Splitter:
    """Cuts a byte stream into frames. Yields (type, body); body is a bytes object or a memoryview slice of one."""

    def __init__(self):
        self._rest = b""

    def feed(self, data):
        if self._rest:
            data = self._rest + data
        at, end, frames = 0, len(data), []
        while end - at >= 5:
            length = int.from_bytes(data[at:at + 4], "little")
            if not 0 < length <= FRAME_MAX:
                raise ProtocolError(f"a frame of {length} bytes")
            stop = at + 4 + length
            if stop > end:
                break
            frames.append((data[at + 4], data[at + 5:stop]))
            at = stop
        self._rest = data[at:] if at else data
        return frames
