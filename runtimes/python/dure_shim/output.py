"""What an invocation prints, as LOG frames of that invocation."""
import _thread
import io
import os
from contextvars import ContextVar
from time import time

from .link import log_frame

LINE_MAX = 64 << 10  # characters; a longer line is cut into several
FLUSH_BYTES = 64 << 10
OUT, ERR = 1, 2

current = ContextVar("dure_invocation", default=None)


class Output:
    """Collects whole lines of every invocation. The keeper sends them within 20 ms, a result sends them before itself."""

    def __init__(self, link, running, wake):
        self.link, self._running, self._wake = link, running, wake
        self.raw = False  # in a forked child: the connection is the parent's
        self.pending = False
        self._lock = _thread.RLock()
        self._frames, self._bytes = [], 0
        self._group = None  # [key, stream, ms, lines]

    def owner(self):
        """The invocation that is printing; None when nobody can say."""
        found = current.get()
        if found is not None and not found._done:
            return found
        if len(self._running) == 1:  # a thread that the handler started
            for found in self._running.values():
                return found
        return None

    def write(self, stream, text):
        owner = None if self.raw else self.owner()
        if owner is None:
            write_raw(stream, text)
            return
        with self._lock:
            partial = owner._partial[stream] + text
            head, newline, tail = partial.rpartition("\n")
            if newline:
                self._lines(owner._key, stream, head)
            while len(tail) > LINE_MAX:
                self._lines(owner._key, stream, tail[:LINE_MAX])
                tail = tail[LINE_MAX:]
            owner._partial[stream] = tail
            if self._bytes > FLUSH_BYTES:
                self.flush()
            elif self.pending:
                self._wake()

    def _lines(self, key, stream, text):
        if len(text) > LINE_MAX:
            for line in text.split("\n"):
                for at in range(0, len(line) or 1, LINE_MAX):
                    self._line(key, stream, line[at:at + LINE_MAX])
        else:
            self._line(key, stream, text)

    def _line(self, key, stream, text):
        data, ms, group = text.encode("utf-8", "backslashreplace"), int(time() * 1000), self._group
        if group and group[0] == key and group[1] == stream and group[2] == ms and group[4] + len(data) < FLUSH_BYTES:
            group[3].append(data)
            group[4] += len(data) + 1
        else:
            self._seal()
            self._group = [key, stream, ms, [data], len(data)]
        self._bytes += len(data) + 27
        self.pending = True

    def _seal(self):
        if self._group:
            key, stream, ms, lines, _ = self._group
            self._frames.append(log_frame(key, stream, ms, b"\n".join(lines)))
            self._group = None

    def flush(self):
        with self._lock:
            self._seal()
            frames, self._frames, self._bytes, self.pending = self._frames, [], 0, False
            if frames:
                self.link.send_logs(frames)

    def finish(self, owner):
        """Sends everything the invocation printed, the unfinished line too."""
        with self._lock:
            for stream in (OUT, ERR):
                tail, owner._partial[stream] = owner._partial[stream], ""
                if tail:
                    self._lines(owner._key, stream, tail)
            self.flush()


def write_raw(descriptor, text):
    data = text.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(descriptor, data):]
    except OSError:
        pass  # nobody reads the raw output any more; the code need not fail for it


class _Bytes(io.RawIOBase):
    def __init__(self, text):
        self._text = text

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self._text.write(data.decode("utf-8", "replace"))
        return len(data)

    def fileno(self):
        return self._text.fileno()


class Captured(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr. Its descriptor is the real one, so child processes write there."""

    encoding, errors, newlines, line_buffering, mode = "utf-8", "backslashreplace", None, True, "w"

    def __init__(self, output, stream):
        self._output, self._stream = output, stream
        self.buffer = _Bytes(self)
        self.name = "<stdout>" if stream == OUT else "<stderr>"

    def write(self, text):
        if type(text) is not str:
            if not isinstance(text, str):
                raise TypeError(f"write() argument must be str, not {type(text).__name__}")
            text = str(text)
        if text:
            self._output.write(self._stream, text)
        return len(text)

    def fileno(self):
        return self._stream

    def writable(self):
        return True

    def isatty(self):
        return False

    def reconfigure(self, **_):
        pass
