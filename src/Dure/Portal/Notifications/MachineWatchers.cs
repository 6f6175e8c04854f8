using Dure.Functions;
using Dure.Host.Operations;
using Dure.Host.Terminal;
using Dure.Storage.Replication;
using System.Text.Json;

namespace Dure.Portal.Notifications;

/// <summary>What the lookout asks of the rest of the server.</summary>
/// <param name="Disk">The last look at the disk.</param>
/// <param name="Worker">The connected worker and its process; null when none is.</param>
/// <param name="Stopping">The server stops, so what goes away goes by intention.</param>
/// <param name="Providers">How copies stand; null where there are none.</param>
internal sealed record MachineSources(Func<DiskReading> Disk, Func<(string Id, int Pid)?> Worker, Func<bool> Stopping, Func<CancellationToken, ValueTask<IReadOnlyList<ProviderStatus>>>? Providers);

/// <summary>Looks after what is not an invocation: schedules, the disk, the worker, copies at providers. Each tells a change once.</summary>
internal sealed class MachineWatchers(MachineSources sources, InvocationEnds ends, TimeSpan behindAfter, TimeProvider time)
{
    private static readonly TimeSpan SchedulesEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProvidersEvery = TimeSpan.FromSeconds(30);

    // A worker that is replaced by the one that stands by is lost all the same; one that is not there for a moment while the server starts is not.
    private (string Id, int Pid)? _worker;
    private DateTimeOffset _schedulesAt;
    private DateTimeOffset _providersAt;

    /// <summary>All of them.</summary>
    public IReadOnlyList<Lookout.Watcher> All => [SchedulesAsync, DiskAsync, WorkerAsync, ProvidersAsync];

    private async ValueTask SchedulesAsync(Look look, IReadOnlyList<NotifyRule> rules, IReadOnlyDictionary<string, string> state, CancellationToken cancel)
    {
        var known = state.GetValueOrDefault(LookState.Missed);
        if (!rules.Any(static rule => rule.Event == NotifyEvents.ScheduleMissed))
        {
            if (known is not null)
                (look.State[LookState.Missed], look.Matters) = (null, true);
            return;
        }
        var now = time.GetUtcNow();
        if (known is not null && now - _schedulesAt < SchedulesEvery && now >= _schedulesAt)
            return;
        _schedulesAt = now;
        var missed = await ends.MissedAsync(cancel);
        var counts = missed.ToDictionary(static one => one.Function, static one => one.Missed, StringComparer.Ordinal);
        var text = JsonSerializer.Serialize(counts, MissedJson.Default.DictionaryStringInt64);
        if (text == known)
            return;
        (look.State[LookState.Missed], look.Matters) = (text, true);
        if (known is null)
            return;
        var before = JsonSerializer.Deserialize(known, MissedJson.Default.DictionaryStringInt64)!;
        foreach (var one in missed.Where(one => one.Missed > before.GetValueOrDefault(one.Function)))
        {
            var last = DateTimeOffset.FromUnixTimeMilliseconds(one.LastAt);
            look.Sightings.Add(new Sighting(NotifyEvents.ScheduleMissed, one.Function, one.Missed - before.GetValueOrDefault(one.Function), null, $"last: {last:u}", now));
        }
    }

    private ValueTask DiskAsync(Look look, IReadOnlyList<NotifyRule> rules, IReadOnlyDictionary<string, string> state, CancellationToken cancel)
    {
        var reading = sources.Disk();
        var (before, now) = (state.GetValueOrDefault(LookState.Disk) ?? "ok", DiskGuard.NameOf(reading.State));
        if (before == now || !rules.Any(static rule => rule.Event == NotifyEvents.DiskLow))
            return default;
        (look.State[LookState.Disk], look.Matters) = (now, true);
        if (now == "refusing" || (now == "warning" && before == "ok"))
        {
            look.Sightings.Add(new Sighting(NotifyEvents.DiskLow, "disk", 1, null, $"{Phrase.Size(reading.FreeBytes)} free of {Phrase.Size(reading.TotalBytes)}"
                + (now == "refusing" ? "; new work is refused" : ""), time.GetUtcNow()));
        }
        return default;
    }

    private ValueTask WorkerAsync(Look look, IReadOnlyList<NotifyRule> rules, IReadOnlyDictionary<string, string> state, CancellationToken cancel)
    {
        if (sources.Stopping())
            return default;
        var now = sources.Worker();
        if (_worker is { } before && now?.Pid != before.Pid)
        {
            look.Sightings.Add(new Sighting(NotifyEvents.WorkerLost, before.Id, 1, null,
                now is { } other ? $"process {before.Pid} is gone; process {other.Pid} has taken over" : $"process {before.Pid} is gone; none has taken over yet", time.GetUtcNow()));
        }
        _worker = now;
        return default;
    }

    private async ValueTask ProvidersAsync(Look look, IReadOnlyList<NotifyRule> rules, IReadOnlyDictionary<string, string> state, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (sources.Providers is null || !rules.Any(static rule => rule.Event == NotifyEvents.ReplicationBehind) || (now - _providersAt < ProvidersEvery && now >= _providersAt))
            return;
        _providersAt = now;
        foreach (var provider in await sources.Providers(cancel))
        {
            var (name, told) = (LookState.Behind + provider.Name, state.ContainsKey(LookState.Behind + provider.Name));
            var behind = provider.Backlog.Oldest is { } oldest && now - oldest > behindAfter;
            if (behind == told)
                continue;
            (look.State[name], look.Matters) = (behind ? "1" : null, true);
            if (behind)
            {
                var why = provider.Target?.Health.LastError?.Text ?? provider.Backlog.LastError;
                look.Sightings.Add(new Sighting(NotifyEvents.ReplicationBehind, provider.Name, 1, null,
                    $"{provider.Backlog.Objects} objects, {Phrase.Size(provider.Backlog.Bytes)} wait; the oldest since {provider.Backlog.Oldest:u}" + (why is null ? "" : $"; {why}"), now));
            }
        }
    }
}

/// <summary>JSON of counts.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, long>))]
internal sealed partial class MissedJson : System.Text.Json.Serialization.JsonSerializerContext;
