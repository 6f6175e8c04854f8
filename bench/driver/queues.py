"""Asynchronous jobs: how fast a backlog drains, and how long one job takes at a low rate."""

from machine import Neighbours


def measure(queues, lines, rounds, paced, say):
    """
    `queues`: name -> queue (drain, paced, group). `lines`: (title, queue's name, jobs, batch).
    `paced`: (jobs a second, seconds). Returns (title -> list of drains, name -> list of latencies).
    """
    for _, name, jobs, batch in lines:
        queues[name].drain(max(batch, min(1000, jobs // 4)), batch)
    drains = {title: [] for title, *_ in lines}
    latencies = {name: [] for name in queues}
    for number in range(rounds):
        for title, name, jobs, batch in lines[number % len(lines):] + lines[:number % len(lines)]:
            result = _drain(queues[name], jobs, batch)
            drains[title].append(result)
            say(f"drain {number + 1}/{rounds} {title}: {result['per_second']:.0f}/s")
        for name, queue in queues.items():
            result = _paced(queue, *paced)
            latencies[name].append(result)
            say(f"latency {number + 1}/{rounds} {name}: p50 {result['done_us']['p50']:.0f} us")
    return drains, latencies


def _drain(queue, jobs, batch):
    neighbours, before = Neighbours(), queue.group.cpu_us()
    result, load_us = queue.drain(jobs, batch)
    used, jobs = queue.group.cpu_us() - before, result["jobs"]
    took_s = (result["idle_ns"] - result["first_ns"]) / 1e9
    return {
        "jobs": jobs,
        "per_second": jobs / took_s,
        "accepted_per_second": jobs / ((result["acknowledged_ns"] - result["first_ns"]) / 1e9),
        "cpu_us_per_call": used / jobs,
        "load_cpu_us_per_call": load_us / jobs,
        "others": neighbours.share(used, load_us),
    }


def _paced(queue, rate, seconds):
    neighbours = Neighbours()
    result, _ = queue.paced(rate, seconds)
    if result["lost"]:
        raise RuntimeError(f"{result['lost']} of {result['jobs']} jobs were never said to be done")
    return {**result, "busy": neighbours.share()}
