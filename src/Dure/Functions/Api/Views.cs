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

/// <summary>A function in the API.</summary>
public sealed record FunctionView(string Name, string Owner, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string? Live, int? LiveNumber,
    CanaryView? Canary, string? Runtime, int Versions, ScheduleView? Schedule, int Running, int Waiting);

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
