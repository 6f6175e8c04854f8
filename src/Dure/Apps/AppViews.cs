using System.Text.Json.Serialization;
using Dure.Host.Commands;
using Dure.Host.Web;

namespace Dure.Apps;

/// <summary>One version, as the API shows it.</summary>
public sealed record AppVersionView(int Number, string State, string Owner, DateTimeOffset CreatedAt, long SizeBytes, int? Port, DateTimeOffset? DrainsUntil);

/// <summary>The process of an app, as it was seen.</summary>
public sealed record AppServiceView(string Name, string State, int? Pid, int Restarts, DateTimeOffset? Since);

/// <summary>An answer to a question about health, as it was seen.</summary>
/// <param name="Where">Who was asked.</param>
public sealed record AppHealthView(string Where, bool Ok, string Said);

/// <summary>An app with what was seen of it just now.</summary>
/// <param name="State">live, starting, unwell, removing.</param>
/// <param name="Public">What the public address shows; null where there is no edge.</param>
public sealed record AppView(string Id, string State, string Kind, string Owner, string Origin, string Machine, string Url, string Visibility, int? Version, int? Port, DateTimeOffset UpdatedAt, AppServiceView? Service,
    AppHealthView? Health, AppHealthView? Public, string? LastError, DateTimeOffset? LastErrorAt, DateTimeOffset SeenAt, IReadOnlyList<AppVersionView> Versions)
{
    /// <summary>What the public address shows over TLS; null where it speaks none.</summary>
    public AppCertificateView? Certificate { get; init; }
}

/// <summary>A certificate as it was seen by asking the public address.</summary>
/// <param name="Ok">Browsers take it, and more than 21 days are left.</param>
public sealed record AppCertificateView(string Host, bool Ok, int? DaysLeft, DateTimeOffset? ExpiresAt, string Said, DateTimeOffset SeenAt);

/// <summary>One link of the way from a browser to the process.</summary>
/// <param name="Remedy">The command that mends it; null when it holds.</param>
public sealed record AppLinkView(string Link, bool Ok, string Said, string? Remedy);

/// <summary>The way from a browser to the process, as far as it was walked.</summary>
public sealed record AppDiagnosisView(string Id, bool Ok, IReadOnlyList<AppLinkView> Links);

/// <summary>One line of the answer to a publish.</summary>
public sealed record PublishLine(string? Progress = null, AppView? App = null, ProblemView? Problem = null);

/// <summary>Body of POST /api/apps/{id}/rollback.</summary>
/// <param name="Version">Null for the one that was live before.</param>
public sealed record AppRollback(int? Version);

/// <summary>JSON of the apps API: snake_case, nulls left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PageView<AppView>))]
[JsonSerializable(typeof(AppView))]
[JsonSerializable(typeof(AppDiagnosisView))]
[JsonSerializable(typeof(PublishLine))]
[JsonSerializable(typeof(AppRollback))]
internal sealed partial class AppsJson : JsonSerializerContext;
