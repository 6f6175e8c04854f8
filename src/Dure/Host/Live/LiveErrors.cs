namespace Dure.Host.Live;

/// <summary>Failures of live streams.</summary>
public static class LiveErrors
{
    public static readonly ErrorKind BadTopics = new("DURE0752", "The topics to watch cannot be understood", 400, ExitCodes.Usage,
        "Name at most 32 of those that docs/portal/live.md lists, separated by commas, as in /api/live?topics=invocations,workers.");

    public static readonly ErrorKind TooManyViewers = new("DURE0753", "Too many live streams are open", 503, ExitCodes.Limit,
        "Close pages that nobody looks at, or try again; what a page shows can still be fetched.");
}
