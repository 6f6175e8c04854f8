"""Object storage: Dure's S3 endpoint beside what the same disk and the same web server give without it."""

import json
import os
import shutil
import sys
import threading
import time

from machine import Neighbours
from presign import Presigner
from processes import Scope, free_port, run, wait_for_port

SMALL_BYTES = 4096
CLIENTS = 16


def measure(tools, folder, logs, server, rounds, size, objects, say):
    """`size`: bytes of the large object; `objects`: small ones in a round. Returns the rounds of each contender."""
    work = os.path.join(folder, "store")
    os.makedirs(os.path.join(work, "files"))
    source, copy = os.path.join(work, "files", "large"), os.path.join(work, "copy")
    with open(source, "wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
        os.fsync(file.fileno())
    results = {"bytes": size, "objects": objects, "rounds": [], "memory": None}
    static, static_port = _static(tools, os.path.join(work, "files"), logs, say)
    store = _Store(tools, server) if server else None
    try:
        if store:
            # The first requests of a process pay for its compiler.
            store.upload(source, "warm-up")
            store.download("warm-up")
            store.puts(500, "warm-up")
        for number in range(rounds):
            neighbours, used, one = Neighbours(), _cpu_us(server, static), {}
            one["serial"] = _plain("serial", source, copy)
            if store:
                one["upload"] = store.upload(source, f"large-{number}")
            one["side_by_side"] = _plain("side-by-side", source, copy)
            one["copy"] = _copy(source, copy)
            if static:
                one["static"] = _load(tools, "download", f"127.0.0.1:{static_port}", "/large")
            if store:
                one["download"] = store.download(f"large-{number}")
            for name, how in (("floor", "folder"), ("floor_without_folder", "file")):
                one[name] = _floor(tools, os.path.join(work, name), objects, how)
            if store:
                one["puts"] = store.puts(objects, number)
            say(f"store {number + 1}/{rounds}: " + ", ".join(f"{name} {_shown(name, value)}" for name, value in one.items()))
            one["others"] = neighbours.share(_cpu_us(server, static) - used)
            results["rounds"].append(one)
    finally:
        if store:
            results["memory"] = store.stop()
        if static:
            static.stop()
        shutil.rmtree(work, ignore_errors=True)
    return results


class _Store:
    """The endpoint of a running Dure, with a bucket of its own, and its memory watched until the end."""

    def __init__(self, tools, server):
        self.tools, self.server = tools, server
        keys = json.loads(server.ask("POST", "/api/storage/session", b""))
        self.address = keys["endpoint"].split("//")[1]
        self.presigner = Presigner(keys["endpoint"], keys["region"], keys["access_key_id"], keys["secret_access_key"])
        server.ask("POST", "/api/storage/buckets", b'{"name":"bench"}', Content_Type="application/json")
        self.peak = {"rss": 0, "pss": 0}
        self.ended = threading.Event()
        self.watch = threading.Thread(target=self._watch, daemon=True)
        self.watch.start()

    def upload(self, file, key):
        return _load(self.tools, "upload", self.address, self.presigner.path("PUT", "bench", key), file)

    def download(self, key):
        return _load(self.tools, "download", self.address, self.presigner.path("GET", "bench", key))

    def puts(self, count, number):
        paths = "".join(self.presigner.path("PUT", "bench", f"small-{number}/{i:06}") + "\n" for i in range(count))
        return _load(self.tools, "puts", self.address, CLIENTS, SMALL_BYTES, input=paths)

    def stop(self):
        self.ended.set()
        self.watch.join()
        return self.peak

    def _watch(self):
        """The most that the server's own process holds; workers of functions are others."""
        while not self.ended.wait(0.1):
            for process in self.server.scope.memory()["processes"]:
                if " up" in process["command"]:
                    self.peak = {key: max(self.peak[key], process[key]) for key in self.peak}


def _cpu_us(server, static):
    """CPU time of the contenders and of every command run so far, in microseconds."""
    times = os.times()
    return round((times.children_user + times.children_system) * 1e6) + sum(scope.cpu_us() for scope in (server and server.scope, static) if scope)


def _static(tools, files, logs, say):
    program = os.path.join(tools, "static", "bench-static")
    if not os.access(program, os.X_OK):
        say("no .NET SDK to build the plain file server with: downloads have no floor")
        return None, 0
    port = free_port()
    scope = Scope(tools, "static", [program, str(port), files], logs)
    wait_for_port(port, scope)
    return scope, port


def _plain(how, source, copy):
    said, _ = run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "plain.py"), how, source, copy])
    os.remove(copy)
    return json.loads(said)


def _copy(source, copy):
    began = time.monotonic()
    run(["sh", "-c", 'cp "$0" "$1" && sync "$1"', source, copy])
    took = time.monotonic() - began
    os.remove(copy)
    return {"per_second": os.path.getsize(source) / took}


def _floor(tools, folder, objects, how):
    os.mkdir(folder)
    said, _ = run([os.path.join(tools, "store"), "floor", folder, str(CLIENTS), str(objects), str(SMALL_BYTES), how])
    shutil.rmtree(folder)
    return json.loads(said)


def _load(tools, *words, **options):
    said, _ = run([os.path.join(tools, "store"), *map(str, words)], **options)
    return json.loads(said)


def _shown(name, value):
    rate = value["per_second"]
    return f"{rate:.0f}/s" if name in ("puts", "floor", "floor_without_folder") else f"{rate / 1e6:.0f} MB/s"
