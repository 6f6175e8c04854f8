"""Cold starts: the first call of a version that has no process, beside the bare floor of the same run."""

import json
import os

from dure import HERE
from processes import run

BWRAP = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin",
         "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
NODE_FLOOR = "const fs=require('fs');fs.writeSync(1,JSON.stringify(JSON.parse(fs.readFileSync(0,'utf8')||'{}')))"
PAUSE_MS = 400
LANGUAGES = {
    "python": ("fork of a warmed zygote with new namespaces", 2.5),
    "node": ("bubblewrap + node", 1.4),
    "cpp": ("bubblewrap + static binary", 2.0),
}


def floor(tools, language, count):
    """Microseconds of each of COUNT bare starts."""
    pause = str(PAUSE_MS // 4)
    if language == "python":
        command = ["/usr/bin/python3", os.path.join(HERE, "native", "zygote.py"), str(count), pause]
    elif language == "node":
        command = [os.path.join(tools, "spawn"), str(count), pause, *BWRAP, "--ro-bind", _node(), "/tmp/node", "/tmp/node", "-e", NODE_FLOOR]
    else:
        command = [os.path.join(tools, "spawn"), str(count), pause, *BWRAP, "--ro-bind", os.path.join(tools, "noop"), "/tmp/noop", "/tmp/noop"]
    said, _ = run(command, stdin=open(os.devnull))
    return json.loads(said)


def measure(tools, dure, rounds, starts, say):
    """language -> {"floor": [[us] per round], "dure": [[us] per round]}; `dure` may be None."""
    versions = {language: _deploy(dure, language, rounds * starts) for language in LANGUAGES} if dure else {}
    results = {language: {"floor": [], "dure": []} for language in LANGUAGES}
    for number in range(rounds):
        for language, result in results.items():
            result["floor"].append(floor(tools, language, starts))
            if dure:
                part = versions[language][number * starts:(number + 1) * starts]
                result["dure"].append(dure.each(f"cold-{language}", part, PAUSE_MS))
            say(f"cold {number + 1}/{rounds} {language}: floor {_middle(result['floor'][-1]):.0f} us"
                + (f", dure {_middle(result['dure'][-1]):.0f} us" if dure else ""))
    if dure:
        for language in LANGUAGES:
            if not dure.were_cold(f"cold-{language}"):
                raise RuntimeError(f"some calls of cold-{language} met a warm process")
    return results


def _deploy(dure, language, count):
    """Versions that differ in one comment. The first one is called once: what its language starts only once is then there."""
    comment = {"python": ("handler_py", "# version {}\n"), "node": ("index_mjs", "// version {}\n"), "cpp": ("function_yaml", "environment: {{VERSION: '{}'}}\n")}
    file, text = comment[language]
    made = [dure.deploy(f"cold-{language}", language, **{file: text.format(number)}) for number in range(count + 1)]
    dure.each(f"cold-{language}", made[:1], PAUSE_MS)
    return made[1:]


def _node():
    return os.path.realpath(run(["sh", "-c", "command -v node"])[0].strip())


def _middle(values):
    return sorted(values)[len(values) // 2]
