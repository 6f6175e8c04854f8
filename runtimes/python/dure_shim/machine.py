"""Reads frames, starts invocations, keeps the server informed while handlers work.

The main thread reads and, for sync handlers one at a time, calls the handler itself: nothing is handed between threads on
the way of a short call. When a handler takes longer than a tick the keeper thread reads too, so that a reconnect, an ACK
or a step is answered while the handler works. Whoever holds the read lock reads; there is never a second reader.
"""
import _socket
import _struct
import _thread
import json
import os
import select
import sys
from contextvars import copy_context
from time import tzset

from . import load, wire
from .calls import Calls, decode, encode
from .context import Context
from .ending import EXIT_CANCELLED, Ending
from .link import result_frame
from .output import ERR, OUT, Captured, Output, current
from .wire import INVOKE_HEAD, KEY, META_IS_PATH, STEP_OK_BODY, ProtocolError, frame

TICK_MS, FLUSH_MS = 5, 20
READ_BYTES = 64 << 10
MALFORMED = (ProtocolError, ValueError, KeyError, TypeError, AttributeError, OSError, _struct.error)


class Machine(Calls, Ending):
    encode, decode = staticmethod(encode), staticmethod(decode)

    def __init__(self, link):
        self.link = link
        self.pid, self.main_thread = os.getpid(), _thread.get_ident()
        self.running = {}  # key -> Context
        self.state, self.failed = "generic", None  # failed: what INIT_ERROR says
        self.handler, self.raw, self.is_async, self.concurrency = None, False, False, 1
        self.in_user = False  # the main thread is inside the handler's own code
        self.stopping = self.signal_again = False
        self.loop = None
        self.seq = 0  # invocations begun
        self.sleeping = False  # the keeper waits without an end and must be woken
        self.step_waiters = {}  # (key, seq) -> function to call once the step is durable
        self.read_lock = _thread.allocate_lock()
        self.connected = _thread.allocate_lock()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._jobs, self._idle, self._pool_lock = None, 0, _thread.allocate_lock()
        self.output = Output(link, self.running, self._wake_sleeper)
        sys.stdout, sys.stderr = Captured(self.output, OUT), Captured(self.output, ERR)
        os.register_at_fork(after_in_child=self._forked)

    # -- becoming a function ---------------------------------------------------------------------------------------

    def initialise(self, handler):
        """Loads the handler; afterwards either the state is ready or failed is set."""
        try:
            module, self.handler = load.load(handler)
        except BaseException as error:
            self.failed = load.describe(error)
            print(f"{''.join(self.failed['stackTrace'])}{self.failed['errorType']}: {self.failed['errorMessage']}", file=sys.stderr)
            return
        self.raw = bool(getattr(module, "raw", False))
        self.is_async = load.is_async(self.handler)
        environment = os.environ.get
        self.concurrency = int(environment("DURE_CONCURRENCY") or 1)
        Context.function_name = environment("DURE_FUNCTION", "")
        Context.function_version = environment("DURE_VERSION", "")
        Context.invoked_function_arn = f"arn:dure:function:{Context.function_name}:{Context.function_version}"
        self.state = "ready"

    def rehearse(self):
        """What a first call will do, with nothing in it: the memory that this writes is then no longer shared with the zygote."""
        from . import rehearsal  # noqa: F401
        load.prepare_path()
        exec(compile("def handler(event, context):\n    return event\n", "rehearsal.py", "exec"), {})
        decode(encode({"env": {"NAME": "value"}, "handler": "module.function"}))
        tzset()
        context = Context(self, b"\0" * 12, 1, 0, decode('{"id":"0"}'))
        copy_context().run(current.set, context)
        result_frame(context._key, 0, encode({"n": 1}).encode())
        self._ready()

    def _assign(self, body):
        message = decode(str(body, "utf-8"))
        os.environ.update(message.get("env") or {})
        tzset()  # of a TZ in it
        os.environ.setdefault("DURE_FUNCTION", message.get("function") or "")
        os.environ.setdefault("DURE_VERSION", message.get("version") or "")
        self.initialise(message["handler"])
        if self.failed:
            self.refuse(self.link.send)
        self.link.send(self._ready())

    def refuse(self, send):
        send(frame(wire.INIT_ERROR, json.dumps(self.failed).encode()))
        os._exit(1)

    def _ready(self):
        def named(keys):
            return [[str(number), attempt] for number, attempt in map(KEY.unpack, list(keys))]
        runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return frame(wire.READY, encode({"state": self.state, "pid": os.getpid(), "runtime": runtime, "running": named(self.running),
                                        "finished": named(self.link.kept)}).encode())

    # -- reading ---------------------------------------------------------------------------------------------------

    def read(self, flags=0):
        """One read by the holder of the read lock; returns the invocations that arrived."""
        sock, found = self.link.sock, []
        if sock is None:
            return found
        try:
            data = sock.recv(READ_BYTES, flags)
        except BlockingIOError:
            return found
        except OSError:
            data = b""
        if not data:
            self.link.drop(sock)
            return found
        try:
            for kind, body in self.link.splitter.feed(data):
                if kind == wire.INVOKE:
                    invocation = self._invocation(body)
                    if invocation:
                        found.append(invocation)
                elif kind == wire.ACK:
                    self.link.acknowledge(body)
                else:
                    self._other(kind, body)
        except MALFORMED as error:
            os.write(2, f"[dure] the server's connection is ended: {error!r}\n".encode("utf-8", "replace"))
            self.link.drop(sock)
        return found

    def _other(self, kind, body):
        if kind == wire.HELLO:
            if decode(str(body, "utf-8")).get("protocol") != 1:
                raise ProtocolError("another protocol than 1")
            if self.failed:
                self.refuse(self.link.send_unready)
            self.link.greet(self._ready())
        elif not self.link.greeted:
            raise ProtocolError(f"frame {kind:#x} before HELLO")
        elif kind == wire.STEP_OK:
            step = STEP_OK_BODY.unpack(body)
            self.link.steps.pop(step, None)
            waiter = self.step_waiters.pop(step, None)
            if waiter:
                waiter()
        elif kind == wire.ASSIGN and self.state == "generic":
            self._assign(body)
        else:
            raise ProtocolError(f"frame {kind:#x}")

    def _invocation(self, body):
        number, attempt, flags, deadline, length = INVOKE_HEAD.unpack_from(body)
        key, start = body[:12], 25 + length
        if self.state != "ready" or not self.link.greeted or start > len(body):
            raise ProtocolError("INVOKE out of place")
        if key in self.running:
            return None
        if key in self.link.kept:  # the server forgot that it was told
            self.link.send(self.link.kept[key])
            return None
        meta = {}
        if length:
            meta = body[25:start]
            if flags & META_IS_PATH:
                with open(meta, "rb") as file:
                    meta = file.read()
            meta = decode(str(meta, "utf-8"))
        self.running[key] = context = Context(self, key, attempt, deadline, meta)
        return context, flags, body[start:]

    # -- steps -----------------------------------------------------------------------------------------------------

    def expect_step(self, key, seq):
        """Must come before the step is sent; gives what wait_step waits for."""
        arrived = _thread.allocate_lock()
        arrived.acquire()
        self.step_waiters[(key, seq)] = arrived.release
        return arrived

    def wait_step(self, arrived):
        """Blocks until the step is durable, reading frames itself when nobody else does."""
        while not arrived.acquire(False):
            if self.link.sock is not None and self.read_lock.acquire(False):
                try:
                    found = self.read() if arrived.locked() else ()
                finally:
                    self.read_lock.release()
                self.start_elsewhere(found)
            elif arrived.acquire(True, FLUSH_MS / 1000):
                return

    def step_future(self, key, seq):
        import asyncio
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self.step_waiters[(key, seq)] = lambda: loop.call_soon_threadsafe(lambda: future.done() or future.set_result(None))
        return future

    # -- the main thread -------------------------------------------------------------------------------------------

    def serve(self):
        """Never returns; SystemExit comes out of it when the process is asked to end."""
        _thread.start_new_thread(self._keep, ())
        found = []
        while not self.is_async:
            found = self._turn()
        self._serve_async(found)

    def _turn(self):
        """Reads once and runs what came; returns what an event loop must run instead."""
        if self.link.sock is None:
            self.connected.acquire(True, 1)
            return []
        with self.read_lock:
            found = self.read()
        if not found or self.is_async:
            return found
        if self.concurrency > 1:
            self.start_elsewhere(found)
            return []
        if len(found) > 1:
            self.start_elsewhere(found[1:])
        self.run(*found[0])
        if self.stopping:
            self.leave()
        return []

    def _serve_async(self, found):
        import asyncio
        self.loop = loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        watched = None

        def watch():
            nonlocal watched
            if watched is not None:
                loop.remove_reader(watched)
            sock = self.link.sock
            watched = sock.fileno() if sock is not None else None
            if watched is not None and watched >= 0:
                loop.add_reader(watched, readable)

        def readable():
            sock = self.link.sock
            if self.read_lock.acquire(False):
                try:
                    found = self.read(_socket.MSG_DONTWAIT)
                finally:
                    self.read_lock.release()
                for one in found:
                    self.start_task(*one)
            if self.link.sock is not sock or sock is None:
                watch()

        self.on_connection = lambda: loop.call_soon_threadsafe(watch)
        watch()
        for one in found:
            self.start_task(*one)
        loop.run_forever()
        sys.exit(EXIT_CANCELLED)

    def start_task(self, context, flags, payload):
        self.begin()
        space = copy_context()
        space.run(current.set, context)
        context._task = task = space.run(self.loop.create_task, self.run_async(context, flags, payload))
        if self.stopping:
            task.cancel()

    def begin(self):
        self.seq += 1
        if self.sleeping:
            self._wake_sleeper()

    # -- other threads ---------------------------------------------------------------------------------------------

    def start_elsewhere(self, found):
        """Starts invocations, but not on this thread."""
        for one in found:
            if self.loop is not None:
                self.loop.call_soon_threadsafe(self.start_task, *one)
                continue
            with self._pool_lock:
                if self._jobs is None:
                    from _queue import SimpleQueue
                    self._jobs = SimpleQueue()
                self._jobs.put(one)
                if self._idle > 0:
                    self._idle -= 1
                else:
                    _thread.start_new_thread(self._work, ())

    def _work(self):
        while True:
            self.run(*self._jobs.get())
            if self.stopping:
                self.leave()
            with self._pool_lock:
                self._idle += 1

    def _wake_sleeper(self):
        if self.sleeping:
            quiet(os.write, self._wake_write, b"w")

    def on_connection(self):
        quiet(self.connected.release)

    def _keep(self):
        """The keeper thread: takes connections, sends logs in time, reads while the main thread is inside a handler."""
        poller, listener = select.poll(), self.link.listener.fileno()
        poller.register(listener, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        seen, watched, descriptor = -1, None, -1
        while True:
            lasting, seen = self.seq == seen, self.seq
            watching = lasting and self.running and (self.concurrency == 1 or self.loop is not None)
            sock = self.link.sock if watching else None
            if sock is not watched:
                if watched is not None:
                    quiet(poller.unregister, descriptor)
                watched, descriptor = sock, -1 if sock is None else sock.fileno()
                if descriptor < 0:
                    watched = None
                else:
                    poller.register(descriptor, select.POLLIN)
            ready = poller.poll(self._patience(lasting, seen))
            self.sleeping = False
            for which, _ in ready:
                if which == listener:
                    self.link.accept()
                    self.on_connection()
                elif which == self._wake_read:
                    quiet(os.read, self._wake_read, 4096)
                elif self.read_lock.acquire(True, TICK_MS / 1000):
                    try:
                        found = self.read(_socket.MSG_DONTWAIT) if self.link.sock is watched else ()
                    finally:
                        self.read_lock.release()
                    self.start_elsewhere(found)
            if self.output.pending:
                self.output.flush()
            if self.signal_again:
                self.signal_again = False
                import _signal
                _signal.pthread_kill(self.main_thread, _signal.SIGTERM)

    def _patience(self, lasting, seen):
        if self.output.pending or self.signal_again:
            return FLUSH_MS
        if not lasting:
            return TICK_MS
        self.sleeping = True
        # Whoever changed one of these before it could see that we sleep has not woken us.
        return TICK_MS if self.seq != seen or self.output.pending or self.signal_again else None

    def _forked(self):
        if self.pid != os.getpid():
            self.output.raw = True
            self.link.sock = None


def quiet(call, *arguments):
    try:
        return call(*arguments)
    except (OSError, KeyError, RuntimeError):
        return None
