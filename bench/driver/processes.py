"""Processes that a benchmark starts: each in its own scope (native/scope.c), so that all it starts is known, counted and ended."""

import os
import signal
import socket
import subprocess
import time

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


class Scope:
    """One contender, or one part of it: a command and everything that comes of it."""

    def __init__(self, tools, name, command, logs, env=None, cwd=None, ready=None, grace_ms=5000):
        """Starts the command. `ready`: a line of its output to wait for."""
        self.name = name
        self.log = os.path.join(logs, f"{name}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(tools, "scope"), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=cwd,
                env={**os.environ, "SCOPE_GRACE_MS": str(grace_ms), **(env or {})}, start_new_session=True)
        if ready:
            self.wait_for(ready)

    def wait_for(self, line, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with open(self.log, errors="replace") as log:
                if line in log.read():
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not say {line!r}:\n{self.tail()}")

    def tail(self, count=15):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-count:])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def pids(self):
        """The scope itself and every process below it."""
        below = {}
        for pid, fields in _stats():
            below.setdefault(int(fields[1]), []).append(pid)
        found, look = [], [self.process.pid]
        while look:
            pid = look.pop()
            found.append(pid)
            look += below.get(pid, [])
        return found

    def cpu_us(self):
        """CPU time, user and system, of all that live and all that have ended, in microseconds."""
        mine, total = set(self.pids()), 0
        for pid, fields in _stats():
            if pid in mine:
                total += sum(int(fields[i]) for i in (11, 12, 13, 14)) * TICK_US
        return total

    def memory(self):
        """(RSS, PSS) of all processes below the scope, in bytes, and each process by name."""
        rss = pss = 0
        each = []
        for pid in self.pids()[1:]:
            try:
                with open(f"/proc/{pid}/smaps_rollup") as rollup:
                    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in rollup if line.endswith("kB\n")}
                with open(f"/proc/{pid}/cmdline", "rb") as command:
                    words = command.read().split(b"\0")
            except OSError:
                continue
            rss += sizes.get("Rss", 0)
            pss += sizes.get("Pss", 0)
            named = [os.path.basename(words[0]), *words[1:2]] if not words[1:2] or words[1:2][0][:1] not in b"-/" else [os.path.basename(words[0])]
            each.append({"command": b" ".join(named).decode(errors="replace"), "rss": sizes.get("Rss", 0), "pss": sizes.get("Pss", 0)})
        return {"rss": rss, "pss": pss, "processes": each}


class Group:
    """Several scopes that make up one contender."""

    def __init__(self, *scopes):
        self.scopes = scopes

    def cpu_us(self):
        return sum(scope.cpu_us() for scope in self.scopes)


def _stats():
    """(pid, the fields of /proc/PID/stat after the name: state, parent, ...)."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                yield int(entry), stat.read().rpartition(")")[2].split()
        except OSError:
            continue


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, scope, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if scope.process.poll() is not None:
                break
            time.sleep(0.02)
    raise RuntimeError(f"{scope.name} does not listen on port {port}:\n{scope.tail()}")


def run(command, timeout=300, **options):
    """Runs a short command to its end: its output, and what CPU time it took, in microseconds."""
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, **options)
    after = os.times()
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:6])} ended with {done.returncode}: {done.stderr[-1500:]}{done.stdout[-500:]}")
    return done.stdout, round((after.children_user - before.children_user + after.children_system - before.children_system) * 1e6)
