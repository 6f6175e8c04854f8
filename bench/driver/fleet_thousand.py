"""A fleet of a thousand machines as a file: doors, web, data in three zones, and the rest computes."""

MACHINES = 1_000
ZONES = "abc"
DOORS = ["firewall", "balancer"]
WEB = ["firewall", "web"]
VOTES = ["firewall", "etcd", "postgres", "redis", "galera", "gluster"]
SLURM = ["firewall", "gluster-client", "slurm-db", "slurm-controller", "monitor"]
COMPUTES = ["firewall", "slurm-node"]


def thousand():
    """The text of the file; every machine is written out, with its hardware."""
    roles = [DOORS] * 2 + [WEB] * 5 + [[*WEB, "dure"]] + [VOTES] * 3 + [SLURM] * 2
    roles += [COMPUTES] * (MACHINES - len(roles))
    lines = ["fleet:", "  name: thousand", "", "networks:", "  internal:", "    range: 10.20.0.0/16", "    vip: 10.20.0.1", "", "machines:"]
    for number, given in enumerate(roles):
        lines += [f"  m{number + 1:04}:", f"    address: 10.20.{1 + number // 200}.{10 + number % 200}", "    os: debian-12", f"    zone: {ZONES[number % 3]}",
                  "    hardware: {cores: 32, memory: 128GiB, disk: 1TiB}", f"    roles: [{', '.join(given)}]"]
    return "\n".join(lines) + "\n"
