using System.Text.Json.Serialization;
using Dure.Functions.Api;

namespace Dure.Functions.Commands;

/// <summary>A secret as the API lists it; its value is never told.</summary>
public sealed record SecretView(string Name, DateTimeOffset UpdatedAt, string? Owner);

/// <summary>Body of PUT /api/secrets/{name}.</summary>
public sealed record SetSecret(string Value);

/// <summary>JSON that the command line prints: the API's shapes, indented.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(FunctionView))]
[JsonSerializable(typeof(IReadOnlyList<FunctionView>))]
[JsonSerializable(typeof(Host.Commands.PageView<FunctionView>))]
[JsonSerializable(typeof(IReadOnlyList<VersionView>))]
[JsonSerializable(typeof(Host.Commands.PageView<VersionView>))]
[JsonSerializable(typeof(IReadOnlyList<InvocationView>))]
[JsonSerializable(typeof(Host.Commands.PageView<InvocationView>))]
[JsonSerializable(typeof(IReadOnlyList<SecretView>))]
[JsonSerializable(typeof(Host.Commands.PageView<SecretView>))]
[JsonSerializable(typeof(SetSecret))]
[JsonSerializable(typeof(SetLive))]
[JsonSerializable(typeof(Rollback))]
[JsonSerializable(typeof(DiffView))]
[JsonSerializable(typeof(IReadOnlyList<ReleaseView>))]
[JsonSerializable(typeof(Host.Commands.PageView<ReleaseView>))]
[JsonSerializable(typeof(DeployLine))]
[JsonSerializable(typeof(LogEvent))]
[JsonSerializable(typeof(Accepted))]
[JsonSerializable(typeof(Logs.LogHits))]
[JsonSerializable(typeof(Logs.LogWindow))]
[JsonSerializable(typeof(IReadOnlyList<Logs.LogHit>))]
[JsonSerializable(typeof(Host.Web.Series))]
internal sealed partial class CommandJson : JsonSerializerContext;
