using System.Text.Json.Serialization;

namespace Dure.Host.Commands;

/// <summary>One page of a list.</summary>
/// <param name="Next">Cursor of the next page; null on the last.</param>
public sealed record PageView<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>A problem as a server tells it (RFC 9457), with all that any slice adds. Any member may be missing: it may come from another program.</summary>
/// <param name="Invocation">The invocation that failed.</param>
internal sealed record ToldProblem(
    string? Id, string? Title, int Status, string? Detail, string? Remedy, IReadOnlyList<Fault>? Faults, string? Invocation, RaisedError? Error);

/// <summary>The error that a function's code raised.</summary>
internal sealed record RaisedError(string? ErrorType, string? ErrorMessage, IReadOnlyList<string>? StackTrace);

/// <summary>What <c>/api/status</c> tells.</summary>
/// <param name="Store">Address of the S3 endpoint; null when there is none.</param>
public sealed record StatusView(
    string Version, int Pid, DateTimeOffset StartedAt, string Data, string Url, IReadOnlyList<WorkerView> Workers,
    long Pending, long Processing, DiskView? Disk, string Database, string? Store = null);

/// <summary>A worker.</summary>
/// <param name="FreeGpus">Those of <paramref name="Gpus"/> that no function has now.</param>
/// <param name="Unlimited">Of memory, cpu and processes, what this machine cannot limit for each function; null for nothing.</param>
/// <param name="Drained">Why it is given nothing new; null when it is given what comes.</param>
public sealed record WorkerView(string Id, int Pid, string State, double AgeMs, int Slots, long MemoryBytes, int CpuMillis, IReadOnlyList<int>? Gpus, IReadOnlyList<int>? FreeGpus = null,
    IReadOnlyList<string>? Unlimited = null, string? Drained = null);

/// <summary>The data folder's disk.</summary>
/// <param name="State">ok, warning or refusing.</param>
public sealed record DiskView(long FreeBytes, long TotalBytes, string State);

/// <summary>What <c>/api/health</c> tells.</summary>
public sealed record HealthView(string Status, IReadOnlyList<HealthCheckView> Checks);

/// <summary>One check of <c>/api/health</c>.</summary>
public sealed record HealthCheckView(string Name, string Status, string? Detail, double? AgeMs);

/// <summary>Body of POST /api/stop.</summary>
/// <param name="DrainMs">How long running functions may take to finish, milliseconds.</param>
public sealed record StopRequest(long DrainMs, bool KeepFunctions);

/// <summary>What <c>dure uninstall</c> did, or would do in a dry run.</summary>
/// <param name="Stopped">The server's process id; null when none ran.</param>
/// <param name="Removed">Files and folders of Dure that are gone.</param>
/// <param name="Left">What is still there.</param>
/// <param name="Commands">What removes the rest, to be typed.</param>
public sealed record UninstallView(bool DryRun, int? Stopped, IReadOnlyList<string> Removed, IReadOnlyList<LeftView> Left, IReadOnlyList<string> Commands);

/// <summary>Data that is left.</summary>
/// <param name="What">Database, blobs, keys and so on.</param>
public sealed record LeftView(string Path, string What, long Bytes);

/// <summary>A token, without its secret.</summary>
/// <param name="Person">The account that it belongs to; null for a token of nobody in particular.</param>
public sealed record TokenView(string Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? ExpiresAt, string? Person = null);

/// <summary>Body of POST /api/tokens.</summary>
public sealed record CreateTokenRequest(string Name, IReadOnlyList<string> Scopes, int? ExpiresInDays);

/// <summary>A token that was just made.</summary>
/// <param name="Token">The secret; told this once.</param>
public sealed record CreatedTokenView(string Token, string Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>JSON of the host's part of the API.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(RunningServer))]
[JsonSerializable(typeof(ServerStart))]
[JsonSerializable(typeof(ToldProblem))]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(StopRequest))]
[JsonSerializable(typeof(UninstallView))]
[JsonSerializable(typeof(PageView<TokenView>))]
[JsonSerializable(typeof(IReadOnlyList<TokenView>))]
[JsonSerializable(typeof(CreateTokenRequest))]
[JsonSerializable(typeof(CreatedTokenView))]
[JsonSerializable(typeof(System.Text.Json.JsonElement))]
internal sealed partial class HostJson : JsonSerializerContext;
