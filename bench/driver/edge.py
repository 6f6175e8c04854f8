"""Published apps: the generated nginx configuration beside one written by hand, the door of one machine (YARP), how long a publish takes and its parts, and how long a sleeper takes to wake."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

from dure import program
from machine import Neighbours
from processes import Scope, free_port, run

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers", "edge")
POST_LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "post.lua")
PAGE = "x" * 1000
PATH = "/papers/bench/"
SLEEPY = "/papers/sleepy/"

# Each version has one, and what was asked there a moment ago is not free at once.
PORTS = 20


def missing():
    """Why this machine cannot have the edge; None when it can."""
    return None if os.geteuid() == 0 else "mounts of one's own, as sshd and nginx want them, need root"


def measure(tools, folder, logs, rounds, seconds, say):
    work = os.path.join(folder, "edge")
    os.mkdir(work, 0o755)
    ports = {name: free_port() for name in ("GENERATED", "BY_HAND", "SSH", "DOOR", "API", "GATE")}
    ports["APP"] = _free_ports()
    edge = _edge(tools, work, logs, ports, say)
    server = None
    try:
        server = _server(tools, work, logs, ports)
        _write_apps(work, ports)
        say(f"edge: publishing: {_publish(work, ports, 'bench')['whole']:.2f} s")
        doors = {"by hand": f"http://127.0.0.1:{ports['BY_HAND']}/by-hand/", "generated": f"http://127.0.0.1:{ports['GENERATED']}{PATH}",
                 "door": f"http://127.0.0.1:{ports['DOOR']}{PATH}", "app": f"http://127.0.0.1:{ports['APP']}{PATH}"}
        _until_the_index_stands(ports)
        for url in doors.values():
            _until(lambda url=url: _get(url) == PAGE, f"{url} does not show the app")
            _load(url, 32, 1)
        results = {"requests": {name: [] for name in doors}, "publish": [], "wake": []}
        for number in range(rounds):
            names = list(doors)
            at = number % len(names)
            for name in names[at:] + names[:at]:
                neighbours, before = Neighbours(), edge.cpu_us() + server.cpu_us()
                many, load_us = _load(doors[name], 32, seconds)
                results["requests"][name].append({**many, "others": neighbours.share(edge.cpu_us() + server.cpu_us() - before, load_us)})
            say(f"edge {number + 1}/{rounds}: " + ", ".join(f"{name} {results['requests'][name][-1]['per_second']:.0f}/s, p99 {results['requests'][name][-1]['p99_us']} us" for name in names))
        for _ in range(max(3, rounds)):
            results["publish"].append(_publish(work, ports, "bench"))
        say("edge: publish " + ", ".join(f"{one['whole']:.2f} s" for one in results["publish"]))
        _publish(work, ports, "sleepy")
        for _ in range(max(3, rounds)):
            results["wake"].append(_wake(work, ports))
        say("edge: woken in " + ", ".join(f"{one * 1000:.0f} ms" for one in results["wake"]))
        return results
    finally:
        if server:
            server.stop()
        edge.stop()
        shutil.rmtree(work, ignore_errors=True)


def _edge(tools, work, logs, ports, say):
    say("edge: setting up nginx and sshd in mounts of their own")
    for key in ("client", "host"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(work, key)])
    with open(os.path.join(work, "host.pub")) as key, open(os.path.join(work, "known"), "w") as known:
        known.write(f"[127.0.0.1]:{ports['SSH']} {key.read()}")
    with open(os.path.join(work, "ssh_config"), "w") as config:
        config.write(f"Host edge\n HostName 127.0.0.1\n Port {ports['SSH']}\n User root\n IdentityFile {work}/client\n IdentitiesOnly yes\n UserKnownHostsFile {work}/known\n")
    _fill("nginx.conf", os.path.join(work, "nginx.conf"), {**ports, "WORK": work})
    edge = Scope(tools, "edge", ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", os.path.join(HERE, "root.sh"), work, str(ports["SSH"])], logs)
    edge.wait_for("Server listening", 300)
    return edge


def _server(tools, work, logs, ports):
    settings = {"store.port": 0, "apps.port": ports["DOOR"], "apps.port_first": ports["APP"], "apps.port_last": ports["APP"] + PORTS - 1, "apps.edge": "root@edge", "apps.address": "127.0.0.1",
                "apps.gatekeeper_port": ports["GATE"], "apps.wake_port": free_port(), "apps.public_url": f"http://127.0.0.1:{ports['GENERATED']}", "apps.ssh_config": os.path.join(work, "ssh_config")}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    server = Scope(tools, "dure-edge", [program(), "up", "--data", os.path.join(work, "data"), "--port", str(ports["API"]), "--foreground", "--yes", *words], logs, grace_ms=10000)
    _until(lambda: _get(f"http://127.0.0.1:{ports['API']}/api/health"), "dure did not become healthy", 180)
    return server


def _write_apps(work, ports):
    for name, more in (("bench", ""), ("sleepy", "sleep_after: 1s\n")):
        app = os.path.join(work, name)
        os.mkdir(app)
        shutil.copy(os.path.join(work, "nginx"), app)
        for at in range(ports["APP"], ports["APP"] + PORTS):
            _fill("app.conf", os.path.join(app, f"{at}.conf"), {"APP": at, "PAGE": PAGE})
        with open(os.path.join(app, "app.yaml"), "w") as yaml:
            yaml.write(f"id: {name}\ncommand: sh -c 'exec ./nginx -p . -c $PORT.conf'\ndrain: 1s\n{more}")


def _fill(name, to, values):
    with open(os.path.join(HERE, name)) as source:
        text = re.sub("@([A-Z_]+)@", lambda found: str(values[found[1]]), source.read())
    with open(to, "w") as out:
        out.write(text)


def _publish(work, ports, name):
    """Seconds from the command to its end, and of its parts as it tells of them."""
    began, marks, said = time.monotonic(), [], []
    command = subprocess.Popen([program(), "publish", os.path.join(work, name), "--data", os.path.join(work, "data")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in command.stderr:
        said.append(line)
        marks.append((time.monotonic() - began, line.strip()))
    if command.wait() != 0:
        raise RuntimeError("dure publish: " + "".join(said)[-1500:])
    whole = time.monotonic() - began
    at = lambda words: next((when for when, line in marks if line.startswith(words)), None)
    # The command itself, packing and sending; until it answers; until the edge shows it.
    return {"whole": whole, "sent": at("starting"), "healthy": at("healthy"), "lines": marks}


def _wake(work, ports):
    url = f"http://127.0.0.1:{ports['GENERATED']}{SLEEPY}"
    _until(lambda: json.loads(run([program(), "apps", "status", "sleepy", "--format", "json", "--data", os.path.join(work, "data")])[0])["state"] == "asleep", "it does not fall asleep")
    began = time.monotonic()
    if _get(url) != PAGE:
        raise RuntimeError("what was woken shows something else")
    return time.monotonic() - began


def _until_the_index_stands(ports):
    """The index, and the picture for it, are each a change of the edge after the publish: nginx reloads once more."""
    pictures = any(os.path.exists(path) for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"))
    shown = lambda: _get(f"http://127.0.0.1:{ports['GENERATED']}/papers/") or ""
    _until(lambda: "/papers/bench/" in shown() and (not pictures or ".png" in shown()), "the index does not show the app", 90)
    time.sleep(2)


def _load(url, connections, seconds):
    said, cpu_us = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", POST_LUA, url], env={**os.environ, "BENCH_METHOD": "GET"})
    result = json.loads(said.splitlines()[-1])
    if result["errors"]:
        raise RuntimeError(f"{url} failed {result['errors']} of {result['requests']} requests")
    return {**result, "per_second": result["requests"] / result["duration_us"] * 1e6}, cpu_us


def _free_ports():
    """The first of PORTS free ones in a row."""
    while True:
        port = free_port()
        try:
            held = [socket.create_server(("127.0.0.1", at)) for at in range(port, port + PORTS)]
        except (OSError, OverflowError):
            continue
        for one in held:
            one.close()
        return port


def _get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def _until(holds, otherwise, seconds=30):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError(otherwise)
        time.sleep(0.05)
