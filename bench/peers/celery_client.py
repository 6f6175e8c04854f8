"""celery_client.py drain COUNT | paced RATE SECONDS, the Celery side of the asynchronous benchmark."""

import json
import os
import sys
import time

import redis
from celery_noop import app, noop, noop_told


def drain(count):
    broker = redis.Redis.from_url(os.environ["BROKER"])
    first = time.monotonic_ns()
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            noop.apply_async(({"n": 1},), producer=producer)
    acknowledged = time.monotonic_ns()
    while broker.llen("celery") or broker.hlen("unacked"):
        time.sleep(0.002)
    print(json.dumps({"jobs": count, "first_ns": first, "acknowledged_ns": acknowledged, "idle_ns": time.monotonic_ns()}))


def paced(rate, seconds):
    acknowledged_us, done_us, lost = [], [], []

    def one():
        start = time.monotonic_ns()
        result = noop_told.apply_async(({"n": 1},))
        acknowledged_us.append((time.monotonic_ns() - start) / 1000)
        try:
            result.get(timeout=10)
            done_us.append((time.monotonic_ns() - start) / 1000)
        except Exception as error:
            lost.append(repr(error))

    count = rate * seconds
    start = time.monotonic()
    for i in range(count):
        time.sleep(max(0, start + i / rate - time.monotonic()))
        one()
    print(json.dumps({"jobs": count, "lost": len(lost), "acknowledged_us": spread(acknowledged_us), "done_us": spread(done_us)}))


def spread(values):
    values = sorted(values)
    at = lambda share: values[int(len(values) * share)]
    return {"p50": at(0.5), "p99": at(0.99), "min": values[0], "max": values[-1], "count": len(values)}


if sys.argv[1] == "drain":
    drain(int(sys.argv[2]))  # the batch size that may follow means nothing here
else:
    paced(int(sys.argv[2]), int(sys.argv[3]))
