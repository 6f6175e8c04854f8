using System.Text.Json.Serialization;
using Dure.Fleet.Check.Estimates;

namespace Dure.Fleet.Cutover;

/// <summary>One step of the way from an old server to a fleet.</summary>
/// <param name="Id">Stable: <c>prepare</c>, <c>data</c>, <c>application</c>, <c>balancer</c>, <c>monitoring</c>, <c>switch</c>, <c>watch</c>, <c>retire</c>.</param>
/// <param name="Do">What people do in it, in order.</param>
/// <param name="Back">How it is taken back, and what that costs.</param>
/// <param name="Checks">What Dure looked at; an answer that is not known says how to find out.</param>
internal sealed record CutoverStep(string Id, string Title, IReadOnlyList<string> Do, string Back, IReadOnlyList<ReadinessItem> Checks)
{
    /// <summary>Done when every check says yes; not done when one says no; else unknown: people know.</summary>
    public Answer State => Checks.Any(check => check.State == Answer.No) ? Answer.No : Checks.Any(check => check.State == Answer.Unknown) ? Answer.Unknown : Answer.Yes;
}

/// <summary>The whole way, as <c>--format json</c> tells it.</summary>
/// <param name="From">The server that is replaced; empty when none was named.</param>
/// <param name="To">Where clients are led to.</param>
/// <param name="Next">The first step that is not done; null when all are.</param>
internal sealed record CutoverView(string Fleet, string Domain, string From, string To, string? Next, IReadOnlyList<CutoverStep> Steps);

/// <summary>The slice's JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CutoverView))]
internal sealed partial class CutoverJson : JsonSerializerContext;
