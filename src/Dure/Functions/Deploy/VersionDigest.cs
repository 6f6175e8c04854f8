using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Functions.Deploy;

/// <summary>Names versions and what is built for them. Every part is written with its length, so that no two inputs look alike.</summary>
internal sealed class VersionDigest : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>A version's name: its tree and its settings, defaults included.</summary>
    public static string OfVersion(IReadOnlyList<SourceEntry> entries, FunctionSpec spec)
    {
        using var digest = new VersionDigest();
        digest.Add("dure-version-1").AddTree(entries).AddSpec(spec);
        return digest.Done();
    }

    /// <summary>A tree's name, of all entries or of those below a folder.</summary>
    public static string OfTree(IEnumerable<SourceEntry> entries)
    {
        using var digest = new VersionDigest();
        return digest.Add("dure-tree-1").AddTree(entries).Done();
    }

    /// <summary>The name of anything that depends on these texts only.</summary>
    public static string Of(params ReadOnlySpan<string> parts)
    {
        using var digest = new VersionDigest();
        foreach (var part in parts)
            digest.Add(part);
        return digest.Done();
    }

    public void Dispose() => _hash.Dispose();

    private VersionDigest AddTree(IEnumerable<SourceEntry> entries)
    {
        foreach (var entry in entries)
            Add(entry.Path).Add(entry.Kind.ToString()).Add(entry.Executable).Add(entry.Content ?? "");
        return this;
    }

    private void AddSpec(FunctionSpec spec)
    {
        Add(spec.Runtime).Add(spec.Handler).Add(spec.Mode.ToString());
        Add(spec.Limits.MemoryBytes).Add(spec.Limits.CpuMillis).Add(spec.Limits.Processes).Add(spec.Limits.TmpBytes).Add(spec.Limits.OpenFiles);
        Add(spec.Gpus).Add(spec.Timeout);
        Add(spec.Environment.Count);
        foreach (var (name, value) in spec.Environment.OrderBy(v => v.Key, StringComparer.Ordinal))
            Add(name).Add(value);
        Add(spec.Secrets.Count);
        foreach (var name in spec.Secrets.Order(StringComparer.Ordinal))
            Add(name);
        Add(spec.Network.ToString()).Add(spec.Schedule?.Cron ?? "").Add(spec.Schedule?.TimeZone ?? "");
        // Unsaid counts as ten minutes, whatever the server is configured to: the same source is the same version everywhere.
        Add(spec.Concurrency).Add(spec.Instances).Add(spec.IdleTimeout ?? TimeSpan.FromMinutes(10));
        Add(spec.Retries.Max).Add(spec.Retries.FirstDelay).Add(spec.Retries.LongestDelay);
        Add(spec.AtMostOnce).Add(spec.Idempotent).Add(spec.Durability.ToString());
    }

    private VersionDigest Add(bool flag) => Add(flag ? "1" : "0");

    private VersionDigest Add(long number) => Add(number.ToString(CultureInfo.InvariantCulture));

    private VersionDigest Add(TimeSpan? time) => Add(time?.Ticks ?? -1);

    private VersionDigest Add(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        _hash.AppendData(BitConverter.GetBytes(bytes.Length));
        _hash.AppendData(bytes);
        return this;
    }

    private string Done() => Convert.ToHexStringLower(_hash.GetHashAndReset());
}
