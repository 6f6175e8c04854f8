"""How soon a server is up, and what it holds when nothing happens."""

import os
import shutil
import time

from dure import Dure


def measure(tools, folder, logs, times, settle_s, say):
    """Starts on an empty folder, rests, looks at the memory, stops, and starts again on the same folder."""
    first, again, memory = [], [], []
    for number in range(times):
        data = os.path.join(folder, f"dure-idle-{number}")
        first.append(_start(tools, data, logs, lambda server: (time.sleep(settle_s), memory.append(server.scope.memory()))))
        again.append(_start(tools, data, logs, lambda server: None))
        shutil.rmtree(data, ignore_errors=True)
        say(f"idle {number + 1}/{times}: up in {first[-1]:.0f} ms, again in {again[-1]:.0f} ms, {memory[-1]['pss'] / 2**20:.0f} MiB")
    return {"first_start_ms": first, "next_start_ms": again, "memory": memory}


def _start(tools, data, logs, while_up):
    server = Dure(tools, data, logs)
    try:
        while_up(server)
        return server.start_ms
    finally:
        server.stop()
