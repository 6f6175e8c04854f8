using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Every rule that looks at the fleet as a whole. Rules about one role are that role's own (<see cref="RoleKind.Check"/>).</summary>
internal static class CheckRules
{
    private static readonly List<CheckRule> Table = [];

    public static readonly CheckRule PortClash = Add("port-clash", Severity.Error, "Two roles of one machine listen on the same port.",
        "Move one of the roles to another machine, or give it another port.");

    public static readonly CheckRule VipPortClash = Add("vip-port-clash", Severity.Error, "Two roles bind the same port on the virtual address.",
        "Give one of them another port, or let only one of them bind the virtual address.");

    public static readonly CheckRule NetworkNone = Add("network-none", Severity.Error, "The fleet has no network.",
        "Declare one under `networks:`, with its range.");

    public static readonly CheckRule NetworkUnknown = Add("network-unknown", Severity.Error, "An address is on a network that is not declared.",
        "Declare the network under `networks:`, or correct its name.");

    public static readonly CheckRule NetworkOverlap = Add("network-overlap", Severity.Error, "The ranges of two networks overlap, so the way to an address is not clear.",
        "Give each network a range of its own.");

    public static readonly CheckRule NetworkApart = Add("network-apart", Severity.Error, "Two machines must speak with each other and have no network in common.",
        "Give both an address on the same network.");

    public static readonly CheckRule AddressNone = Add("address-none", Severity.Error, "A machine has no address.",
        "Give it one under `addresses:`.");

    public static readonly CheckRule AddressDuplicate = Add("address-duplicate", Severity.Error, "Two machines have the same address.",
        "Give one of them another address.");

    public static readonly CheckRule AddressOutside = Add("address-outside", Severity.Error, "An address is not in the range of its network.",
        "Correct the address, or the range of the network.");

    public static readonly CheckRule AddressReserved = Add("address-reserved", Severity.Error, "An address is the network's own or its broadcast address.",
        "Take another address of the range.");

    public static readonly CheckRule TargetDuplicate = Add("target-duplicate", Severity.Error, "Two machines are reached by the same SSH target, so one would be changed twice.",
        "Correct the target of one of them.");

    public static readonly CheckRule VipOutside = Add("vip-outside", Severity.Error, "The virtual address is not in the range of its network.",
        "Take a free address of that network.");

    public static readonly CheckRule VipReserved = Add("vip-reserved", Severity.Error, "The virtual address is the network's own or its broadcast address.",
        "Take another address of the range.");

    public static readonly CheckRule VipTaken = Add("vip-taken", Severity.Error, "The virtual address is a machine's own, or that of two networks.",
        "Take an address that nothing else has.");

    public static readonly CheckRule VipApart = Add("vip-apart", Severity.Error, "A balancer is not on the network of the virtual address, so it cannot hold it.",
        "Give the balancer an address on that network.");

    public static readonly CheckRule VipNone = Add("vip-none", Severity.Error, "There are balancers and no virtual address for them to hold.",
        "Give one network a `vip:`, a free address of its range.");

    public static readonly CheckRule VipUnused = Add("vip-unused", Severity.Warning, "There is a virtual address and no balancer to hold it.",
        "Give two machines the role balancer, or remove `vip:`.");

    public static readonly CheckRule BalancerNone = Add("balancer-none", Severity.Warning, "Several machines serve the web and nothing stands before them: who asks the one that died gets no answer.",
        "Give two machines the role balancer and a network a `vip:`.");

    public static readonly CheckRule BalancerOne = Add("balancer-one", Severity.Warning, "There is one balancer: when it dies, nothing takes the virtual address over.",
        "Give a second machine, in another zone, the role balancer.");

    public static readonly CheckRule QuorumTwo = Add("quorum-two", Severity.Error, "A quorum has two members: the loss of either stops the other too, so it is worse than one.",
        "Give a third machine the role; it may be a small one.");

    public static readonly CheckRule QuorumEven = Add("quorum-even", Severity.Warning, "A quorum has an even number of members: it takes no more losses than with one member less.",
        "Add a member, or remove one.");

    public static readonly CheckRule QuorumZone = Add("quorum-zone", Severity.Warning, "The loss of one zone takes the majority of a quorum.",
        "Spread the members over three zones, so that no zone holds half of them.");

    public static readonly CheckRule QuorumHost = Add("quorum-host", Severity.Error, "Members of a quorum are virtual machines of one host whose loss takes the majority.",
        "Place the members on different hosts (label `host=NAME`).");

    public static readonly CheckRule ZoneAll = Add("zone-all", Severity.Warning, "All machines with a role are in one zone.",
        "Move one of them to another zone, or give a machine there the role.");

    public static readonly CheckRule HostAll = Add("host-all", Severity.Warning, "All machines with a role are virtual machines of one host.",
        "Place them on different hosts (label `host=NAME`).");

    public static readonly CheckRule ZonesOne = Add("zones-one", Severity.Note, "The whole fleet is in one zone: what fails there fails for all.",
        "Name the `zone:` of each machine: a room, a rack, a power line, a provider.");

    public static readonly CheckRule SinglePoint = Add("single-point", Severity.Warning, "The loss of one machine stops a service.",
        "Give another machine the role that only this one has, or accept it and say so in `objectives:`.");

    public static readonly CheckRule ServiceDown = Add("service-down", Severity.Error, "A service does not work even with every machine alive.",
        "Give machines the roles that it needs.");

    public static readonly CheckRule RoleUnknown = Add("role-unknown", Severity.Error, "A machine has a role that does not exist.",
        "Correct the name; the reference of roles lists them.");

    public static readonly CheckRule RoleMissing = Add("role-missing", Severity.Error, "A role needs another one that no machine has.",
        "Give a machine the role that is missing.");

    public static readonly CheckRule RoleMissingHere = Add("role-missing-here", Severity.Error, "A role needs another one on the same machine.",
        "Give the machine both roles.");

    public static readonly CheckRule MachineIdle = Add("machine-idle", Severity.Note, "A machine has no role.",
        "Give it a role, or leave it out.");

    public static readonly CheckRule Unreachable = Add("unreachable", Severity.Error, "A role must reach another one and the firewall does not let it.",
        "Correct the firewall's settings; if there are none, this is a fault of the role.");

    public static readonly CheckRule MemoryShort = Add("memory-short", Severity.Error, "The roles of a machine ask for more memory than it has.",
        "Move a role to another machine, or give the machine more memory.");

    public static readonly CheckRule MemoryTight = Add("memory-tight", Severity.Warning, "The roles of a machine ask for nearly all of its memory.",
        "Leave a tenth free: move a role, or give the machine more memory.");

    public static readonly CheckRule DiskShort = Add("disk-short", Severity.Error, "The roles of a machine ask for more disk than it has.",
        "Move a role to another machine, or give the machine a larger disk.");

    public static readonly CheckRule CoresShort = Add("cores-short", Severity.Warning, "The roles of a machine ask for more cores than it has; all will be slow at once.",
        "Move a role to another machine, or give the machine more cores.");

    public static readonly CheckRule HardwareUnknown = Add("hardware-unknown", Severity.Note, "The file does not say what a machine is made of, so it is not compared with what the roles ask.",
        "Fill in `hardware:`; `dure init` reads it from the machines.");

    public static readonly CheckRule HardwareLess = Add("hardware-less", Severity.Warning, "A machine has less than the file says.",
        "Correct `hardware:`; the other rules calculate with it.");

    public static readonly CheckRule SecretMissing = Add("secret-missing", Severity.Error, "A secret that a role uses is missing.",
        "Let `dure init --secrets` make those that can be made, and put those that only people have into the folder of secrets.");

    public static readonly CheckRule SecretAbsent = Add("secret-absent", Severity.Note, "A secret that only people have was not given, and what it is for is left out.",
        "Put it into the folder of secrets.");

    public static readonly CheckRule OsUnsupported = Add("os-unsupported", Severity.Error, "A machine runs a system that the roles are not made for.",
        "Use debian-12, debian-13, ubuntu-22.04 or ubuntu-24.04.");

    public static readonly CheckRule OsMixed = Add("os-mixed", Severity.Warning, "The members of a quorum run different releases, so different versions of what must agree.",
        "Bring them to the same release, one at a time.");

    public static readonly CheckRule OsEnding = Add("os-ending", Severity.Warning, "Security updates of a system have ended or end within half a year.",
        "Plan the next release: a new machine beside the old one, one role after another.");

    public static readonly CheckRule OsDiffers = Add("os-differs", Severity.Error, "A machine runs another system than the file says.",
        "Correct `os:`.");

    public static readonly CheckRule VersionMixed = Add("version-mixed", Severity.Warning, "The members of a quorum have different versions of a package.",
        "Bring them to the same version, one at a time.");

    public static readonly CheckRule CertificateExpired = Add("certificate-expired", Severity.Error, "A certificate has expired: clients refuse it.",
        "Renew it and apply.");

    public static readonly CheckRule CertificateNear = Add("certificate-near", Severity.Warning, "A certificate expires within three weeks.",
        "Renew it and apply; find out why it was not renewed by itself.");

    public static readonly CheckRule CertificateNames = Add("certificate-names", Severity.Error, "No certificate is valid for the fleet's domain.",
        "Get one that names the domain.");

    public static readonly CheckRule ObjectiveTier = Add("objective-tier", Severity.Warning, "An objective is for a tier that no service of this fleet belongs to, so nothing measures it.",
        "Correct the tier's name, or remove the objective.");

    public static readonly CheckRule ObjectiveSingle = Add("objective-single", Severity.Error, "An objective promises that a service comes back, and one machine's loss ends it until people come.",
        "Give another machine the role, or remove the objective.");

    public static readonly CheckRule ObjectiveTime = Add("objective-time", Severity.Error, "An objective is shorter than the settings allow.",
        "Make the objective longer or the time-outs shorter, within what the component's makers allow.");

    public static readonly CheckRule ObjectiveTight = Add("objective-tight", Severity.Warning, "An objective is met with luck only: the settings allow longer.",
        "Make the objective longer or the time-outs shorter, within what the component's makers allow.");

    /// <summary>All of them, in the order of the reference page.</summary>
    public static IReadOnlyList<CheckRule> All => Table;

    private static CheckRule Add(string id, Severity severity, string text, string remedy)
    {
        Table.Add(new(id, severity, text, remedy));
        return Table[^1];
    }
}
