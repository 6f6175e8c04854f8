"""What makes the same 20 files and 5 units of the same four machines: Dure, Ansible, and a hand-written script that only looks."""

import hashlib
import os
import subprocess
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(HERE, "peers", "fleet")
TEXTS = [f"text-{number:02}.conf" for number in range(1, 16)]
UNITS = [f"bench-{number}.service" for number in range(1, 6)]


def write_overlay(work):
    """Writes the files below `work`/overlay/all as they are to be on every machine; gives that folder."""
    top = os.path.join(work, "overlay", "all")
    for folder in ("etc/bench", "etc/systemd/system"):
        os.makedirs(os.path.join(top, folder))
    for number, name in enumerate(TEXTS):
        with open(os.path.join(top, "etc/bench", name), "w") as file:
            file.write("".join(f"# {name}\nkey_{line} = {hashlib.sha256(f'{number}.{line}'.encode()).hexdigest()}\n" for line in range(5 + 2 * number)))
    for name in UNITS:
        with open(os.path.join(top, "etc/systemd/system", name), "w") as file:
            file.write(f"[Unit]\nDescription=Benchmark, {name}\n\n[Service]\nExecStart=/usr/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n")
    return top


class _Contender:
    """`control`: the folder of the connections that it keeps."""

    def __init__(self, work, env=None):
        self.work, self.env = work, {**os.environ, **(env or {})}

    def run(self, command, expected=None):
        """Seconds that a command takes; it must end well and say what is expected."""
        began = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, cwd=self.work, env=self.env)
        took = time.monotonic() - began
        if done.returncode != 0 or (expected and expected not in done.stdout):
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return took


class Dure(_Contender):
    """The role `overlay` of dure.yaml. It also owns the machines' names in /etc/hosts, which the others leave alone."""

    name = "dure"

    def __init__(self, program, work, overlay, addresses):
        # The state folder and the sockets are its own: nothing of the user's is used or left behind.
        runtime = os.path.join(work, "run")
        os.mkdir(runtime)
        super().__init__(work, {"XDG_RUNTIME_DIR": runtime, "XDG_STATE_HOME": os.path.join(work, "state")})
        self.program, self.control = program, os.path.join(runtime, "dure-ssh")
        os.makedirs(os.path.join(work, "secrets"), exist_ok=True)
        machines = "".join(f"  {host}: {{address: {address}, os: debian-12, roles: [overlay]}}\n" for host, address in addresses.items())
        network = next(iter(addresses.values())).rsplit(".", 1)[0]
        with open(os.path.join(work, "dure.yaml"), "w") as file:
            file.write(f"fleet:\n  name: bench\n  ssh:\n    config: /var/lib/dure-lab/bench/ssh_config\n\nnetworks:\n  internal:\n    range: {network}.0/24\n\nmachines:\n{machines}")

    def apply(self):
        return self.run([self.program, "apply", "--yes"])

    def again(self):
        return self.run([self.program, "apply", "--yes"], "nothing to do")

    def plan(self):
        return self.run([self.program, "plan"], "nothing to do")


class Ansible(_Contender):
    """Ansible of Debian with pipelining and kept connections."""

    name = "ansible"

    def __init__(self, work, overlay, config, hosts):
        folder = os.path.join(work, "ansible")
        self.control = os.path.join(folder, "cp")
        os.makedirs(self.control, mode=0o700)
        with open(os.path.join(folder, "ansible.cfg"), "w") as file:
            file.write(
                f"[defaults]\nforks = 4\ninterpreter_python = /usr/bin/python3\nlocal_tmp = {folder}/tmp\nretry_files_enabled = False\n\n"
                f"[ssh_connection]\npipelining = True\ncontrol_path_dir = {self.control}\ncontrol_path = %(directory)s/%%C\n"
                f"ssh_args = -F {config} -o ControlMaster=auto -o ControlPersist=120s\n")
        with open(os.path.join(folder, "hosts"), "w") as file:
            file.write("[fleet]\n" + "".join(f"{host}\n" for host in hosts))
        with open(os.path.join(folder, "vars.yml"), "w") as file:
            file.write(f"files: {overlay}\ntexts: [{', '.join(TEXTS)}]\nunits: [{', '.join(UNITS)}]\n")
        super().__init__(work, {"ANSIBLE_CONFIG": os.path.join(folder, "ansible.cfg"), "ANSIBLE_HOME": folder})
        self.hosts = len(hosts)
        self.command = ["ansible-playbook", "-i", os.path.join(folder, "hosts"), "-e", "@" + os.path.join(folder, "vars.yml"), os.path.join(PEERS, "site.yml")]

    def apply(self):
        return self.run(self.command)

    def again(self):
        return self.run(self.command, "changed=0")


class Script(_Contender):
    """What somebody writes by hand who only wants to know: digests and units, one session a machine."""

    name = "script"

    def __init__(self, work, overlay, config, hosts):
        folder = os.path.join(work, "script")
        self.control = os.path.join(folder, "cp")
        os.makedirs(self.control, mode=0o700)
        super().__init__(work)
        sums = ""
        for top, _, names in sorted(os.walk(overlay)):
            for name in sorted(names):
                with open(os.path.join(top, name), "rb") as file:
                    sums += f"{hashlib.sha256(file.read()).hexdigest()}  /{os.path.relpath(os.path.join(top, name), overlay)}\n"
        asked = os.path.join(folder, "asked.sh")
        with open(asked, "w") as file:
            file.write(f"sha256sum --quiet -c - <<'SUMS' || exit 1\n{sums}SUMS\n[ \"$(systemctl is-active {' '.join(UNITS)} | grep -cx active)\" = {len(UNITS)} ]\n")
        self.command = ["sh", os.path.join(PEERS, "same.sh"), config, self.control, asked, *hosts]

    def again(self):
        return self.run(self.command)

    def holds(self):
        """The machines are as they should be: nobody's own word is taken for it."""
        try:
            self.again()
            return True
        except RuntimeError:
            return False
