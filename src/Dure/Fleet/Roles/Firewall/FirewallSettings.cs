using System.Globalization;
using Dure.Host.Configuration;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Fleet.Roles.Firewall;

/// <summary>What can be set about the firewall.</summary>
internal static class FirewallSettings
{
    public static readonly Setting<string> Ssh = Choice("firewall.ssh", "management", "Who may sign in over SSH: the management network (the fleet's networks where there is none), or anywhere.", "management", "anywhere");

    public static readonly Setting<IReadOnlyList<string>> Open = Words("firewall.open", "", "More ports that are open to everybody, such as tcp/8443,udp/51820.", IsPort, "tcp/PORT or udp/PORT");

    private static bool IsPort(string word) =>
        word.Split('/') is ["tcp" or "udp", var number] && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0;
}
