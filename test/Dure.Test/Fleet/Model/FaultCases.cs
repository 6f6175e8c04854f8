namespace Dure.Test.Fleet.Model;

/// <summary>Broken files, and what is said about each: line and column, then words of the sentence.</summary>
internal static class FaultCases
{
    /// <summary>The least that is a fleet; faults of other sections stand above it.</summary>
    public const string Machine = "machines:\n  a: {address: 10.0.0.1}\n";

    public static IReadOnlyDictionary<string, (string Text, string[] Said)> All { get; } = new Dictionary<string, (string, string[])>(StringComparer.Ordinal)
    {
        ["nothing"] = ("", [" the file declares nothing"]),
        ["a list"] = ("- machines\n", [" expected sections such as `machines:`"]),
        ["no machines"] = ("fleet: {name: lab}\n", ["1:1 `machines` is missing"]),
        ["machines as a list"] = ("machines: [a, b]\n", ["1:11 `machines` must be a group of names"]),
        ["a tab"] = ("machines:\n\ta: {}\n", ["2:1 indent with spaces; YAML does not allow tabs"]),
        ["twice the same machine"] = ("machines:\n  a: {address: 10.0.0.1}\n  a: {address: 10.0.0.2}\n", ["3:3 `a` is there twice; first on line 2"]),
        ["an anchor"] = ("machines:\n  a: &x {address: 10.0.0.1}\n", ["2:6 anchors (&)"]),
        ["a mistyped section"] = ("machine:\n  a: {address: 10.0.0.1}\n", ["1:1 `machine` is no section. Did you mean `machines`?", "1:1 `machines` is missing"]),
        ["a mistyped key of the fleet"] = ("fleet:\n  nam: lab\n" + Machine, ["2:3 `fleet.nam` is not a known key. Did you mean `name`?"]),
        ["a mistyped key of ssh"] = ("fleet:\n  ssh:\n    usr: root\n" + Machine, ["3:5 `fleet.ssh.usr` is not a known key. Did you mean `user`?"]),
        ["a name with a space"] = ("fleet:\n  name: My Lab\n" + Machine, ["2:9 `fleet.name` must be a word of small letters"]),
        ["a fleet that is text"] = ("fleet: lab\n" + Machine, ["1:8 `fleet` must be a group of keys"]),
        ["a range that is a host"] = ("networks:\n  internal: {range: 192.168.100.7/24}\n" + Machine, ["2:21 `networks.internal.range` must be a network such as 192.168.100.0/24; it is \"192.168.100.7/24\"; the network of that address is 192.168.100.0/24"]),
        ["a range that is a word"] = ("networks:\n  internal: {range: here}\n" + Machine, ["2:21 must be a network such as 192.168.100.0/24; it is \"here\""]),
        ["a network without a range"] = ("networks:\n  internal: {vip: 10.0.0.9}\n" + Machine, ["2:3 `networks.internal.range` is missing"]),
        ["a vip that is none"] = ("networks:\n  internal:\n    range: 10.0.0.0/8\n    vip: 10.0.9\n" + Machine, ["4:10 `vip` must be an address; it is \"10.0.9\""]),
        ["a vip and a range that are none"] = ("networks:\n  internal: {range: x, vip: y}\n" + Machine, ["2:21 must be a network", "2:29 `vip` must be an address"]),
        ["an unknown key of a network"] = ("networks:\n  internal: {range: 10.0.0.0/8, vipp: 10.0.0.9}\n" + Machine, ["2:33 `networks.internal.vipp` is not a known key. Did you mean `vip`?"]),
        ["a bad name for a network"] = ("networks:\n  Inner One: {range: 10.0.0.0/8}\n" + Machine, ["2:3 `Inner One` is no name for a network"]),
        ["no address"] = ("machines:\n  a: {zone: x}\n", ["2:3 `machines.a.address` is missing"]),
        ["an address that is an option"] = ("machines:\n  a: {address: -oProxyCommand=x}\n", ["2:3 `machines.a.networks` is missing", "2:16 `machines.a.address` must be a host"]),
        ["an address with a space"] = ("machines:\n  a: {address: \"root@10.0.0.1 x\"}\n", ["2:3 `machines.a.networks` is missing", "2:16 `machines.a.address` must be a host"]),
        ["a name as address"] = ("machines:\n  a: {address: web.example.org}\n", ["2:3 `machines.a.networks` is missing: with a name as address"]),
        ["a bad name for a machine"] = ("machines:\n  N1: {address: 10.0.0.1}\n", ["2:3 `N1` is no name for a machine"]),
        ["a machine that is text"] = ("machines:\n  a: 10.0.0.1\n", ["2:6 `machines.a` must hold `address` and `roles`"]),
        ["a port that is too large"] = ("machines:\n  a: {address: 10.0.0.1, port: 70000}\n", ["2:32 `machines.a.port` must be a whole number from 1 to 65535; it is \"70000\""]),
        ["a mistyped os"] = ("machines:\n  a: {address: 10.0.0.1, os: debian12}\n", ["2:30 `machines.a.os` must be one of debian-12, debian-13, ubuntu-22.04, ubuntu-24.04; it is \"debian12\". Did you mean `debian-12`?"]),
        ["memory without a unit"] = ("machines:\n  a: {address: 10.0.0.1, hardware: {memory: lots}}\n", ["2:45 `machines.a.hardware.memory` must be a size with its unit, such as 512MiB or 2GiB; it is \"lots\""]),
        ["too little memory"] = ("machines:\n  a: {address: 10.0.0.1, hardware: {memory: 1MiB}}\n", ["2:45 `machines.a.hardware.memory` must be from 64"]),
        ["an unknown network"] = ("networks:\n  internal: {range: 10.0.0.0/8}\nmachines:\n  a: {address: x, networks: {internl: 10.0.0.1}}\n", ["4:30 there is no network `internl`. Did you mean `internal`?"]),
        ["an address that is no address"] = ("networks:\n  internal: {range: 10.0.0.0/8}\nmachines:\n  a: {address: x, networks: {internal: ten}}\n", ["4:40 `machines.a.networks.internal` must be an address"]),
        ["a mistyped role"] = ("machines:\n  a: {address: 10.0.0.1, roles: [balncer]}\n", ["2:34 `balncer` is not a role. Did you mean `balancer`? `dure roles` lists them."]),
        ["a role twice"] = ("machines:\n  a: {address: 10.0.0.1, roles: [redis, redis]}\n", ["2:41 `redis` is there twice"]),
        ["roles with commas"] = ("machines:\n  a:\n    address: 10.0.0.1\n    roles: web, redis\n", ["4:12 `machines.a.roles` must be a list, such as [web, redis]"]),
        ["a role that is a group"] = ("machines:\n  a: {address: 10.0.0.1, roles: [{web: 1}]}\n", ["2:34 `machines.a.roles` must be a list of words"]),
        ["a disk at the root"] = ("machines:\n  a: {address: 10.0.0.1, disks: {/: {device: x}}}\n", ["2:34 `machines.a.disks`: \"/\" must be the absolute path of a folder, and not the root"]),
        ["a disk without a device"] = ("machines:\n  a: {address: 10.0.0.1, disks: {/srv: {type: ext4}}}\n", ["2:34 `machines.a.disks./srv.device` is missing"]),
        ["a disk with a mistyped key"] = ("machines:\n  a: {address: 10.0.0.1, disks: {/srv: {device: x, option: y}}}\n", ["2:52 `machines.a.disks./srv.option` is not a known key. Did you mean `options`?"]),
        ["a mistyped key of a machine"] = ("machines:\n  a: {adress: 10.0.0.1, address: 10.0.0.1}\n", ["2:7 `machines.a.adress` is not a known key. Did you mean `address`?"]),
        ["settings of a mistyped role"] = (Machine + "roles:\n  firewal: {}\n", ["4:3 `firewal` is not a role. Did you mean `firewall`?"]),
        ["a mistyped setting"] = (Machine + "roles:\n  firewall:\n    shh: anywhere\n", ["5:5 `roles.firewall` has no setting `shh`. Did you mean `ssh`?"]),
        ["a setting of another kind"] = (Machine + "roles:\n  firewall:\n    ssh: nobody\n", ["5:10 `roles.firewall.ssh`: "]),
        ["a setting without a value"] = (Machine + "roles:\n  firewall:\n    ssh:\n", ["`roles.firewall.ssh` must have a value; leave the line out to take the default, management"]),
        ["roles as a list"] = (Machine + "roles: [firewall]\n", ["3:8 `roles` must be a group of roles with their settings; which machine has which role stands under `machines`"]),
        ["a mistyped tier"] = (Machine + "objectives:\n  postgre: {machine: 5s}\n", ["4:3 `postgre` is not a tier. Did you mean `postgres`?"]),
        ["an objective without its time"] = (Machine + "objectives:\n  postgres: {lost: 0}\n", ["4:3 `objectives.postgres.machine` is missing"]),
        ["an objective that is a time alone"] = (Machine + "objectives:\n  postgres: 5s\n", ["4:13 `objectives.postgres` must hold `machine`"]),
        ["a time without a unit"] = (Machine + "objectives:\n  postgres: {machine: 5}\n", ["4:23 `objectives.postgres.machine` must be a time with its unit, such as 90s"]),
        ["lost that is negative"] = (Machine + "objectives:\n  postgres: {machine: 5s, lost: -1}\n", ["4:33 `objectives.postgres.lost` must be a whole number from 0"]),
        ["a setting of the server"] = ("# first\n" + Machine + "\nfunctions:\n  payload_limt: 1GiB\n", ["6:3 "]),
        ["a value of the server"] = (Machine + "lease:\n  duration: soon\nobjectives: {}\nfunctions:\n  payload_limit: much\n", ["4:13 ", "7:18 "]),
    };
}
