using System.Collections.Immutable;
using Dure.Host;
using Dure.Storage.Providers;

namespace Dure.Storage.Replication;

/// <summary>
/// Keeps copies at second providers: one loop for each provider and outbox. Without a provider it does nothing, and nobody needs it.
/// </summary>
public sealed partial class ReplicationService : IDisposable
{
    private readonly ReplicatorOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ReplicationService> _log;
    private readonly ReplicationMetrics _metrics;
    private ImmutableArray<Replicator> _loops = [];
    private ImmutableDictionary<string, Backlog> _backlogs = ImmutableDictionary<string, Backlog>.Empty;

    /// <param name="targets">Every provider that is configured.</param>
    /// <param name="store">Of the main database, which also keeps what comparisons found.</param>
    public ReplicationService(IReadOnlyList<ReplicaTarget> targets, OutboxStore store, ReplicatorOptions options, TimeProvider time, ILogger<ReplicationService> log)
    {
        (Targets, Store, _options, _time, _log) = (targets, store, options, time, log);
        _metrics = new ReplicationMetrics(this);
    }

    /// <summary>Every provider that is configured.</summary>
    public IReadOnlyList<ReplicaTarget> Targets { get; }

    /// <summary>The main database's outbox.</summary>
    public OutboxStore Store { get; }

    /// <summary>What is copied; functions first.</summary>
    public IReadOnlyList<Originals> Originals { get; private set; } = [];

    /// <summary>What waited when it was last counted, a few seconds ago at most, by provider.</summary>
    public IReadOnlyDictionary<string, Backlog> Counted => _backlogs;

    /// <summary>Results of the last comparisons, by provider.</summary>
    public IReadOnlyDictionary<string, VerifyReport> Verified { get; private set; } = new Dictionary<string, VerifyReport>(StringComparer.Ordinal);

    /// <summary>Adds what is to be copied; before <see cref="RunAsync"/>.</summary>
    public void Add(Originals originals) => Originals = [.. Originals, originals];

    /// <summary>A configured provider, or <see cref="ProviderErrors.NoSuchProvider"/>.</summary>
    public Outcome<ReplicaTarget> Find(string name) => Targets.FirstOrDefault(target => target.Name == name) is { } found
        ? found : ProviderErrors.NoSuchProvider.With($"'{name}' is none of {(Targets.Count == 0 ? "the providers: none is configured" : string.Join(", ", Targets.Select(target => target.Name)))}.");

    /// <summary>Something may have been added to an outbox. Returns at once.</summary>
    public void Wake()
    {
        foreach (var loop in _loops)
            loop.Wake();
    }

    /// <summary>Copies until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        if (Targets.Count == 0)
            return;
        await ReadVerifiedAsync(cancel);
        _loops = [.. Targets.SelectMany(target => Originals, (target, originals) => new Replicator(target, originals, _options, _time, _log))];
        try
        {
            await Task.WhenAll([.. _loops.Select(loop => loop.RunAsync(cancel)), CountAsync(cancel)]);
        }
        finally
        {
            foreach (var loop in _loops)
                loop.Dispose();
        }
    }

    /// <summary>Copies now, and answers when every provider that must have it has confirmed; tries until then.</summary>
    /// <param name="entries">In order.</param>
    /// <param name="waiting">Told once for a provider that does not take it at once.</param>
    /// <exception cref="OperationCanceledException">Given up by the caller.</exception>
    public async Task ConfirmAsync(Originals originals, IReadOnlyList<OutboxEntry> entries, Func<string, Task> waiting, CancellationToken cancel) =>
        await Task.WhenAll(Targets.Select(target => ConfirmAsync(target, originals, [.. entries.Where(entry => entry.Provider == target.Name)], waiting, cancel)));

    /// <summary>Opens the first whole copy that a provider has of a digest; null when none has. The end of the stream throws <see cref="InvalidDataException"/> when the bytes are not those.</summary>
    public async ValueTask<Stream?> OpenReplicaAsync(string digest, CancellationToken cancel)
    {
        foreach (var target in Targets)
        {
            if (await new ReplicaReader(target.Objects, _time).OpenBlobAsync(digest, null, cancel) is { Ok: true, Value: var stream })
                return stream;
        }
        return null;
    }

    /// <summary>How each provider stands, counted now.</summary>
    public async ValueTask<IReadOnlyList<ProviderStatus>> StatusAsync(CancellationToken cancel)
    {
        await CountOnceAsync(cancel);
        var lost = new List<LostReplica>();
        foreach (var outbox in Outboxes())
            lost.AddRange(await outbox.LostAsync(cancel));
        var names = Targets.Select(target => target.Name).Concat(_backlogs.Keys).Concat(lost.Select(one => one.Provider)).Distinct(StringComparer.Ordinal);
        return [.. names.Select(name => new ProviderStatus(name, Targets.FirstOrDefault(target => target.Name == name), _backlogs.GetValueOrDefault(name) ?? Backlog.None,
            [.. lost.Where(one => one.Provider == name)], Verified.GetValueOrDefault(name)))];
    }

    /// <summary>Notes what a comparison found.</summary>
    internal async Task NoteAsync(VerifyReport report)
    {
        await Store.SaveVerifiedAsync(report.Provider, report.At, System.Text.Json.JsonSerializer.Serialize(report, ReplicationJson.Default.VerifyReport));
        Verified = new Dictionary<string, VerifyReport>(Verified, StringComparer.Ordinal) { [report.Provider] = report };
    }

    /// <summary>Age of the oldest thing that waits for a provider, zero when nothing does.</summary>
    internal TimeSpan Oldest(string provider) =>
        _backlogs.GetValueOrDefault(provider)?.Oldest is { } since && _time.GetUtcNow() - since is { Ticks: > 0 } age ? age : TimeSpan.Zero;

    /// <summary>Time since the last comparison; null when there was none.</summary>
    internal TimeSpan? SinceVerified(string provider) => Verified.GetValueOrDefault(provider) is { } report ? _time.GetUtcNow() - report.At : null;

    public void Dispose() => _metrics.Dispose();

    /// <summary>Every outbox, each once.</summary>
    internal IEnumerable<OutboxStore> Outboxes() => Originals.Select(originals => originals.Outbox).Append(Store).Distinct();

    private async Task ConfirmAsync(ReplicaTarget target, Originals originals, IReadOnlyList<OutboxEntry> entries, Func<string, Task> waiting, CancellationToken cancel)
    {
        var copy = new ReplicaCopy(target.Objects, originals.OpenAsync);
        for (var (next, tries, told) = (0, 0, false); next < entries.Count;)
        {
            cancel.ThrowIfCancellationRequested();
            if (target.Health.MayTry())
            {
                if (await TryAsync(target, copy, entries[next], tries > 0, cancel))
                {
                    (next, tries) = (next + 1, 0);
                    continue;
                }
                tries++;
            }
            if (!told)
                await waiting(target.Name);
            told = true;
            await Task.Delay(Backoff.Wait(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(15), tries, Random.Shared.NextDouble()), _time, cancel);
        }
    }

    private async Task<bool> TryAsync(ReplicaTarget target, ReplicaCopy copy, OutboxEntry entry, bool again, CancellationToken cancel)
    {
        Problem? problem;
        try
        {
            problem = await copy.SendAsync(entry.Kind, entry.Name, entry.Bytes, entry.Body, again, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            target.Health.Undecided();
            throw;
        }
        catch (Exception error)
        {
            problem = ReplicationErrors.Failed.With($"{target.Name}: {error.Message}");
        }
        if (problem is null)
            target.Health.Succeeded();
        else if (problem.Kind == ReplicationErrors.SourceLost || problem.Kind == ReplicationErrors.SourceDamaged)
            target.Health.Undecided();
        else
            target.Health.Failed(problem);
        if (problem is not null)
            LogNotConfirmed(target.Name, ProviderHealth.Text(problem));
        return problem is null;
    }

    private async Task CountAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(_options.Poll, _time);
        do
        {
            try
            {
                await CountOnceAsync(cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogNotCounted(error);
            }
        }
        while (await timer.WaitForNextTickAsync(cancel));
    }

    private async Task CountOnceAsync(CancellationToken cancel)
    {
        var all = ImmutableDictionary.CreateBuilder<string, Backlog>(StringComparer.Ordinal);
        foreach (var outbox in Outboxes())
        {
            foreach (var (provider, backlog) in await outbox.BacklogsAsync(cancel))
                all[provider] = all.GetValueOrDefault(provider, Backlog.None).And(backlog);
        }
        _backlogs = all.ToImmutable();
    }

    private async Task ReadVerifiedAsync(CancellationToken cancel)
    {
        var verified = new Dictionary<string, VerifyReport>(StringComparer.Ordinal);
        foreach (var (provider, text) in await Store.VerifiedAsync(cancel))
        {
            if (System.Text.Json.JsonSerializer.Deserialize(text, ReplicationJson.Default.VerifyReport) is { } report)
                verified[provider] = report;
        }
        Verified = verified;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Provider} has not confirmed a result that must be at both: {Why}")]
    private partial void LogNotConfirmed(string provider, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "What waits for providers could not be counted")]
    private partial void LogNotCounted(Exception error);
}

/// <summary>How a provider stands.</summary>
/// <param name="Target">Null when it is not configured any more; what waits for it stays.</param>
public sealed record ProviderStatus(string Name, ReplicaTarget? Target, Backlog Backlog, IReadOnlyList<LostReplica> Lost, VerifyReport? Verified);
