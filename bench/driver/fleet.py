"""The fleet: `dure apply` beside Ansible and a hand-written shell script, on the same four machines of a lab, taking turns."""

import os
import re
import shutil
import subprocess
import time

from fleet_contenders import Ansible, Dure, Script, write_overlay
from fleet_thousand import MACHINES, thousand
from machine import Neighbours
from processes import run

LAB = "bench"
HOSTS = ("n1", "n2", "n3", "n4")
CONFIG = f"/var/lib/dure-lab/{LAB}/ssh_config"


def missing():
    """Why this machine cannot have the lab; None when it can."""
    return None if os.geteuid() == 0 else "the lab's machines need root"


def measure(dure, folder, rounds, say):
    """`dure`: the program. Returns the rounds: seconds of each contender, first and again, with cold and warm connections."""
    work = os.path.join(folder, "fleet")
    os.mkdir(work)
    _lab_up(dure, work, say)
    try:
        overlay = write_overlay(work)
        contenders = [Dure(dure, work, overlay, _addresses()), Ansible(work, overlay, CONFIG, HOSTS), Script(work, overlay, CONFIG, HOSTS)]
        results = {"rounds": [_round(number, contenders, work, say) for number in range(rounds)]}
        results["check"] = _check(dure, work, rounds, say)
        # What no command of it can be under.
        results["start"] = [contenders[0].run([dure, "--version"]) for _ in range(rounds)]
        results["machines"] = MACHINES
        results["ansible"] = run(["ansible-playbook", "--version"])[0].split("]")[0].split(" ")[-1]
        return results
    finally:
        run([dure, "lab", "down", "--name", LAB])
        shutil.rmtree(work, ignore_errors=True)


def _round(number, contenders, work, say):
    """First runs on bare machines, then what nothing is to be done for: each contender after dropping its connections, and at once again."""
    one, rests = {}, [_rest()]
    dure, ansible, script = contenders
    for first in _turned((dure, ansible), number):
        _reset(work)
        _drop(contenders)
        one[first.name] = {"first": first.apply()}
        if not script.holds():
            raise RuntimeError(f"{first.name} has not made the machines what was asked for")
    # What Ansible made is what Dure would make, but for Dure's own record of it; Ansible keeps none.
    dure.apply()
    for contender in _turned(contenders, number):
        _drop([contender])
        cold = contender.again()
        one.setdefault(contender.name, {}).update(cold=cold, warm=contender.again())
    _drop([dure])
    one["plan"] = {"cold": dure.plan(), "warm": dure.plan()}
    rests.append(_rest())
    one["others"] = sum(rests) / len(rests)
    say(f"fleet {number + 1}: " + "; ".join(f"{name} " + ", ".join(f"{what} {seconds:.2f} s" for what, seconds in times.items()) for name, times in one.items() if name != "others"))
    return one


def _turned(contenders, number):
    """The order turns by one in each round."""
    at = number % len(contenders)
    return [*contenders[at:], *contenders[:at]]


def _lab_up(dure, work, say):
    say("bringing up the lab (the first time it builds an image)")
    run([dure, "lab", "up", "four", "--name", LAB, "--packages", "python3", "--output", os.path.join(work, "lab.yaml"), "--yes"], timeout=900, cwd=work)
    say("installing python3 on its machines, for Ansible")
    _on_all(work, "command -v python3 >/dev/null && python3 -c 'import json, ctypes, zipfile' || { apt-get -q update && apt-get -q install -y --no-install-recommends python3; }")


def _addresses():
    """Of the lab's machines, from its OpenSSH configuration."""
    with open(CONFIG) as config:
        found = dict(re.findall(r"^Host (\S+) (\d\S+)$", config.read(), re.MULTILINE))
    return {host: found[host] for host in HOSTS}


def _on_all(work, script):
    """Runs a script on every machine, over connections of its own."""
    started = [(host, subprocess.Popen(["ssh", "-F", CONFIG, "-T", host, "sh -s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=work)) for host in HOSTS]
    for _, ssh in started:
        ssh.stdin.write(script)
        ssh.stdin.close()
    for host, ssh in started:
        said = ssh.stdout.read()
        if ssh.wait() != 0:
            raise RuntimeError(f"{host}: {said[-1500:]}")


def _reset(work):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers", "fleet", "reset.sh")) as script:
        _on_all(work, script.read())


def _drop(contenders):
    """Ends the connections that contenders keep; the next command makes new ones."""
    for contender in contenders:
        for name in os.listdir(contender.control) if os.path.isdir(contender.control) else []:
            subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={os.path.join(contender.control, name)}", "-F", CONFIG, HOSTS[0]], capture_output=True, timeout=20)
        until = time.monotonic() + 10
        while os.path.isdir(contender.control) and os.listdir(contender.control) and time.monotonic() < until:
            time.sleep(0.02)


def _check(dure, work, rounds, say):
    """Seconds of `dure check` on a file of a thousand machines, the whole process."""
    path = os.path.join(work, "thousand.yaml")
    with open(path, "w") as file:
        file.write(thousand())
    run([dure, "init", "--secrets", "--config", path], cwd=work)
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        done = subprocess.run([dure, "check", path], capture_output=True, text=True, timeout=120, cwd=work)
        times.append(time.monotonic() - began)
        if done.returncode != 0 or f"{MACHINES} machines" not in done.stdout:
            raise RuntimeError(f"dure check ended with {done.returncode}: {done.stderr[-1500:]}")
    say("fleet check of a thousand machines: " + ", ".join(f"{seconds:.2f} s" for seconds in times))
    return times


def _rest():
    """The share of the machine that others take while the benchmark rests: while it works, what its machines do cannot be told from what others do."""
    neighbours, own = Neighbours(), _children_us()
    time.sleep(2)
    return neighbours.share(_children_us() - own)


def _children_us():
    times = os.times()
    return round((times.children_user + times.children_system) * 1e6)
