"""Runs the benchmarks that were asked for and writes the page and the raw results. Started by bench/run."""

import argparse
import datetime
import json
import os
import shutil
import sys
import tempfile
import time

import cold
import dure as dure_module
import edge
import fleet
import idle
import machine
import queues
import store
import sync
from peers import HERE, Peers
from report import page

SECTIONS = ("sync", "async", "cold", "idle", "store", "edge", "fleet")

# These need root, and machines or mounts of their own: they are measured when they are named.
UNNAMED = SECTIONS[:-2]


def main():
    options = _options()
    started = time.monotonic()
    say = lambda text: print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)
    folder = tempfile.mkdtemp(prefix="dure-bench-")
    os.chmod(folder, 0o755)
    logs = os.path.join(folder, "logs")
    os.mkdir(logs)
    peers = Peers(options.tools, folder, logs)
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "arguments": _asked(options), "machine": machine.facts(), "packages": _packages()}
    with_dure = dure_module.command() is not None and not options.peers_only
    if not with_dure:
        say("without Dure: peers and floors only")
    try:
        if "idle" in options.only and with_dure:
            results["idle"] = idle.measure(options.tools, folder, logs, 1 if options.quick else 3, 3 if options.quick else 10, say)
        server = dure_module.Dure(options.tools, os.path.join(folder, "dure"), logs) if with_dure and set(options.only) - {"idle", "edge", "fleet"} else None
        try:
            _measure(options, peers, server, results, say)
        finally:
            if server:
                server.stop()
        if "edge" in options.only and with_dure:
            _edge(options, folder, logs, results, say)
        if "fleet" in options.only and with_dure:
            _fleet(options, folder, results, say)
    finally:
        peers.stop()
        if options.keep:
            say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    _write(options, results)
    say("done")


def _measure(options, peers, server, results, say):
    quick = options.quick
    if "sync" in options.only:
        results["sync"] = sync.measure(_callables(peers, server, say), 1 if quick else options.rounds, 3 if quick else 6, say)
        peers.stop()
    if "async" in options.only:
        waiting, lines = _queues(peers, server, 4 if quick else 1)
        rate = 100
        drains, latencies = queues.measure(waiting, lines, 1 if quick else options.rounds, (rate, 3 if quick else 6), say)
        results["async"] = {"drains": drains, "latencies": latencies, "rate": rate}
        peers.stop()
    if "cold" in options.only:
        results["cold"] = cold.measure(options.tools, server, 1 if quick else options.rounds, 5 if quick else 8, say)
    if "store" in options.only:
        size, objects = (256 << 20, 3_000) if quick else (1 << 30, 10_000)
        results["store"] = store.measure(options.tools, peers.folder, peers.logs, server, 1 if quick else options.rounds, size, objects, say)


def _edge(options, folder, logs, results, say):
    lacks = edge.missing()
    if lacks:
        say(f"the edge is left out: {lacks}")
        return
    results["edge"] = edge.measure(options.tools, folder, logs, 1 if options.quick else options.rounds, 3 if options.quick else 6, say)


def _fleet(options, folder, results, say):
    """The lab's machines; after everything else, when no server of ours runs any more."""
    lacks = fleet.missing()
    if lacks:
        say(f"the fleet is left out: {lacks}")
        return
    results["fleet"] = fleet.measure(dure_module.program(), folder, 1 if options.quick else options.rounds, say)


def _callables(peers, server, say):
    """Every contender for synchronous calls: name -> (group, url, token)."""
    contenders = {}
    if server:
        for name, folder in (("Dure durable", "node"), ("Dure relaxed", "node-relaxed"), ("Dure durable, Python", "python")):
            server.deploy(f"sync-{folder}", folder)
            contenders[name] = (server.group, server.invocations(f"sync-{folder}"), server.token)
    for name, start in (("functions-framework", peers.functions_framework), ("workerd", peers.workerd), ("Restate (durable)", peers.restate)):
        try:
            group, url = start()
            contenders[name] = (group, url, None)
        except RuntimeError as error:
            say(f"{name} does not start here and is left out: {error}")
    return contenders


def _queues(peers, server, divisor):
    """The queues, and the lines of the drain: (title, queue, jobs, batch). Counts give each 1 to 4 seconds of work."""
    queues_by_name = {
        "BullMQ, AOF always": peers.bullmq("always"),
        "BullMQ, AOF everysec": peers.bullmq("everysec"),
        "graphile-worker": peers.graphile(),
        "Celery, AOF always": peers.celery(),
    }
    lines = []
    for fsync in ("always", "everysec"):
        lines += [(f"BullMQ, AOF {fsync}, {how}", f"BullMQ, AOF {fsync}", 20_000 // divisor, batch) for how, batch in (("one by one", 1), ("batches", 500))]
    lines += [
        ("graphile-worker, one by one", "graphile-worker", 4_000 // divisor, 1),
        ("graphile-worker, batches", "graphile-worker", 40_000 // divisor, 500),
        ("Celery, AOF always, one by one", "Celery, AOF always", 3_000 // divisor, 1),
    ]
    if server:
        server.deploy("async-node", "node")
        queues_by_name["Dure"] = dure_module.DureQueue(server, "async-node")
        lines += [("Dure, one by one", "Dure", 40_000 // divisor, 1), ("Dure, batches", "Dure", 40_000 // divisor, 500)]
    return queues_by_name, lines


def _asked(options):
    """The arguments that decide what is measured."""
    words = ["--quick"] if options.quick else []
    if set(options.only) != set(UNNAMED):
        words.append("--only " + ",".join(options.only))
    if options.rounds != (5 if options.only == ["fleet"] else 3):
        words.append(f"--rounds {options.rounds}")
    return " ".join(words)


def _packages():
    with open(os.path.join(HERE, "package.json")) as package:
        return {name.split("/")[-1]: version for name, version in json.load(package)["dependencies"].items()}


def _write(options, results):
    text = page(results)
    print(text)
    os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
    with open(options.out + ".md", "w") as out:
        out.write(text)
    with open(options.out + ".json", "w") as out:
        json.dump(results, out, indent=1)
        out.write("\n")


def _options():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures Dure and its peers side by side, in one run.")
    parser.add_argument("--tools", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one short round of everything, under 3 minutes")
    parser.add_argument("--only", default=",".join(UNNAMED), help="a comma-separated choice of " + ", ".join(SECTIONS) + " (all but edge and fleet)")
    parser.add_argument("--out", default="bench/results/benchmarks", help="where the page (.md) and the raw results (.json) go, without ending")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (3, and 5 of fleet alone)")
    parser.add_argument("--peers-only", action="store_true", help="leave Dure out")
    parser.add_argument("--keep", action="store_true", help="keep the folder with data and logs")
    options = parser.parse_args()
    options.only = options.only.split(",")
    options.rounds = options.rounds or (5 if options.only == ["fleet"] else 3)
    unknown = set(options.only) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return options


main()
