"""Warm synchronous calls: every contender in every round, one connection for latency, then 32 for throughput."""

import json
import os
import urllib.request

from machine import Neighbours
from processes import run

POST_LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "post.lua")


def measure(contenders, rounds, seconds, say):
    """`contenders`: name -> (group, url, token). Returns name -> list of rounds."""
    for name, (_, url, token) in contenders.items():
        _check(name, url, token)
        _wrk(url, token, 32, 1)
    results = {name: [] for name in contenders}
    for number in range(rounds):
        for name, (group, url, token) in _turned(contenders, number):
            one = _timed(group, url, token, 1, seconds)
            many = _timed(group, url, token, 32, seconds)
            results[name].append({"one": one, "many": many})
            say(f"sync {number + 1}/{rounds} {name}: p50 {one['p50_us']} us at 1, {many['per_second']:.0f}/s at 32")
    return results


def _turned(contenders, number):
    """The contenders, another one first in each round."""
    names = list(contenders.items())
    number %= len(names)
    return names[number:] + names[:number]


def _timed(group, url, token, connections, seconds):
    neighbours, before = Neighbours(), group.cpu_us()
    result, load_us = _wrk(url, token, connections, seconds)
    used = group.cpu_us() - before
    if result["errors"]:
        raise RuntimeError(f"{url} failed {result['errors']} of {result['requests']} calls")
    return {
        **result,
        "per_second": result["requests"] / result["duration_us"] * 1e6,
        "cpu_us_per_call": used / result["requests"],
        "load_cpu_us_per_call": load_us / result["requests"],
        "others": neighbours.share(used, load_us),
    }


def _wrk(url, token, connections, seconds):
    env = dict(os.environ)
    env.pop("BENCH_TOKEN", None)
    if token:
        env["BENCH_TOKEN"] = token
    said, cpu_us = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", POST_LUA, url], env=env)
    return json.loads(said.splitlines()[-1]), cpu_us


def _check(name, url, token):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, b'{"n":1}', headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        body = response.read()
    if json.loads(body) != {"n": 1}:
        raise RuntimeError(f"{name} answered {body[:200]!r}")
