"""The fleet's part of the page."""

from fleet_contenders import TEXTS, UNITS
from spread import repeat_spread, shown

LINES = (("dure", "Dure: `dure apply --yes`"), ("plan", "Dure: `dure plan`"), ("ansible", "Ansible: `ansible-playbook`, pipelined"), ("script", "shell script, one session a machine"))


def section(results):
    rounds = results["rounds"]
    lines = ["## Fleet", "",
             f"{len(TEXTS) + len(UNITS)} files, {len(UNITS)} of them units that run, on each of 4 machines (`dure lab up four`, systemd-nspawn). Seconds of the whole command.", "",
             "| | first run | nothing to do, new connections | nothing to do, kept connections |", "|---|---|---|---|"]
    for name, text in LINES:
        cells = [shown(_times(rounds, name, what), " s") for what in ("first", "cold", "warm")]
        lines.append(f"| {text} | " + " | ".join(cells) + " |")
    return [*lines, "", f"`dure check` of a file of {results['machines']:,} machines, the whole command: {shown(results['check'], ' s')}. "
            f"`dure --version`, which is the program's start alone: {shown(results['start'], ' s')}; no command of ours can take less, over whatever connections."]


def compare(results, more, fewer):
    """Ratios with their bounds and goals."""
    rounds = results["rounds"]
    times = lambda name, what: _times(rounds, name, what)
    for what, text in (("warm", "kept"), ("cold", "new")):
        more(f"nothing to do, {text} connections: Ansible / Dure", times("ansible", what), times("dure", what), 25, 40)
    for what, text in (("warm", "kept"), ("cold", "new")):
        fewer(f"nothing to do, {text} connections: Dure / shell script", times("dure", what), times("script", what), 2, 1.5)
    more("first run: Ansible / Dure", times("ansible", "first"), times("dure", "first"), 15, 15)
    fewer(f"check of {results['machines']:,} machines / 1 s", results["check"], [1] * len(results["check"]), 1)


def spreads(results):
    return [repeat_spread(_times(results["rounds"], name, what)) for name, _ in LINES for what in ("first", "cold", "warm") if _times(results["rounds"], name, what)]


def _times(rounds, name, what):
    return [one[name][what] for one in rounds if what in one.get(name, {})]
