namespace Dure.Fleet.Desired;

/// <summary>A kernel setting, such as <c>net.ipv4.ip_nonlocal_bind</c>. Where the kernel does not allow it inside a container, the plan says so and goes on.</summary>
internal sealed record DesiredSysctl(string Key, string Value, string Role);

/// <summary>A mount, made as a unit of systemd.</summary>
internal sealed record DesiredMount(string Path, string Source, string FileSystem, string Options, string Role);

/// <summary>A package of the distribution. With <paramref name="Version"/> exactly that one.</summary>
internal sealed record DesiredPackage(string Name, string Role, string? Version = null);

/// <summary>A file from the operator's machine that is too large to be text: Dure itself. Copied when its digest differs.</summary>
/// <param name="Source">Local path, a file or a folder that is packed.</param>
/// <param name="Path">Where it stands on the machine; folders are replaced as a whole, by a rename.</param>
internal sealed record DesiredTree(string Source, string Path, string Role);

/// <summary>All that one machine should be: a pure function of the fleet. The order of each list is kept.</summary>
internal sealed class DesiredMachine(string machine)
{
    public string Machine => machine;

    public List<DesiredPackage> Packages { get; } = [];

    public List<DesiredUser> Users { get; } = [];

    public List<DesiredFolder> Folders { get; } = [];

    public List<DesiredFile> Files { get; } = [];

    public List<DesiredTree> Trees { get; } = [];

    public List<DesiredSysctl> Sysctls { get; } = [];

    public List<DesiredMount> Mounts { get; } = [];

    public List<DesiredUnit> Units { get; } = [];

    public List<DesiredStep> Steps { get; } = [];

    public List<HealthCheck> Health { get; } = [];
}
