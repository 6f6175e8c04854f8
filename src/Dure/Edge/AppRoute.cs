using Dure.Edge.Waf;
using Dure.Host.Texts;

namespace Dure.Edge;

/// <summary>Who reaches a published app.</summary>
public enum Visibility
{
    /// <summary>Everybody who reaches the door.</summary>
    Public,

    /// <summary>Who has an account at the portal, and who has a link.</summary>
    Members,

    /// <summary>Who has a link.</summary>
    Link,

    /// <summary>Only who sits at the machine that runs it: no edge machine is told of it.</summary>
    Local,
}

/// <summary>Where requests below one path go. Everything that a door needs to know of an app, and nothing else.</summary>
/// <param name="Id">The app: lower-case letters, digits and hyphens.</param>
/// <param name="Version">Told in the header <see cref="VersionHeader"/>, so that a probe knows which version answered it.</param>
/// <param name="Prefix">The path below which it lives, with a slash at both ends: <c>/papers/attention/</c>.</param>
/// <param name="Host">Of the process that serves it.</param>
public sealed record AppRoute(string Id, int Version, string Prefix, string Host, int Port)
{
    /// <summary>Names the app and the version that answered: <c>attention@3</c>.</summary>
    public const string VersionHeader = "Dure-App";

    /// <summary>Silence ends nothing: a call may compute, and a WebSocket lie open, for as long as this. (nginx counts milliseconds in 31 bits.)</summary>
    public static readonly TimeSpan SilenceMost = TimeSpan.FromDays(20);

    public Visibility Visibility { get; init; }

    /// <summary>Where the edge asks who may enter, <c>http://10.0.0.5:7073</c>; null where nobody asks over the network.</summary>
    public string? Gatekeeper { get; init; }

    /// <summary>Whether some are let in and others are not.</summary>
    public bool IsGuarded => Visibility is Visibility.Members or Visibility.Link;

    /// <summary>Below the prefix, where visitors are let in. Apps get nothing that is below it.</summary>
    public const string Entrance = ".dure/";

    /// <summary>Bytes of a request's body at most; 0 for no limit.</summary>
    public long BodyBytes { get; init; } = 64L << 20;

    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the app sees the whole path, or only what comes after the prefix.</summary>
    public bool KeepsPrefix { get; init; } = true;

    /// <summary>Files whose name holds a hash of their content never change: doors and browsers keep them.</summary>
    public bool CachesHashed { get; init; } = true;

    /// <summary>It is stopped when nobody asked for it for so long; null for never.</summary>
    public TimeSpan? SleepAfter { get; init; }

    /// <summary>Who wakes it for the edge machine, without a slash at its end; null where nobody has to.</summary>
    public string? WakeAt { get; init; }

    /// <summary>How the web application firewall of an edge machine looks at its requests.</summary>
    public WafProfile Waf { get; init; } = WafProfile.Off;

    /// <summary>How many requests an edge machine with a web application firewall answers. They hold for all its apps.</summary>
    public RateLimits Rates { get; init; } = new(0, 0);

    /// <summary>Where requests go.</summary>
    public string Upstream => FormattableString.Invariant($"http://{Authority.Host(Host)}:{Port}");

    /// <summary>What <see cref="VersionHeader"/> says.</summary>
    public string Tag => FormattableString.Invariant($"{Id}@{Version}");
}
