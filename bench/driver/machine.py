"""What the machine is, and what else ran on it during a measurement."""

import os
import platform
import subprocess

from processes import TICK_US


def facts():
    with open("/proc/cpuinfo") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    with open("/proc/meminfo") as info:
        memory = int(info.readline().split()[1]) * 1024
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "kernel": platform.release().split("-")[0],
        "system": _os_name(),
        "versions": {
            "node": _said("node", "--version"),
            "python": platform.python_version(),
            "redis": _said("redis-server", "--version").split("v=")[-1].split(" ")[0],
            "wrk": _said("wrk", "--version", failing=True).split("/")[-1].split(" ")[0],
            "bubblewrap": _said("bwrap", "--version").split(" ")[-1],
        },
    }


def _os_name():
    with open("/etc/os-release") as release:
        return dict(line.rstrip().split("=", 1) for line in release if "=" in line).get("PRETTY_NAME", "").strip('"')


def _said(*command, failing=False):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    return (done.stdout + done.stderr).splitlines()[0] if done.returncode == 0 or failing else ""


def busy():
    """(microseconds of CPU used by anything, by all cores; wall-clock microseconds of all cores), since start."""
    with open("/proc/stat") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * TICK_US, sum(ticks) * TICK_US


class Neighbours:
    """How much of the machine others took while something was measured: a share of all cores, 0 to 1."""

    def __init__(self):
        self.start = busy()

    def share(self, *own_us):
        used, whole = (after - before for after, before in zip(busy(), self.start))
        return round(max(0.0, (used - sum(own_us)) / max(1, whole)), 3)
