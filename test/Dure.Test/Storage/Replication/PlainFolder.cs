using System.Security.Cryptography;
using Dure.Host;
using Dure.Storage.Providers;

namespace Dure.Test.Storage.Replication;

/// <summary>A provider that is a folder: each object a file, with what is known of it in another one.</summary>
internal sealed class PlainFolder(string name, string root) : IObjects
{
    public string Name => name;

    public async Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel)
    {
        var path = PathOf(what.Key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (what.OnlyIfAbsent && File.Exists(path))
            return ProviderErrors.Exists.With($"{name}: {what.Key}");
        var half = $"{path}.{Path.GetRandomFileName()}.half";
        try
        {
            await using (var file = File.Create(half))
                await what.Content.CopyToAsync(file, cancel);
            await File.WriteAllTextAsync(half + "m", what.Sha256 ?? "", cancel);
            File.Move(half + "m", path + ".meta", overwrite: true);
            File.Move(half, path, overwrite: true);
        }
        finally
        {
            File.Delete(half);
        }
        return Facts(what.Key);
    }

    public async Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel)
    {
        await Task.Yield();
        return File.Exists(PathOf(key)) ? new Outcome<Stream>(File.OpenRead(PathOf(key))) : Missing(key);
    }

    public Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel) =>
        Task.FromResult<Outcome<ObjectFacts>>(File.Exists(PathOf(key)) ? Facts(key) : Missing(key));

    public Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel)
    {
        var keys = Keys().Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && (next is null || string.CompareOrdinal(key, next) > 0)).Take(limit).ToList();
        return Task.FromResult<Outcome<ObjectsPage>>(new ObjectsPage([.. keys.Select(Facts)], keys.Count == limit ? keys[^1] : null));
    }

    public Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel)
    {
        foreach (var key in keys)
        {
            File.Delete(PathOf(key));
            File.Delete(PathOf(key) + ".meta");
        }
        return Task.FromResult<Outcome<bool>>(true);
    }

    public Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel)
    {
        File.Copy(PathOf(from), PathOf(to), overwrite: true);
        File.Copy(PathOf(from) + ".meta", PathOf(to) + ".meta", overwrite: true);
        return Task.FromResult<Outcome<ObjectFacts>>(Facts(to));
    }

    public Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null) => null;

    public ValueTask DisposeAsync() => default;

    /// <summary>Every key, in order.</summary>
    public List<string> Keys() => Directory.Exists(root)
        ? [.. Directory.GetFiles(root, "*", SearchOption.AllDirectories).Where(path => !path.EndsWith(".meta", StringComparison.Ordinal) && !path.Contains(".half", StringComparison.Ordinal))
            .Select(path => Uri.UnescapeDataString(Path.GetRelativePath(root, path))).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The file that holds an object's bytes.</summary>
    public string PathOf(string key) => Path.Combine([root, .. key.Split('/').Select(Uri.EscapeDataString)]);

    /// <summary>Whether an object's bytes are those of a digest.</summary>
    public bool Has(string key, string digest) => File.Exists(PathOf(key)) && Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(PathOf(key)))) == digest;

    private ObjectFacts Facts(string key) => new(key, new FileInfo(PathOf(key)).Length, null, default, null,
        new Dictionary<string, string>(StringComparer.Ordinal) { ["sha256"] = File.Exists(PathOf(key) + ".meta") ? File.ReadAllText(PathOf(key) + ".meta") : "" });

    private Problem Missing(string key) => ProviderErrors.NoSuchObject.With($"{name}: {key}");
}

/// <summary>A provider between whom and us things go wrong.</summary>
internal sealed class FaultyObjects(IObjects inner) : IObjects
{
    private readonly List<string> _puts = [];

    /// <summary>A problem instead of what was asked; null lets it pass. Gets the verb and the key.</summary>
    public Func<string, string, Problem?> Fault { get; set; } = (_, _) => null;

    /// <summary>How long each put takes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Keys of puts that came to an end, in order.</summary>
    public IReadOnlyList<string> Puts
    {
        get
        {
            lock (_puts)
                return [.. _puts];
        }
    }

    /// <summary>Everything asked for so far.</summary>
    public int Asked { get; private set; }

    public string Name => inner.Name;

    public async Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel)
    {
        if (Look("PUT", what.Key) is { } problem)
            return problem;
        await Task.Delay(Delay, cancel);
        var put = await inner.PutAsync(what, cancel);
        lock (_puts)
        {
            if (put.Ok)
                _puts.Add(what.Key);
        }
        return put;
    }

    public async Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel) =>
        Look("GET", key) is { } problem ? problem : await inner.GetAsync(key, offset, length, cancel);

    public async Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel) => Look("HEAD", key) is { } problem ? problem : await inner.HeadAsync(key, cancel);

    public async Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel) =>
        Look("LIST", prefix) is { } problem ? problem : await inner.ListAsync(prefix, next, limit, cancel);

    public async Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel) => Look("DELETE", keys[0]) is { } problem ? problem : await inner.DeleteAsync(keys, cancel);

    public Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel) => inner.CopyAsync(from, to, cancel);

    public Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null) => null;

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Problem? Look(string verb, string key)
    {
        Asked++;
        return Fault(verb, key);
    }
}
