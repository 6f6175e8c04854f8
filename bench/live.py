#!/usr/bin/env python3
"""What viewers cost: warm synchronous calls with nobody watching, and with 20 live streams open, in turns.

    bench/live.py --data FOLDER [--viewers 20] [--seconds 6] [--rounds 3] [--rate 0]

Needs a running server (`dure up --data FOLDER`); deploys a function `live-bench` to it. Prints p50 and p99 of the calls and the CPU that the
server process took per call. `--rate N` keeps to N calls a second; 0 calls as fast as one connection can.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import tarfile
import threading
import time
import urllib.parse
import urllib.request

TOPICS = "invocations,overview,workers"
CODE = b"def handler(event, context):\n    return event\n"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", required=True)
    options.add_argument("--viewers", type=int, default=20)
    options.add_argument("--seconds", type=float, default=6)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--rate", type=float, default=0)
    options = options.parse_args()
    server = Server(options.data)
    server.deploy()
    server.call_for(2, 0)
    results = {0: [], options.viewers: []}
    for number in range(options.rounds):
        for viewers in (0, options.viewers) if number % 2 == 0 else (options.viewers, 0):
            results[viewers].append(server.measure(viewers, options.seconds, options.rate))
    for viewers, rounds in results.items():
        middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        print(f"{viewers:3d} viewers: {middle['per_second']:7.0f} calls/s  p50 {middle['p50_us']:6.0f} us  p99 {middle['p99_us']:6.0f} us  "
              f"server CPU {middle['cpu_us']:6.0f} us/call  events {middle['events']:6.0f}")


class Server:
    def __init__(self, data):
        with open(os.path.join(data, "keys", "owner.token")) as token:
            self.headers = {"Authorization": f"Bearer {token.read().strip()}"}
        with open(os.path.join(data, "run", "server.json")) as running:
            told = json.load(running)
        self.pid, self.address = told["pid"], urllib.parse.urlparse(told["url"]).netloc
        self.tick = os.sysconf("SC_CLK_TCK")

    def deploy(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            entry = tarfile.TarInfo("handler.py")
            entry.size = len(CODE)
            tar.addfile(entry, io.BytesIO(CODE))
        request = urllib.request.Request(f"http://{self.address}/api/functions/live-bench/versions", packed.getvalue(), {**self.headers, "Content-Type": "application/gzip"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            last = answer.read().decode().strip().splitlines()[-1]
        if '"version"' not in last:
            raise SystemExit(f"not deployed: {last}")

    def cpu_us(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1_000_000 / self.tick

    def call_for(self, seconds, rate):
        connection = http.client.HTTPConnection(self.address)
        took, begun = [], time.perf_counter()
        while (now := time.perf_counter()) - begun < seconds:
            if rate and (wait := begun + len(took) / rate - now) > 0:
                time.sleep(wait)
            at = time.perf_counter()
            connection.request("POST", "/api/functions/live-bench/invocations", b'{"n":1}', self.headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"a call answered {answer.status}")
            took.append((time.perf_counter() - at) * 1e6)
        connection.close()
        return took, time.perf_counter() - begun

    def measure(self, viewers, seconds, rate):
        over, events = threading.Event(), [0]
        threads = [threading.Thread(target=self.watch, args=(over, events), daemon=True) for _ in range(viewers)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        before = self.cpu_us()
        took, lasted = self.call_for(seconds, rate)
        used = self.cpu_us() - before
        over.set()
        for thread in threads:
            thread.join()
        took.sort()
        return {"per_second": len(took) / lasted, "p50_us": took[len(took) // 2], "p99_us": took[len(took) * 99 // 100], "cpu_us": used / len(took), "events": events[0]}

    def watch(self, over, events):
        connection = http.client.HTTPConnection(self.address)
        connection.request("GET", f"/api/live?topics={TOPICS}", headers=self.headers)
        stream = connection.getresponse()
        while not over.is_set():
            if stream.readline().startswith(b"event:"):
                events[0] += 1
        connection.close()


if __name__ == "__main__":
    main()
