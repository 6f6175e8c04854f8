"""Forks warmed Python processes into sandboxes of their own.

Runs as `dure-init --mode zygote -- python3 -I -S -X utf8 zygote.py [--preload a,b]`. Listens at /dure/io/zygote.sock; JSON
objects, one a line:

    to it    {"fork":"<slot>","tmpBytes":N,"openFiles":N,"patient":false}
    from it  {"forked":"<slot>","pid":N}              the process listens at /dure/slots/<slot>/io/fn.sock
             {"failed":"<slot>","detail":"..."}
             {"exited":"<slot>","code":N,"signal":N}  every process of that sandbox is gone

It listens before it has imported what its children are to share. A fork that somebody waits for is made at once, without
what is not imported yet; a patient one comes when all is.

It is process 1 of its pid namespace: when it dies, the kernel ends all its children.
"""
import sys

sys.path.insert(0, __file__.rpartition("/")[0])
from dure_shim import load, serve  # noqa: E402

del sys.path[0]

import _socket  # noqa: E402
import ctypes  # noqa: E402
import fcntl  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402

SLOTS = os.environ.get("DURE_SLOTS") or "/dure/slots"
LINE_MAX = 64 << 10
EXIT_CANCELLED = 143  # as a shell says for SIGTERM
# What most handlers import. Their memory is shared by all children.
WARM = ("asyncio", "base64", "collections", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "enum", "functools", "glob",
        "hashlib", "inspect", "io", "itertools", "logging", "math", "pathlib", "pickle", "queue", "random", "shutil", "statistics", "string",
        "subprocess", "tempfile", "threading", "time", "traceback", "typing", "urllib.parse", "uuid", "zlib")


class Native:
    """libdure-enter.so, beside the python folder."""

    def __init__(self):
        library = ctypes.CDLL(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "libdure-enter.so"))
        library.dure_why.restype = ctypes.c_char_p
        library.dure_make_stack.restype = ctypes.c_void_p
        library.dure_open_pids.argtypes = library.dure_free_stack.argtypes = (ctypes.c_void_p,)
        library.dure_enter.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_long, ctypes.c_long)
        self.library = library

    def check(self, result):
        if result is None or result < 0:
            raise OSError((self.library.dure_why() or b"out of memory").decode())
        return result


class Child:
    """One forked sandbox. `code` is what its main process ended with, None while that lives."""

    def __init__(self, slot, pid, reaper, stack, report):
        self.slot, self.pid, self.reaper, self.stack, self.report = slot, pid, reaper, stack, report
        self.code = None
        self.told = False


class Zygote:
    def __init__(self):
        self.native = Native()
        self.user, self.group = outer_id("uid_map"), outer_id("gid_map")
        self.poller = select.poll()
        self.waiting = {}  # descriptor -> function
        self.server = self.listen()
        self.worker, self.rest = None, b""
        self.later = []  # patient forks; None when everything is imported
        self.watch(self.server.fileno(), self.accept)

    def listen(self):
        server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        path = serve.io_folder() + "/zygote.sock"
        if os.path.lexists(path):
            os.unlink(path)
        server.bind(path + ".new")
        server.listen(4)
        os.rename(path + ".new", path)
        return server

    def watch(self, descriptor, ready):
        self.waiting[descriptor] = ready
        self.poller.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor):
        del self.waiting[descriptor]
        self.poller.unregister(descriptor)
        os.close(descriptor)

    def run(self, modules):
        for name in modules:
            while self.step(0):
                pass
            preload(name)
        gc.collect()
        gc.freeze()  # the collector must not touch, and so copy, what the children share
        later, self.later = self.later, None
        for request in later:
            self.take(request)
        while True:
            self.step(None)

    def step(self, timeout):
        events = self.poller.poll(timeout)
        # What is handled may close a descriptor and open another of the same number: that one has nothing to say yet.
        for descriptor, ready in [(d, self.waiting[d]) for d, _ in events]:
            if self.waiting.get(descriptor) is ready:
                ready()
        return events

    # -- the worker ------------------------------------------------------------------------------------------------

    def accept(self):
        descriptor, _ = self.server._accept()
        self.leave_worker()
        self.worker, self.rest = descriptor, b""
        self.watch(descriptor, self.hear)

    def leave_worker(self):
        if self.worker is not None:
            self.unwatch(self.worker)
            self.worker = None

    def hear(self):
        try:
            data = os.read(self.worker, LINE_MAX)
        except OSError:
            data = b""
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data or len(self.rest) > LINE_MAX:
            self.leave_worker()
        for line in lines:
            self.take(line)

    def take(self, line):
        slot = None
        try:
            request = json.loads(line)
            slot = request["fork"]
            if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", slot):
                raise ValueError("not a slot's name")
            if self.later is not None and request.get("patient"):
                self.later.append(line)
            else:
                self.fork(slot, int(request.get("tmpBytes") or 0), int(request.get("openFiles") or 0), bool(request.get("patient")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.say({"failed": slot, "detail": f"{type(error).__name__}: {error}"})

    def say(self, message):
        if self.worker is None:
            return
        data = json.dumps(message).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self.worker, data):]
        except OSError:
            self.leave_worker()

    # -- children --------------------------------------------------------------------------------------------------

    def fork(self, slot, tmp_bytes, open_files, patient):
        library, check = self.native.library, self.native.check
        report, answer = os.pipe2(os.O_CLOEXEC)
        stack = check(library.dure_make_stack())
        reaper = library.dure_open_pids(stack)
        if reaper < 0:
            os.close(report)
            os.close(answer)
            library.dure_free_stack(stack)
        check(reaper)
        pid = os.fork()
        if pid == 0:
            self.become(slot, tmp_bytes, open_files, patient, answer)
        check(library.dure_close_pids())
        os.close(answer)
        child = Child(slot, pid, reaper, stack, report)
        self.watch(report, lambda: self.reported(child))
        exit_of_main = os.pidfd_open(pid)
        self.watch(exit_of_main, lambda: self.main_ended(child, exit_of_main))

    def reported(self, child):
        text = os.read(child.report, LINE_MAX)
        self.unwatch(child.report)
        child.told = True
        if text == b"ok":
            self.say({"forked": child.slot, "pid": child.pid})
        else:
            self.say({"failed": child.slot, "detail": text.decode("utf-8", "replace") or "it ended before it listened"})

    def main_ended(self, child, descriptor):
        self.unwatch(descriptor)
        _, child.code = os.waitpid(child.pid, 0)
        if not child.told:
            self.reported(child)
        os.kill(child.reaper, signal.SIGKILL)  # and with process 1, everything in its namespace
        exit_of_all = os.pidfd_open(child.reaper)
        self.watch(exit_of_all, lambda: self.all_ended(child, exit_of_all))

    def all_ended(self, child, descriptor):
        self.unwatch(descriptor)
        os.waitpid(child.reaper, 0)
        self.native.library.dure_free_stack(child.stack)
        code = os.WEXITSTATUS(child.code) if os.WIFEXITED(child.code) else 0
        number = os.WTERMSIG(child.code) if os.WIFSIGNALED(child.code) else 0
        self.say({"exited": child.slot, "code": code, "signal": number})

    def become(self, slot, tmp_bytes, open_files, patient, answer):
        """In the child: leaves everything of the zygote behind and becomes a generic function."""
        try:
            # The socket object must not close, when it is collected, whatever then has its number.
            self.server.detach()
            os.dup2(answer, 3)
            os.closerange(4, 1 << 20)
            folder = os.fsencode(f"{SLOTS}/{slot}")
            self.native.check(self.native.library.dure_enter(folder, os.fsencode(SLOTS), self.user, self.group, tmp_bytes, open_files))
            for name, descriptor in (("raw.out", 1), ("raw.err", 2)):
                pipe = os.open(f"{serve.io_folder()}/{name}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_WRONLY)
                os.dup2(pipe, descriptor)
                os.close(pipe)
            sys.path_importer_cache.pop(os.environ.get("DURE_CODE") or "/code", None)
            if "numpy.random" in sys.modules:
                sys.modules["numpy.random"].seed()  # else every fork would draw the same numbers
        except BaseException as error:
            os.write(3, f"{type(error).__name__}: {error}".encode())
            os._exit(1)

        def listening():
            os.write(3, b"ok")
            os.close(3)

        serve.main(listening, rehearse=patient)
        os._exit(0)


def outer_id(name):
    with open(f"/proc/self/{name}") as file:
        return int(file.read().split()[1])


def preload(name):
    try:
        __import__(name)
    except BaseException as error:
        # A child that needs it says the same in its own words.
        sys.stderr.write(f"[dure] {name} was not preloaded: {type(error).__name__}: {error}\n")


def main():
    wanted = []
    if len(sys.argv) > 2 and sys.argv[1] == "--preload":
        wanted = [name for name in sys.argv[2].split(",") if name]
    # As process 1 of its namespace it would ignore the signal's default.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(EXIT_CANCELLED))
    load.prepare_path()
    Zygote().run([*WARM, *wanted])


if __name__ == "__main__":
    main()
