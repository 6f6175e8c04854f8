using System.Text.Json.Serialization;

namespace Dure.Edge.Waf;

/// <summary>What the web application firewall does with a request that it takes for an attack.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WafMode>))]
public enum WafMode
{
    /// <summary>Nobody looks.</summary>
    Off,

    /// <summary>It passes, and is written into the log: how a profile is tried out.</summary>
    Detect,

    /// <summary>It is refused with 403, and written into the log.</summary>
    Block,
}

/// <summary>How the web application firewall looks at the requests below one path.</summary>
/// <param name="Mode">What becomes of an attack.</param>
/// <param name="Paranoia">1 to 4: how many of the rules are asked. 1 refuses next to nobody who means well.</param>
/// <param name="Exclusions">What is not asked of whom.</param>
public sealed record WafProfile(WafMode Mode, int Paranoia, IReadOnlyList<WafExclusion> Exclusions)
{
    /// <summary>Nobody looks.</summary>
    public static readonly WafProfile Off = new(WafMode.Off, 1, []);

    /// <summary>Whether anybody looks.</summary>
    [JsonIgnore]
    public bool Looks => Mode != WafMode.Off;
}

/// <summary>How many requests are answered; the others get 429. What is a burst, ten seconds' worth, passes.</summary>
/// <param name="Address">A second from one address; 0 for no limit.</param>
/// <param name="Token">A second with one token or session; 0 for no limit.</param>
public sealed record RateLimits(int Address, int Token);
