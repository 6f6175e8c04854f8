using System.Net.Mail;
using Dure.Host;

namespace Dure.Portal.Notifications;

/// <summary>Reads and shows channels. Pure.</summary>
internal static class NotifyChannels
{
    private const int TargetLengthMax = 1000;
    private const int Most = 8;

    /// <summary>The channels that a request names; the portal where it names none.</summary>
    public static (IReadOnlyList<NotifyChannel> Channels, List<Fault> Faults) Read(IReadOnlyList<NotifyChannel>? asked)
    {
        if (asked is not { Count: > 0 })
            return ([new NotifyChannel("portal", null)], []);
        var faults = asked.Count > Most ? [new Fault("channels", $"{Most} at most.")] : asked.Index().Select(one => Fault(one.Item, $"channels[{one.Index}]")).OfType<Fault>().ToList();
        return ([.. asked.Where(static one => one is not null).Select(static one => one.Kind == "portal" ? new NotifyChannel("portal", null) : one).Distinct()], faults);
    }

    /// <summary>What is wrong with a channel; null when nothing.</summary>
    public static Fault? Fault(NotifyChannel? channel, string where) => channel?.Kind switch
    {
        "portal" => null,
        "email" => channel.Target is { Length: > 0 and <= TargetLengthMax } address && !address.Any(char.IsControl) && MailAddress.TryCreate(address, out var parsed) && parsed.Address == address
            ? null : new Fault(where + ".target", "An e-mail address, such as ada@example.org."),
        "webhook" or "slack" => channel.Target is { Length: > 0 and <= TargetLengthMax } url && Uri.TryCreate(url, UriKind.Absolute, out var target) && target.Scheme is "http" or "https"
            ? null : new Fault(where + ".target", "An address that begins with https:// or http://."),
        _ => new Fault(where + ".kind", "portal, email, webhook or slack."),
    };

    /// <summary>A target as it may be shown: what stands behind the host of an address is often its secret.</summary>
    public static string Shown(string kind, string target) => kind is not ("webhook" or "slack") || !Uri.TryCreate(target, UriKind.Absolute, out var url) ? target
        : $"{url.Scheme}://{url.Authority}/" + (url.PathAndQuery.Length <= 1 ? "" : "…" + (target.Length > 20 ? target[^4..] : ""));

    public static NotifyChannel Shown(NotifyChannel channel) => channel.Target is { } target ? channel with { Target = Shown(channel.Kind, target) } : channel;
}
