using Dure.Edge;

namespace Dure.Apps;

/// <summary>What a version is doing.</summary>
public enum VersionState
{
    /// <summary>It is being brought up and serves nobody yet.</summary>
    Starting,

    /// <summary>New visitors get it.</summary>
    Live,

    /// <summary>It serves those who were connected when the next one came.</summary>
    Draining,

    /// <summary>It does not run; a rollback can bring it up.</summary>
    Kept,
}

/// <summary>One version of an app.</summary>
/// <param name="Port">Null when it does not run.</param>
/// <param name="AsleepSince">It is stopped, and its next visitor starts it; null when it is not.</param>
/// <param name="DrainsUntil">When it ends at the latest while it is draining.</param>
public sealed record AppVersion(string App, int Number, VersionState State, string Owner, AppSpec Spec, long SizeBytes, DateTimeOffset CreatedAt, int? Port, DateTimeOffset? DrainsUntil,
    DateTimeOffset? AsleepSince)
{
    /// <summary>What a door needs to know of it.</summary>
    public AppRoute Route(string prefix, string host) => new(App, Number, $"{prefix}/{App}/", host, Port ?? 0)
    {
        Visibility = Spec.Visibility, BodyBytes = Spec.BodyBytes, KeepsPrefix = Spec.KeepsPrefix, CachesHashed = Spec.CachesHashed,
        SleepAfter = Spec.SleepSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };
}

/// <summary>A published app.</summary>
/// <param name="Origin">Where it was published from: a path on <paramref name="Machine"/>. Another origin is another app, which cannot have the same id.</param>
/// <param name="Removing">It is being unpublished.</param>
/// <param name="Versions">The newest first.</param>
public sealed record App(string Id, string Owner, string Origin, string Machine, int? Live, int? Previous, bool Removing, string? LastError, DateTimeOffset? LastErrorAt, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt, IReadOnlyList<AppVersion> Versions)
{
    public AppVersion? LiveVersion => Versions.FirstOrDefault(version => version.Number == Live);

    public AppVersion? Find(int number) => Versions.FirstOrDefault(version => version.Number == number);
}
