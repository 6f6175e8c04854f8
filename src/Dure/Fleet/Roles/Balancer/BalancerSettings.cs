using Dure.Host.Configuration;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>What can be set about balancers.</summary>
internal static class BalancerSettings
{
    public static readonly Setting<string> Interface = Text("balancer.interface", "auto",
        "Network interface that carries the virtual address; auto takes the one that has the machine's own address when Keepalived starts.");

    public static readonly Setting<TimeSpan> Advert = Duration("balancer.advert", "200ms", "10ms", "40s",
        "Time between the holder's signs of life. The virtual address moves about three of them after they stop.");

    public static readonly Setting<int> RouterId = Number("balancer.router_id", 51, 1, 255, "VRRP's number of this pair; another pair on the same network needs another.");

    public static readonly Setting<int> VrrpVersion = Number("balancer.vrrp_version", 3, 2, 3, "Version of VRRP; 2 knows whole seconds only.");

    public static readonly Setting<string> AuthPass = Text("balancer.auth_pass", "",
        "Password of VRRP 2, of which 8 characters count and which travels in clear; VRRP 3 has none.", secret: true);

    public static readonly Setting<int> PriorityGap = Number("balancer.priority_gap", 50, 1, 100, "How much lower the priority of each balancer is than that of the one before it; the first has 150.");

    public static readonly Setting<int> Weight = Number("balancer.weight", 0, -253, 253,
        "What a dead HAProxy changes the priority by; 0 makes the balancer give up the virtual address at once, which always works.");

    public static readonly Setting<bool> Preempt = Switch("balancer.preempt", false, "Whether a balancer with a higher priority takes the virtual address back when it returns, which interrupts once more.");

    public static readonly Setting<bool> Tls = Switch("balancer.tls", false, "Whether TLS ends here, with the certificate and key of the secret tls (PEM); port 80 then only redirects.");

    public static readonly Setting<int> ConnectionsMax = Number("balancer.maxconn", 4096, 64, 1_000_000, "Most connections of clients at a time; more wait.");

    public static readonly Setting<TimeSpan> CheckEvery = Duration("balancer.check_every", "500ms", "100ms", "1m", "Time between health checks of a server; two that fail take it out.");

    public static readonly Setting<TimeSpan> SilenceMax = Duration("balancer.silence_max", "0", "0", "24d",
        "Longest silence on a connection before it is closed; 0 is none, because a call may take as long as it takes and a WebSocket may be idle.");

    public static readonly Setting<IReadOnlyList<string>> ApiPaths = Paths("balancer.api_paths", "/api,/dashboard,/errors,/openapi.json",
        "Paths that Dure answers, to the server with the fewest connections.");

    public static readonly Setting<IReadOnlyList<string>> AuthPaths = Paths("balancer.auth_paths", "/auth,/api/session,/api/sessions", "Paths of signing in, to the servers in turn.");

    public static readonly Setting<IReadOnlyList<string>> SocketPaths = Paths("balancer.socket_paths", "/ws", "Paths whose WebSockets Dure answers, beside those of the API; other WebSockets go to the web machines.");

    public static IReadOnlyList<Setting> All { get; } =
    [
        Interface, Advert, RouterId, VrrpVersion, AuthPass, PriorityGap, Weight, Preempt, Tls, ConnectionsMax, CheckEvery, SilenceMax, ApiPaths, AuthPaths, SocketPaths,
    ];

    private static Setting<IReadOnlyList<string>> Paths(string key, string @default, string doc) => Words(
        key, @default, doc,
        word => word.StartsWith('/') && word.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '-' or '_' or '.'),
        "a path of letters, digits, /, -, _ and .");
}
