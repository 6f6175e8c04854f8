using Dure.Host;

namespace Dure.Portal.Notifications;

/// <summary>Expected failures of notifications.</summary>
public static class NotifyErrors
{
    public static readonly ErrorKind NoSuchRule = new("DURE0700", "You have no such rule or watch", 404, ExitCodes.NotFound,
        "`dure notify list` lists yours; those of others are theirs.");

    public static readonly ErrorKind BadRule = new("DURE0701", "The rule, watch or channel cannot be used so", 400, ExitCodes.Usage,
        "Correct what the faults name and send it again. Nothing was changed.");

    public static readonly ErrorKind EmailOff = new("DURE0702", "This server sends no e-mail", 409, ExitCodes.Missing,
        "Set notify.smtp_host and notify.smtp_from in dure.yaml and restart, or choose another channel.");

    public static readonly ErrorKind NotDelivered = new("DURE0703", "The test message was not taken", 502, ExitCodes.Failed,
        "The detail is what the receiver or the way to it said. Correct the channel and test again.");

    public static readonly ErrorKind TooMany = new("DURE0704", "You have too many rules or watches", 409, ExitCodes.Limit,
        "Remove some: `dure notify list` shows them, `dure notify remove ID` removes one.");

    public static readonly ErrorKind NoSuchInvocation = new("DURE0705", "There is no such invocation to wait for", 404, ExitCodes.NotFound,
        "Look at the id; `dure invocations list` shows what is there.");
}
