using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Host.Data;
using Dure.Storage.Replication;

namespace Dure.Functions.Copies;

/// <summary>
/// What providers get of functions: the bytes of packed sources and large results, and a manifest for each. The rows that ask for them are
/// written in the transaction that makes the original count.
/// </summary>
public sealed class FunctionCopies
{
    private readonly ReplicationService _service;
    private readonly string[] _all;
    private readonly string[] _async;
    private readonly string[] _both;

    private FunctionCopies(ReplicationService service, IReadOnlyList<ReplicaTarget> targets) =>
        (_service, _all, _async, _both) = (service, [.. targets.Select(target => target.Name)],
            [.. targets.Where(target => !target.Both).Select(target => target.Name)], [.. targets.Where(target => target.Both).Select(target => target.Name)]);

    /// <summary>Null when no provider gets copies of functions: then nothing is done at all.</summary>
    public static FunctionCopies? Of(ReplicationService? service) =>
        service?.Targets.Where(target => target.Functions).ToList() is { Count: > 0 } targets ? new FunctionCopies(service, targets) : null;

    /// <summary>Some provider must have a result before it counts as a success.</summary>
    public bool Both => _both.Length > 0;

    /// <summary>Every provider that gets copies of functions.</summary>
    public IReadOnlyList<string> Providers => _all;

    /// <summary>What the outbox gets with a success: for providers that confirmed it before, nothing.</summary>
    /// <param name="confirmed">The providers of mode both have it already.</param>
    public IReadOnlyList<OutboxEntry> OfResult(ActiveInvocation invocation, Payload result, DateTimeOffset finishedAt, bool confirmed) =>
        confirmed && _async.Length == 0 ? [] : Entries(invocation, result, finishedAt, confirmed ? _async : _all);

    /// <summary>Copies a result to the providers that must have it, and answers when they have confirmed; tries until then.</summary>
    /// <param name="waiting">Told once for each provider that does not take it at once.</param>
    public async Task ConfirmAsync(ActiveInvocation invocation, Payload result, DateTimeOffset finishedAt, Func<string, Task> waiting, CancellationToken cancel)
    {
        if (_service.Originals.OfType<FunctionOriginals>().FirstOrDefault() is { } originals)
            await _service.ConfirmAsync(originals, Entries(invocation, result, finishedAt, _both), waiting, cancel);
    }

    /// <summary>What the outbox gets with a version.</summary>
    public IReadOnlyList<OutboxEntry> OfSource(string function, int number, string owner, DateTimeOffset createdAt, long size, BuiltVersion built) =>
        [.. _all.SelectMany(provider => Entries(provider, function, number, owner, createdAt, size, built))];

    /// <summary>Adds them to the transaction.</summary>
    public static async ValueTask AddAsync(DbSession session, IReadOnlyList<OutboxEntry> entries, long now)
    {
        foreach (var entry in entries)
            await Outbox.AddAsync(session, entry, now);
    }

    /// <summary>The transaction has committed.</summary>
    public void Wake() => _service.Wake();

    /// <summary>A version for one provider: its bytes, then its manifest.</summary>
    internal static IEnumerable<OutboxEntry> Entries(string provider, string function, int number, string owner, DateTimeOffset createdAt, long size, BuiltVersion built)
    {
        var anywhere = built with { CodeDirectory = Path.GetFileName(built.CodeDirectory), DepsDirectory = built.DepsDirectory is { } deps ? Path.GetFileName(deps) : null };
        var manifest = new SourceManifest(function, built.Digest, number, owner, createdAt, size, built.SourceBlob, JsonSerializer.SerializeToElement(anywhere, BuiltJson.Default.BuiltVersion));
        yield return new OutboxEntry(OutboxKind.Blob, provider, built.SourceBlob, size);
        yield return Text(provider, ReplicaKeys.Source(function, built.Digest), JsonSerializer.Serialize(manifest, CopiesJson.Default.SourceManifest));
    }

    /// <summary>A result for some providers: its bytes where it is large, then its manifest.</summary>
    internal static List<OutboxEntry> Entries(ResultManifest manifest, IReadOnlyList<string> providers)
    {
        var (name, body) = (ReplicaKeys.Result(manifest.Function, manifest.Id), JsonSerializer.Serialize(manifest, CopiesJson.Default.ResultManifest));
        var entries = new List<OutboxEntry>(2 * providers.Count);
        foreach (var provider in providers)
        {
            if (manifest.Result is null)
                entries.Add(new OutboxEntry(OutboxKind.Blob, provider, manifest.Sha256, manifest.Size));
            entries.Add(Text(provider, name, body));
        }
        return entries;
    }

    private static List<OutboxEntry> Entries(ActiveInvocation invocation, Payload result, DateTimeOffset finishedAt, IReadOnlyList<string> providers) => Entries(
        new ResultManifest(InvocationId.Format(invocation.Id), invocation.Version.FunctionName, invocation.Version.Digest, invocation.Attempt, invocation.Owner, Whole(invocation.CreatedAt),
            Whole(finishedAt), result.Length, result.Blob ?? Convert.ToHexStringLower(SHA256.HashData(result.Inline.Span)), result.Blob is null ? result.Inline : (ReadOnlyMemory<byte>?)null), providers);

    // As the row keeps it, so that the text made of the row later is the same.
    private static DateTimeOffset Whole(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeMilliseconds(moment.ToUnixTimeMilliseconds());

    private static OutboxEntry Text(string provider, string name, string body) => new(OutboxKind.Manifest, provider, name, Encoding.UTF8.GetByteCount(body), body);
}
