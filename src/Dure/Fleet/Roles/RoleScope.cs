using System.Globalization;
using System.Net;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>What a role sees while it says how one machine should be, and where it says it.</summary>
/// <param name="secret">The text of a secret by its name.</param>
internal sealed class RoleScope(FleetModel fleet, Machine machine, RoleKind role, DesiredMachine desired, Func<string, string> secret)
{
    public FleetModel Fleet => fleet;

    public Machine Machine => machine;

    /// <summary>The machine's address that others in the fleet use.</summary>
    public IPAddress Address => fleet.AddressOf(machine);

    /// <summary>The machines with this role, in the order of the file; this one is among them.</summary>
    public IReadOnlyList<Machine> Members => fleet.With(role.Name);

    /// <summary>This machine's place among <see cref="Members"/>, from 0.</summary>
    public int Index => Members.ToList().IndexOf(machine);

    /// <summary>The first of its members: who begins where one must.</summary>
    public bool IsFirst => Index == 0;

    public bool IsUbuntu => machine.Os.StartsWith("ubuntu", StringComparison.Ordinal);

    public T Get<T>(Setting<T> setting)
        where T : notnull => fleet.Get(setting);

    public string AddressOf(Machine other) => fleet.AddressOf(other).ToString();

    /// <summary>A secret's text. It may only go into files and steps that are marked as secret.</summary>
    public string Secret(string name) => secret(name);

    /// <summary>How the roles before this one show that they work.</summary>
    public IReadOnlyList<HealthCheck> HealthSoFar => desired.Health;

    public RoleScope Package(params IReadOnlyList<string> names)
    {
        desired.Packages.AddRange(names.Where(name => !desired.Packages.Exists(known => known.Name == name)).Select(name => new DesiredPackage(name, role.Name)));
        return this;
    }

    /// <summary>A file of text; <c>with</c> expressions say more about it.</summary>
    public RoleScope File(string path, string text, Func<DesiredFile, DesiredFile>? with = null)
    {
        var file = new DesiredFile(path, text, role.Name);
        desired.Files.Add(with is null ? file : with(file));
        return this;
    }

    /// <summary>A file that must not be there.</summary>
    public RoleScope NoFile(string path)
    {
        desired.Files.Add(new DesiredFile(path, "", role.Name) { Kind = FileKind.Absent });
        return this;
    }

    public RoleScope Folder(string path, string mode = "0755", string owner = "root", string? group = null)
    {
        desired.Folders.Add(new(path, mode, owner, group ?? owner, role.Name));
        return this;
    }

    public RoleScope User(string name, string home, int? uid = null, params IReadOnlyList<string> groups)
    {
        desired.Users.Add(new(name, uid, home, "/usr/sbin/nologin", groups, role.Name));
        return this;
    }

    public RoleScope Unit(string name, UnitState state = UnitState.Running, Func<DesiredUnit, DesiredUnit>? with = null)
    {
        var unit = new DesiredUnit(name, state, role.Name);
        desired.Units.Add(with is null ? unit : with(unit));
        return this;
    }

    public RoleScope Tree(string source, string path)
    {
        desired.Trees.Add(new(source, path, role.Name));
        return this;
    }

    public RoleScope Sysctl(string key, string value)
    {
        desired.Sysctls.Add(new(key, value, role.Name));
        return this;
    }

    public RoleScope Mount(string path, string source, string fileSystem, string options)
    {
        desired.Mounts.Add(new(path, source, fileSystem, options, role.Name));
        return this;
    }

    public RoleScope Step(string name, string done, string @do, bool secret = false, TimeSpan? limit = null)
    {
        desired.Steps.Add(new DesiredStep(name, done, @do, role.Name, secret) { Limit = limit ?? TimeSpan.FromSeconds(60) });
        return this;
    }

    public RoleScope Healthy(string name, string command, int limitSeconds = 60)
    {
        desired.Health.Add(new(name, command, TimeSpan.FromSeconds(limitSeconds), role.Name));
        return this;
    }

    /// <summary>Numbers and times as configuration files want them, whatever the language of the machine.</summary>
    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
