"""The Markdown page and the ratios, from the raw results."""

import edge_page
import fleet_page
from cold import LANGUAGES
from spread import median, number, ratio, repeat_spread, shown


def page(results):
    machine = results["machine"]
    lines = [
        "# Benchmarks",
        "",
        "Made by `bench/run" + (f" {results['arguments']}" if results["arguments"] else "") + "`; do not edit. How each figure is taken, and what it leaves out, stands in"
        " [bench/README.md](../bench/README.md).",
        "",
        f"{results['date']}, {machine['cores']} cores of {machine['cpu']}, {machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}, Linux {machine['kernel']}; "
        + ", ".join(f"{name} {version}" for name, version in _versions(results).items() if version) + ".",
        "",
        "Each cell is the median of the rounds with the lowest and the highest round; contenders take turns within each round.",
    ]
    for section, write in (("sync", _sync), ("async", _async), ("cold", _cold), ("idle", _idle), ("store", _store), ("edge", edge_page.section), ("fleet", fleet_page.section)):
        if section in results:
            lines += ["", *write(results[section])]
    goals = verdicts(results)
    if goals:
        lines += ["", "## Ratios", "", "| | ratio | range over rounds | at least | goal | |", "|---|---|---|---|---|---|"]
        lines += [f"| {what} | {number(value)} | {number(low)}-{number(high)} | {least} | {goal} | {verdict} |" for what, value, low, high, least, goal, verdict in goals]
    lines += ["", "## Noise", "", *_noise(results), ""]
    return "\n".join(lines)


def _versions(results):
    """Of what took part."""
    fleet = {"ansible": results["fleet"]["ansible"]} if "fleet" in results else {}
    if "fleet" in results and not {"sync", "async", "cold", "idle", "store"} & set(results):
        return {"python": results["machine"]["versions"]["python"], **fleet}
    return {**results["machine"]["versions"], **results["packages"], **fleet}


def _sync(results):
    lines = [
        "## Warm synchronous calls", "",
        "A no-op JSON handler, POST with keep-alive, wrk on the same machine.", "",
        "| | p50 at 1 connection | p99 at 1 | calls/s at 32 | p50 at 32 | p99 at 32 | CPU us per call at 32 | + load generator |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rounds in results.items():
        one, many = [r["one"] for r in rounds], [r["many"] for r in rounds]
        cells = [shown(_of(one, "p50_us"), " us"), shown(_of(one, "p99_us"), " us"), shown(_of(many, "per_second")), shown(_of(many, "p50_us"), " us"),
                 shown(_of(many, "p99_us"), " us"), shown(_of(many, "cpu_us_per_call")), number(median(_of(many, "load_cpu_us_per_call")))]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _async(results):
    lines = [
        "## Asynchronous jobs", "",
        "Drain: from the first enqueue to an empty queue. One by one keeps 64 calls in flight; batches are of 500, 4 in flight.", "",
        "| | jobs/s done | accepted/s | CPU us per job | + client |", "|---|---|---|---|---|",
    ]
    for title, rounds in results["drains"].items():
        lines.append(f"| {title} | {shown(_of(rounds, 'per_second'))} | {shown(_of(rounds, 'accepted_per_second'))} | "
                     f"{shown(_of(rounds, 'cpu_us_per_call'))} | {number(median(_of(rounds, 'load_cpu_us_per_call')))} |")
    lines += ["", f"Latency at {results['rate']} jobs a second, from just before the enqueue to the completion as announced.", "",
              "| | enqueue -> done p50 | p99 | enqueue -> accepted p50 |", "|---|---|---|---|"]
    for name, rounds in results["latencies"].items():
        done, accepted = [r["done_us"] for r in rounds], [r["acknowledged_us"] for r in rounds]
        lines.append(f"| {name} | {shown(_of(done, 'p50'), ' us')} | {shown(_of(done, 'p99'), ' us')} | {shown(_of(accepted, 'p50'), ' us')} |")
    return lines


def _cold(results):
    lines = ["## Cold starts in a sandbox", "", "The first call of a version that has no process, answered over HTTP; the floor is the bare mechanism in the same run.", "",
             "| | floor | floor p50 | Dure p50 | Dure p90 |", "|---|---|---|---|---|"]
    for language, result in results.items():
        dure = result["dure"]
        lines.append(f"| {language} | {LANGUAGES[language][0]} | {shown([median(r) / 1000 for r in result['floor']], ' ms')} | "
                     + (f"{shown([median(r) / 1000 for r in dure], ' ms')} | {shown([_at(r, 0.9) / 1000 for r in dure], ' ms')} |" if dure else "- | - |"))
    return lines


def _idle(results):
    memory = [m["pss"] / 2**20 for m in results["memory"]]
    rss = [m["rss"] / 2**20 for m in results["memory"]]
    lines = ["## An idle server", "", "| | |", "|---|---|",
             f"| `dure up` to healthy, empty folder | {shown(results['first_start_ms'], ' ms')} |",
             f"| `dure up` to healthy, same folder again | {shown(results['next_start_ms'], ' ms')} |",
             f"| memory of all its processes, PSS | {shown(memory, ' MiB')} |",
             f"| the same, RSS | {shown(rss, ' MiB')} |", ""]
    by_name = {}
    for process in results["memory"][-1]["processes"]:
        by_name.setdefault(process["command"], []).append(process["pss"] / 2**20)
    lines.append("Of which, PSS: " + ", ".join(
        f"{name}{f' x {len(sizes)}' if len(sizes) > 1 else ''} {sum(sizes):.0f} MiB" for name, sizes in sorted(by_name.items(), key=lambda item: -sum(item[1]))
        if sum(sizes) >= 0.5) + ".")
    return lines


def _store(results):
    rounds, size = results["rounds"], results["bytes"]
    rate = lambda name, unit, text: [f"| {text} | {shown([r[name]['per_second'] / unit for r in rounds])} |"] if all(name in r for r in rounds) else []
    lines = ["## Object storage", "", f"One object of {size >> 20} MiB, bytes in and out over HTTP on the same machine; the sender hashes nothing (pre-signed, `native/store.c`).", "",
             "| | MB/s |", "|---|---|",
             *rate("serial", 1e6, "plain: write + fsync, then MD5, then SHA-256, one after the other"),
             *rate("side_by_side", 1e6, "plain: the three at the same time, on threads"),
             *rate("copy", 1e6, "plain: `cp` and fsync, no hash"),
             *rate("upload", 1e6, "Dure: upload (fsync, MD5, SHA-256, CRC32C)"),
             *rate("static", 1e6, "plain: a static file through Kestrel"),
             *rate("download", 1e6, "Dure: download, checked block by block"), "",
             f"{results['objects']} objects of 4 KiB, 16 at a time, each on disk before it is acknowledged.", "", "| | objects/s | p50 | p99 |", "|---|---|---|---|"]
    for name, text in (("floor_without_folder", "plain: temporary file, fsync, rename"), ("floor", "plain: the same, and fsync of the folder"), ("puts", "Dure: PUT")):
        if all(name in r for r in rounds):
            each = [r[name] for r in rounds]
            lines.append(f"| {text} | {shown(_of(each, 'per_second'))} | " + (f"{shown(_of(each, 'p50_us'), ' us')} | {shown(_of(each, 'p99_us'), ' us')} |" if name == "puts" else "- | - |"))
    if results["memory"]:
        lines += ["", f"The most that the server's process held meanwhile: {results['memory']['rss'] / 2**20:.0f} MiB RSS, {results['memory']['pss'] / 2**20:.0f} MiB PSS."]
    return lines


def verdicts(results):
    """(what, ratio, lowest, highest, bound, goal, verdict) for each figure that Dure promises and this run has."""
    rows = []

    def more(what, ours, theirs, least, goal):
        if ours and theirs:
            value, low, high = ratio(ours, theirs)
            rows.append((what, value, low, high, f">= {least}", f">= {goal}", "goal met" if value >= goal else "met" if value >= least else "NOT MET"))

    def fewer(what, ours, theirs, most, goal=None):
        if ours and theirs:
            value, low, high = ratio(ours, theirs)
            goal = most if goal is None else goal
            rows.append((what, value, low, high, f"<= {most}", f"<= {goal}", "goal met" if value <= goal < most else "met" if value <= most else "NOT MET"))

    def beside(what, ours, theirs):
        if ours and theirs:
            rows.append((what, *ratio(ours, theirs), "-", "-", "for comparison"))

    sync, queues = results.get("sync", {}), results.get("async", {"drains": {}, "latencies": {}})
    rate = lambda name: [r["many"]["per_second"] for r in sync.get(name, [])]
    p50 = lambda name: [r["one"]["p50_us"] for r in sync.get(name, [])]
    drained = lambda title: _of(queues["drains"].get(title, []), "per_second")
    done = lambda name: [r["done_us"]["p50"] for r in queues["latencies"].get(name, [])]
    more("calls/s at 32: Dure durable / functions-framework", rate("Dure durable"), rate("functions-framework"), 2, 3)
    more("calls/s at 32: Dure relaxed / functions-framework", rate("Dure relaxed"), rate("functions-framework"), 3, 5)
    fewer("p50 at 1: Dure durable / Restate", p50("Dure durable"), p50("Restate (durable)"), 0.2)
    for how in ("one by one", "batches"):
        more(f"drain, {how}: Dure / BullMQ, AOF always", drained(f"Dure, {how}"), drained(f"BullMQ, AOF always, {how}"), 1.5, 2)
    fewer("enqueue -> done p50: Dure / BullMQ, AOF always", done("Dure"), done("BullMQ, AOF always"), 0.5)
    for language, result in results.get("cold", {}).items():
        fewer(f"cold start, {language}: Dure / floor", [median(r) for r in result["dure"]], [median(r) for r in result["floor"]], LANGUAGES[language][1])
    if "idle" in results:
        fewer("idle memory (PSS) / 120 MB", [m["pss"] for m in results["idle"]["memory"]], [120e6] * len(results["idle"]["memory"]), 1)
    stored = results.get("store", {"rounds": [], "memory": None})
    moved = lambda name: [r[name]["per_second"] for r in stored["rounds"] if name in r]
    more("upload: Dure / plain write + fsync + MD5 + SHA-256, one after the other", moved("upload"), moved("serial"), 0.7, 0.8)
    beside("upload: Dure / `cp` and fsync, which hashes nothing (radosgw needs a cluster of its own)", moved("upload"), moved("copy"))
    more("download: Dure / a static file through Kestrel", moved("download"), moved("static"), 0.7, 0.7)
    more("4 KiB PUTs, 16 clients: Dure / temporary file + fsync + rename + fsync of the folder", moved("puts"), moved("floor"), 2, 2)
    if stored["memory"]:
        fewer("memory while storing (RSS) / 200 MB", [stored["memory"]["rss"]], [200e6], 1)
    if "fleet" in results:
        fleet_page.compare(results["fleet"], more, fewer)
    if "edge" in results:
        edge_page.compare(results["edge"], more, fewer)
    return rows


def _noise(results):
    spreads, others = [], []
    for rounds in results.get("sync", {}).values():
        spreads.append(repeat_spread([r["many"]["per_second"] for r in rounds]))
        others += [r[part]["others"] for r in rounds for part in ("one", "many")]
    for rounds in results.get("async", {}).get("drains", {}).values():
        spreads.append(repeat_spread(_of(rounds, "per_second")))
        others += _of(rounds, "others")
    for name in ("upload", "download", "puts", "serial"):
        rounds = [r for r in results.get("store", {}).get("rounds", []) if name in r]
        spreads += [repeat_spread([r[name]["per_second"] for r in rounds])] if rounds else []
        others += _of(rounds, "others")
    if "fleet" in results:
        spreads += fleet_page.spreads(results["fleet"])
        others += _of(results["fleet"]["rounds"], "others")
    if "edge" in results:
        spreads += edge_page.spreads(results["edge"])
        others += edge_page.others(results["edge"])
    if not spreads:
        return ["No repeated load in this run."]
    return [f"Repeats of one measurement lie {median(spreads):.0%} apart (median of (max - min) / median; the worst {max(spreads):.0%}). "
            f"Processes outside the benchmark took {median(others):.0%} of the machine's CPU (at most {max(others):.0%}) while it measured."
            + (" **The machine was not quiet: read ratios, not figures.**" if median(others) > 0.1 else "")]


def _of(rows, key):
    return [row[key] for row in rows]


def _at(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
