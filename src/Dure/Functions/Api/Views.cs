using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dure.Functions.Api;

/// <summary>One page of a list.</summary>
/// <param name="Next">Cursor of the next page, or null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>A share of calls that goes to another version.</summary>
/// <param name="Percent">1 to 99.</param>
public sealed record CanaryView(string Version, int Percent);

/// <summary>A function's schedule and its next firing.</summary>
/// <param name="Missed">Firings that fell into a time when no server ran.</param>
public sealed record ScheduleView(string Cron, string TimeZone, DateTimeOffset? NextAt, long Missed, DateTimeOffset? LastMissedAt);

/// <summary>A function's newest invocation.</summary>
public sealed record LastRunView(string Id, string State, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt);

/// <summary>How a function's invocations of the last day ended.</summary>
/// <param name="Since">They are counted from here on: a day ago, or the server's start while it reads what ended before.</param>
/// <param name="P50Ms">Half of those that succeeded took no longer, within nine percent.</param>
/// <param name="From">When the first part of <paramref name="Good"/> and <paramref name="Bad"/> begins, Unix ms.</param>
/// <param name="Good">Those that succeeded, in parts of <paramref name="StepMs"/>.</param>
/// <param name="Bad">Those that failed or whose outcome is unknown.</param>
public sealed record ActivityView(DateTimeOffset Since, long Succeeded, long Failed, long Cancelled, long Unknown, double? P50Ms, long From, long StepMs,
    IReadOnlyList<int> Good, IReadOnlyList<int> Bad)
{
    /// <summary>The view of a day.</summary>
    public static ActivityView? Of(DayOfFunction? day) => day is null ? null : new ActivityView(day.Since, day.Succeeded, day.Failed, day.Cancelled, day.Unknown,
        day.P50?.TotalMilliseconds, day.From.ToUnixTimeMilliseconds(), (long)day.Step.TotalMilliseconds, day.Good, day.Bad);
}

/// <summary>A function in the API.</summary>
/// <param name="Tag">Names where callers are sent; sent back as <c>If-Match</c>, a change is made only on top of that.</param>
public sealed record FunctionView(string Name, string Owner, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string? Live, int? LiveNumber,
    CanaryView? Canary, string? Runtime, int Versions, ScheduleView? Schedule, int Running, int Waiting, string Tag = "", LastRunView? LastRun = null, ActivityView? Activity = null);

/// <summary>A function's schedule, looked ahead.</summary>
/// <param name="Firings">The next ones.</param>
public sealed record AheadView(string Cron, string TimeZone, long Missed, DateTimeOffset? LastMissedAt, IReadOnlyList<DateTimeOffset> Firings);

/// <summary>One change of where callers are sent.</summary>
/// <param name="Action"><c>deploy</c>, <c>canary</c>, <c>live</c> or <c>rollback</c>.</param>
/// <param name="Live">Number of the version that was live from then on.</param>
public sealed record ReleaseView(DateTimeOffset At, string Owner, string Action, int? Live, int? Canary, int? CanaryPercent)
{
    /// <summary>The view of a change.</summary>
    public static ReleaseView Of(FunctionRelease release) => new(release.At, release.Owner, release.Action, release.Live, release.Canary, release.CanaryPercent == 0 ? null : release.CanaryPercent);
}

/// <summary>One file or link of a version's source.</summary>
/// <param name="Kind"><c>text</c> (UTF-8), <c>binary</c> or <c>link</c>.</param>
public sealed record SourceFileView(string Path, string Kind, long Bytes, bool Executable, string? Target);

/// <summary>One file of a template.</summary>
public sealed record TemplateFileView(string Path, string Content, bool Executable);

/// <summary>Something to begin a function with.</summary>
/// <param name="Event">An event that it understands.</param>
public sealed record TemplateView(string Name, string Runtime, string Description, string Event, IReadOnlyList<TemplateFileView> Files);

/// <summary>An event that was saved to try a function with.</summary>
public sealed record TestEventView(string Name, string Owner, DateTimeOffset UpdatedAt, long Bytes);

/// <summary>A version in the API.</summary>
public sealed record VersionView(string Function, string Version, int Number, DateTimeOffset CreatedAt, string Owner, long SizeBytes,
    string Runtime, string Handler, FunctionSpec Spec, IReadOnlyList<string> Aliases);

/// <summary>An error that a function raised.</summary>
public sealed record ErrorView(string? ErrorType, string? ErrorMessage, IReadOnlyList<string>? StackTrace);

/// <summary>One attempt in the API.</summary>
/// <param name="MayHaveRun">The code may have begun in this attempt.</param>
public sealed record AttemptView(int Attempt, string? Worker, string? Slot, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string Outcome, string? Reason, bool MayHaveRun, bool Cold);

/// <summary>One finished step.</summary>
public sealed record StepView(string Name, int Attempt);

/// <summary>An invocation in the API. Lists leave out attempts and steps.</summary>
/// <param name="CallbackUrl">Without what follows its question mark.</param>
/// <param name="ScheduledFor">The firing that caused it.</param>
public sealed record InvocationView(string Id, string Function, string Version, string State, string Owner, DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, double? DurationMs, int Attempt, bool MayHaveRun, string Durability, string? Reason, ErrorView? Error,
    string Trigger, string? RerunOf, string? IdempotencyKey, long PayloadBytes, long? ResultBytes, long LogBytes, DateTimeOffset? NextAttemptAt,
    bool CancelRequested, IReadOnlyList<AttemptView>? Attempts = null, IReadOnlyList<StepView>? Steps = null,
    string? CallbackUrl = null, DateTimeOffset? ScheduledFor = null, int? VersionNumber = null);

/// <summary>Ids of a batch, in its order.</summary>
public sealed record BatchView(IReadOnlyList<string> Ids);

/// <summary>Body of PUT …/live.</summary>
public sealed record SetLive(string Version, CanaryView? Canary);

/// <summary>Body of POST …/rollback.</summary>
public sealed record Rollback(string? To);

/// <summary>One changed file between two versions.</summary>
public sealed record FileDiffView(string Path, string Change, string Diff);

/// <summary>What changed between two versions.</summary>
public sealed record DiffView(string From, string To, IReadOnlyList<FileDiffView> Files);

/// <summary>One line of a deployment's answer: exactly one member is set.</summary>
public sealed record DeployLine(string? Progress = null, string? Log = null, VersionView? Version = null, Host.Web.ProblemView? Problem = null);

/// <summary>Log lines in an event stream.</summary>
public sealed record LogEvent(string Id, IReadOnlyList<string> Lines);

/// <summary>JSON of the functions API: snake_case, nulls left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Page<FunctionView>))]
[JsonSerializable(typeof(Page<VersionView>))]
[JsonSerializable(typeof(Page<InvocationView>))]
[JsonSerializable(typeof(Page<ReleaseView>))]
[JsonSerializable(typeof(Page<SourceFileView>))]
[JsonSerializable(typeof(Page<TemplateView>))]
[JsonSerializable(typeof(Page<TestEventView>))]
[JsonSerializable(typeof(AheadView))]
[JsonSerializable(typeof(BatchView))]
[JsonSerializable(typeof(SetLive))]
[JsonSerializable(typeof(Rollback))]
[JsonSerializable(typeof(DiffView))]
[JsonSerializable(typeof(DeployLine))]
[JsonSerializable(typeof(LogEvent))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>Reads the JSON of an error that a function sent; a text of another form becomes the message.</summary>
    public static ErrorView? ReadError(string? error)
    {
        if (error is null)
            return null;
        try
        {
            using var json = JsonDocument.Parse(error);
            string? Text(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            var stack = json.RootElement.TryGetProperty("stackTrace", out var list) && list.ValueKind == JsonValueKind.Array
                ? list.EnumerateArray().Select(line => line.ToString()).ToList() : null;
            return new ErrorView(Text("errorType"), Text("errorMessage"), stack);
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            return new ErrorView(null, error, null);
        }
    }
}
