using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dure.Portal.Notifications;

/// <summary>A message as webhooks get it.</summary>
/// <param name="Id">The same in every delivery of the same message.</param>
/// <param name="Delivery">1 for the first; a higher one may come after one that arrived.</param>
/// <param name="Url">The page in the portal; null when the server does not know its address.</param>
internal sealed record WebhookMessage(string Id, string Event, string Subject, string? Invocation, string Detail, long Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, string Title, string? Url, int Delivery);

/// <summary>A message as Slack's incoming webhooks take it.</summary>
internal sealed record SlackMessage(string Text);

/// <summary>JSON that is sent.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WebhookMessage))]
[JsonSerializable(typeof(SlackMessage))]
internal sealed partial class SentJson : JsonSerializerContext;

/// <summary>Messages in words. Pure.</summary>
/// <param name="baseUrl">Of links; null for none.</param>
internal sealed class NotifyText(Uri? baseUrl)
{
    /// <summary>One line: what happened, to what, how often.</summary>
    public static string Title(NotifyMessage message)
    {
        var times = message.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" {message.Count} times");
        return message.Event switch
        {
            NotifyEvents.Failed => $"{message.Subject} failed{times}",
            NotifyEvents.Finished => $"{message.Subject} finished{times}",
            NotifyEvents.Recovered => $"{message.Subject} works again",
            NotifyEvents.ScheduleMissed => $"{message.Subject} missed {(message.Count == 1 ? "a scheduled run" : string.Create(CultureInfo.InvariantCulture, $"{message.Count} scheduled runs"))}",
            NotifyEvents.DiskLow => "The disk is getting full",
            NotifyEvents.WorkerLost => $"Worker {message.Subject} was lost",
            NotifyEvents.ReplicationBehind => $"Copies at {message.Subject} are behind",
            NotifyEvents.Ended => $"{message.Subject} ended: {message.Detail.Split(':')[0]}",
            _ => "A test of Dure's notifications",
        };
    }

    /// <summary>The page that tells more.</summary>
    public string? Link(NotifyMessage message) => baseUrl is null ? null : new Uri(baseUrl, message.Event switch
    {
        _ when message.Invocation is { } id => "/invocations/" + id,
        NotifyEvents.ScheduleMissed => "/functions/" + Uri.EscapeDataString(message.Subject),
        NotifyEvents.WorkerLost => "/workers",
        NotifyEvents.ReplicationBehind => "/storage/replication",
        NotifyEvents.DiskLow => "/",
        _ => "/notifications",
    }).AbsoluteUri;

    /// <summary>The text of an e-mail.</summary>
    public string Body(NotifyMessage message, int delivery)
    {
        var text = new StringBuilder(Title(message)).Append(".\n\n");
        if (message.Detail.Length > 0)
            text.Append(message.Detail).Append("\n\n");
        if (message.Count > 1)
            text.Append(CultureInfo.InvariantCulture, $"From {message.FirstAt:u} to {message.LastAt:u}. Above is the last of them.\n\n");
        if (message.Invocation is { } id)
            text.Append("Invocation ").Append(id).Append('\n');
        if (Link(message) is { } link)
            text.Append(link).Append('\n');
        text.Append("\n-- \nYou asked Dure to tell you this. `dure notify list` shows what you are told.\n");
        if (delivery > 1)
            text.Append(CultureInfo.InvariantCulture, $"This is delivery {delivery} of message {message.Id}: one before it was not confirmed and may have reached you.\n");
        return text.ToString();
    }

    /// <summary>The body of a webhook.</summary>
    public byte[] Webhook(NotifyMessage message, int delivery) => JsonSerializer.SerializeToUtf8Bytes(new WebhookMessage(message.Id, message.Event, message.Subject, message.Invocation, message.Detail,
        message.Count, message.FirstAt, message.LastAt, Title(message), Link(message), delivery), SentJson.Default.WebhookMessage);

    /// <summary>The body for Slack.</summary>
    public byte[] Slack(NotifyMessage message, int delivery)
    {
        var text = new StringBuilder("*").Append(Escape(Title(message))).Append('*');
        if (message.Detail.Length > 0)
            text.Append('\n').Append(Escape(message.Detail));
        if (Link(message) is { } link)
            text.Append("\n<").Append(link).Append('|').Append(message.Invocation ?? "Open").Append('>');
        if (delivery > 1)
            text.Append(CultureInfo.InvariantCulture, $"\n_delivery {delivery}: one before it was not confirmed_");
        return JsonSerializer.SerializeToUtf8Bytes(new SlackMessage(text.ToString()), SentJson.Default.SlackMessage);
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
