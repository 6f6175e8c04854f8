using Dure.Host;
using Dure.Storage.Providers;

namespace Dure.Storage.Replication;

/// <summary>
/// Brings back what a provider has and this machine does not. It may be run again: what is here already is skipped, and every byte is
/// compared with its digest before it is kept.
/// </summary>
public sealed class Restoration
{
    private const int TellEvery = 100;

    private readonly IObjects _provider;
    private readonly ReplicaReader _reader;
    private readonly StorageLines _lines;
    private readonly string _folder;
    private long _restored, _bytes, _known, _failed;

    internal Restoration(IObjects provider, string data, string folder, bool dryRun, StorageLines lines, TimeProvider time)
    {
        (_provider, _folder, _lines, DryRun) = (provider, folder, lines, dryRun);
        _reader = new ReplicaReader(provider, time);
        Aside = Path.Combine(data, "restored");
    }

    /// <summary>Say what would be done, and do nothing.</summary>
    public bool DryRun { get; }

    /// <summary>The folder for what the database has no place for; made by who writes to it.</summary>
    public string Aside { get; }

    /// <summary>Tells every key that begins with a prefix, in order.</summary>
    /// <returns>Why the listing ended early; null when it did not. It is told already.</returns>
    public async Task<Problem?> ListAsync(string prefix, Func<string, ValueTask> each, CancellationToken cancel)
    {
        var problem = await _reader.ListAsync(prefix, async facts =>
        {
            await each(facts.Key);
            return null;
        }, cancel);
        if (problem is not null)
            await FailAsync(prefix, problem);
        return problem;
    }

    /// <summary>Reads a manifest; null when it cannot be read, which is told already.</summary>
    public async Task<string?> ReadAsync(string key, CancellationToken cancel)
    {
        var text = await _reader.ReadManifestAsync(key, cancel);
        if (text.Ok)
            return text.Value;
        await FailAsync(key, text.Problem);
        return null;
    }

    /// <summary>Brings the bytes of a digest into a file of the caller's; null when the provider does not have them whole, which is told already.</summary>
    public async Task<string?> FetchAsync(string digest, long bytes, CancellationToken cancel)
    {
        Directory.CreateDirectory(_folder);
        var path = Path.Combine(_folder, $"{digest}.{Path.GetRandomFileName()}");
        if (await _reader.FetchAsync(digest, bytes, path, cancel) is not { } problem)
            return path;
        File.Delete(path);
        await FailAsync(digest, problem);
        return null;
    }

    /// <summary>Opens the bytes of a digest, compared as they are read; null when the provider does not have them, which is told already.</summary>
    /// <exception cref="InvalidDataException">By the last read, when the bytes are others.</exception>
    public async Task<Stream?> OpenAsync(string digest, long bytes, CancellationToken cancel)
    {
        var opened = await _reader.OpenBlobAsync(digest, bytes, cancel);
        if (opened.Ok)
            return opened.Value;
        await FailAsync(digest, opened.Problem);
        return null;
    }

    /// <summary>Something was made again, or would be.</summary>
    public async Task MadeAsync(long bytes)
    {
        (_restored, _bytes) = (_restored + 1, _bytes + bytes);
        if (_restored % TellEvery == 0)
            await _lines.SayAsync($"{_restored} restored, {_known} were here, {_failed} failed");
    }

    /// <summary>Something was here already.</summary>
    public void Skip() => _known++;

    /// <summary>Something could not be made again.</summary>
    public async Task FailAsync(string name, Problem problem)
    {
        _failed++;
        await _lines.FaultAsync($"{name}: {ProviderHealth.Text(problem)}");
    }

    internal RestoreReport Report(DateTimeOffset at, TimeSpan took) => new(_provider.Name, at, DryRun, _restored, _bytes, _known, _failed, (long)took.TotalMilliseconds);
}
