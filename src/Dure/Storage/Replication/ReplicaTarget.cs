using Dure.Storage.Providers;

namespace Dure.Storage.Replication;

/// <summary>A provider that gets copies.</summary>
/// <param name="Functions">Of functions' sources and results; buckets name their providers themselves.</param>
/// <param name="Both">A result counts as a success only when it is here as well.</param>
public sealed record ReplicaTarget(IObjects Objects, ProviderHealth Health, bool Functions, bool Both)
{
    /// <summary>Its name in the configuration.</summary>
    public string Name => Objects.Name;
}
