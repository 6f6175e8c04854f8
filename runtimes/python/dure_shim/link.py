"""The connection to the server: what is sent, what is kept until it is acknowledged, what is said again."""
import _socket
import _thread
import os
from time import time

from .wire import INLINE_MAX, IS_PATH, LOG, LOG_HEAD, RESULT, RESULT_HEAD, Splitter

BACKLOG_MAX = 4 << 20  # bytes of log frames kept while no server is there


def io_folder():
    return os.environ.get("DURE_IO") or "/dure/io"


class Spool:
    """Everything a streamed result has said so far, so that it can be given whole after a lost connection."""

    def __init__(self, path):
        """path is called for the file's name when a file is needed."""
        self._name, self.path, self._memory, self._file = path, None, bytearray(), None

    def add(self, data):
        if self._file is None:
            self._memory += data
            if len(self._memory) <= INLINE_MAX:
                return
            self.path = self._name()
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            data, self._memory = self._memory, None
        write_all(self._file, data)

    def close(self):
        """Ends it; returns (flags, payload) of a RESULT that holds the whole."""
        if self._file is None:
            return 0, bytes(self._memory)
        os.close(self._file)
        return IS_PATH, os.fsencode(self.path)

    def discard(self):
        if self._file is not None:
            os.close(self._file)
            os.unlink(self.path)


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


class Link:
    """One listening socket, at most one connection. send() and log() may be called from any thread."""

    def __init__(self):
        folder = io_folder()
        self.out = folder + "/out"
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        path = folder + "/fn.sock"
        # The worker takes the name's appearance for readiness, so it appears only once connections are accepted.
        hidden = path + ".new"
        for old in (hidden, path):
            if os.path.lexists(old):
                os.unlink(old)
        listener.bind(hidden)
        listener.listen(16)
        os.rename(hidden, path)
        self.listener = listener
        self.sock = None
        self.splitter = Splitter()
        self.greeted = False  # HELLO came and READY went out on this connection
        self.lost = 0  # connections lost so far
        self.kept = {}  # key -> RESULT or ERROR frame to say again
        self.steps = {}  # (key, seq) -> STEP frame to say again
        self._send_lock = _thread.allocate_lock()
        self._backlog, self._backlog_bytes, self._dropped, self._dropped_key = [], 0, 0, None

    # -- connection ------------------------------------------------------------------------------------------------

    def accept(self):
        """Takes a waiting connection, which replaces the present one."""
        try:
            descriptor, _ = self.listener._accept()
        except OSError:
            return
        old = self.sock
        if old is not None:
            try:
                old.shutdown(_socket.SHUT_RDWR)  # wakes whoever is blocked in it
            except OSError:
                pass
        with self._send_lock:
            if old is not None:
                self._forget(old)
            self.sock = _socket.socket(fileno=descriptor)
            self.splitter = Splitter()

    def drop(self, sock):
        with self._send_lock:
            self._forget(sock)

    def _forget(self, sock):
        if sock is None or self.sock is not sock:
            return
        self.sock, self.greeted = None, False
        self.lost += 1
        sock.close()

    def greet(self, ready):
        """Sends READY, then what no server has acknowledged."""
        with self._send_lock:
            self.greeted = True
            frames = [ready, *self._backlog]
            if self._dropped:
                text = f"[dure] {self._dropped} lines were dropped while no server was reading".encode()
                frames.append(log_frame(self._dropped_key, 2, now_ms(), text))
            frames += self.steps.values()
            frames += self.kept.values()
            if self._raw_send(b"".join(frames)):
                self._backlog, self._backlog_bytes, self._dropped = [], 0, 0

    # -- sending ---------------------------------------------------------------------------------------------------

    def send(self, data):
        """Sends when a server is there; what must not be lost is in kept or steps already."""
        with self._send_lock:
            return self.greeted and self._raw_send(data)

    def send_unready(self, data):
        with self._send_lock:
            return self._raw_send(data)

    def _raw_send(self, data):
        sock = self.sock
        if sock is None:
            return False
        try:
            sock.sendall(data)
            return True
        except OSError:
            self._forget(sock)
            return False

    def send_logs(self, frames):
        """Sends log frames in order, or keeps them for the next connection."""
        with self._send_lock:
            if self.greeted and self._raw_send(b"".join(frames)):
                return
            for one in frames:
                if self._backlog_bytes + len(one) > BACKLOG_MAX:
                    self._dropped += 1 + one.count(b"\n", 26)
                    self._dropped_key = one[5:17]
                else:
                    self._backlog.append(one)
                    self._backlog_bytes += len(one)

    def acknowledge(self, body):
        if len(body) % 12:
            raise ValueError("ACK")
        for at in range(0, len(body), 12):
            kept = self.kept.pop(bytes(body[at:at + 12]), None)
            if kept is not None and kept[4] == RESULT and kept[17] & IS_PATH:
                try:
                    os.unlink(bytes(kept[18:]))
                except OSError:
                    pass

    def payload_path(self, key_id, attempt):
        """Where a large result goes; makes the folder."""
        os.makedirs(self.out, 0o700, exist_ok=True)
        return f"{self.out}/{key_id}-{attempt}"


def result_frame(key, flags, payload):
    return RESULT_HEAD.pack(len(payload) + 14, RESULT, key, flags) + payload


def log_frame(key, stream, ms, text):
    return LOG_HEAD.pack(len(text) + 22, LOG, key, stream, ms) + text


def now_ms():
    return int(time() * 1000)

