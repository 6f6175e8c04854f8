using System.Globalization;
using System.Text;

namespace Dure.Fleet.Roles.Nfs;

/// <summary>A machine that mounts the NFS server's folder, under the same name. As with the server, golden files are its proof.</summary>
internal static class NfsClientRole
{
    public const string Name = "nfs-client";

    public static readonly RoleKind Kind = new(Name, "Mounts the NFS server's folder (checked by golden files; lab machines have no NFS in their kernel).", Build)
    {
        Needs = [NfsRole.Name],
    };

    /// <summary>The name of the unit that mounts a folder, as systemd derives it: <c>/srv/a-b</c> is <c>srv-a\x2db.mount</c>.</summary>
    public static string UnitOf(string path)
    {
        var name = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(path.Trim('/')))
        {
            var character = (char)octet;
            if (character == '/')
                name.Append('-');
            else if (char.IsAsciiLetterOrDigit(character) || character is '_' or ':' || (character == '.' && name.Length > 0))
                name.Append(character);
            else
                name.Append(CultureInfo.InvariantCulture, $"\\x{octet:x2}");
        }

        return name.Append(".mount").ToString();
    }

    private static void Build(RoleScope scope)
    {
        var server = scope.Fleet.With(NfsRole.Name).Select(scope.AddressOf).FirstOrDefault() ?? "";
        var folder = scope.Get(NfsRole.Folder);
        var unit = UnitOf(folder);
        var file = "/etc/systemd/system/" + unit;
        scope
            .Package("nfs-common")
            .File(file, $"""
                [Unit]
                Description=Shared files of the fleet at {folder}
                Wants=network-online.target
                After=network-online.target

                [Mount]
                What={server}:{folder}
                Where={folder}
                Type=nfs4
                Options=vers=4.2,hard,proto=tcp,_netdev
                TimeoutSec=90

                [Install]
                WantedBy=remote-fs.target

                """)
            .Unit(unit, with: desired => desired with { RestartOn = [file], WaitFor = $"timeout 1 bash -c '</dev/tcp/{server}/2049'" })
            .Healthy("shared files answer", $"mountpoint -q {folder} && timeout 10 stat -f {folder} > /dev/null");
    }
}
