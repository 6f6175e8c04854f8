using System.Security.Cryptography;
using System.Text;
using Dure.Host;
using Dure.Storage.Providers;

namespace Dure.Storage.Replication;

/// <summary>Makes one copy at one provider, and believes only what the provider says afterwards.</summary>
internal sealed class ReplicaCopy(IObjects provider, Func<string, CancellationToken, ValueTask<Stream?>> open)
{
    // A question costs less than sending this much for nothing.
    private const long AskAboveBytes = 256 * 1024;

    /// <summary>Copies bytes, puts a manifest or removes one.</summary>
    /// <param name="again">It was tried before, and may be there.</param>
    /// <returns>Null when the provider has confirmed; SourceLost or SourceDamaged when it is not the provider's fault.</returns>
    public Task<Problem?> SendAsync(OutboxKind kind, string name, long bytes, string? body, bool again, CancellationToken cancel) => kind switch
    {
        OutboxKind.Blob => SendBlobAsync(name, bytes, ask: again || bytes > AskAboveBytes, cancel),
        OutboxKind.Manifest => SendManifestAsync(name, body ?? "", cancel),
        _ => RemoveAsync(name, cancel),
    };

    /// <summary>Whether an object is the copy of a digest, as far as the provider's words tell.</summary>
    internal static bool IsCopy(ObjectFacts facts, string digest, long bytes) =>
        facts.Length == bytes && facts.Metadata.TryGetValue("sha256", out var sha256) && sha256 == digest;

    private async Task<Problem?> SendBlobAsync(string digest, long bytes, bool ask, CancellationToken cancel)
    {
        var key = ReplicaKeys.Blob(digest);
        var replace = false;
        if (ask)
        {
            var known = await provider.HeadAsync(key, cancel);
            if (known.Ok && IsCopy(known.Value, digest, bytes))
                return null;
            if (!known.Ok && known.Problem.Kind != ProviderErrors.NoSuchObject)
                return known.Problem;
            // What is there under the name of these bytes is something else, such as half of them.
            replace = known.Ok;
        }
        var put = await PutBlobAsync(key, digest, bytes, replace, cancel);
        if (put?.Kind == ProviderErrors.Exists && !replace)
        {
            var known = await provider.HeadAsync(key, cancel);
            if (known.Ok && IsCopy(known.Value, digest, bytes))
                return null;
            put = known.Ok || known.Problem.Kind == ProviderErrors.NoSuchObject ? await PutBlobAsync(key, digest, bytes, replace: true, cancel) : known.Problem;
        }
        return put ?? await CheckAsync(key, digest, bytes, cancel);
    }

    private async Task<Problem?> PutBlobAsync(string key, string digest, long bytes, bool replace, CancellationToken cancel)
    {
        if (await open(digest, cancel) is not { } source)
            return ReplicationErrors.SourceLost.With($"{digest}, {bytes} bytes, for {provider.Name}.");
        await using var verified = new VerifiedStream(source, digest, bytes);
        Outcome<ObjectFacts> put;
        try
        {
            put = source.CanSeek && source.Length != bytes
                ? ReplicationErrors.SourceDamaged.With($"{digest} has {source.Length} bytes instead of {bytes}.")
                : await provider.PutAsync(new PutObject(key, verified, bytes, digest, OnlyIfAbsent: !replace), cancel);
        }
        catch (InvalidDataException) when (verified.Damaged)
        {
            put = ReplicationErrors.SourceDamaged.With($"{digest}, {bytes} bytes, for {provider.Name}.");
        }
        if (verified.Damaged)
            return ReplicationErrors.SourceDamaged.With($"{digest}, {bytes} bytes, for {provider.Name}.");
        return put.Problem;
    }

    private async Task<Problem?> SendManifestAsync(string name, string body, CancellationToken cancel)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var put = await provider.PutAsync(new PutObject(name, new MemoryStream(bytes, writable: false), bytes.Length, digest, "application/json"), cancel);
        return put.Problem ?? await CheckAsync(name, digest, bytes.Length, cancel);
    }

    private async Task<Problem?> RemoveAsync(string name, CancellationToken cancel) => (await provider.DeleteAsync([name], cancel)).Problem;

    private async Task<Problem?> CheckAsync(string key, string digest, long bytes, CancellationToken cancel)
    {
        var kept = await provider.HeadAsync(key, cancel);
        if (!kept.Ok)
            return kept.Problem;
        return IsCopy(kept.Value, digest, bytes) ? null
            : ReplicationErrors.Mismatch.With($"{provider.Name} says that {key} has {kept.Value.Length} bytes and SHA-256 {kept.Value.Metadata.GetValueOrDefault("sha256", "unknown")}; sent were {bytes} and {digest}.");
    }
}
