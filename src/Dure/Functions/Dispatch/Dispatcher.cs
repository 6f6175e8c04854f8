using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Dispatch;

/// <summary>What the dispatcher asks of the rest of the slice.</summary>
/// <param name="Secrets">Values of the named secrets; missing ones are a problem.</param>
/// <param name="VersionById">Finds a deployed version.</param>
/// <param name="Finished">How an ended invocation ended, from its row; null while it has not.</param>
internal sealed record DispatcherNeeds(
    Func<FunctionVersion, CancellationToken, ValueTask<Outcome<IReadOnlyDictionary<string, string>>>> Secrets,
    Func<long, FunctionVersion?> VersionById,
    Func<long, CancellationToken, ValueTask<Finished?>> Finished);

/// <summary>
/// Decides what runs where on this machine: one pool per version, sandboxes within the machine's capacity, attempts recorded
/// before they are sent, and everything taken up again after a restart of the server or the loss of the worker.
/// </summary>
internal sealed partial class Dispatcher
{
    private const int RecentKept = 64;
    private const int RecentBytesMost = 16 << 10;
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan IdleTickEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryWait = TimeSpan.FromMilliseconds(200);

    private readonly InvocationStore _store;
    private readonly Finisher _finisher;
    private readonly WorkerLink _link;
    private readonly DispatcherNeeds _needs;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _slotsFolder;
    private readonly ConcurrentDictionary<long, Pool> _pools = new();
    private readonly ConcurrentDictionary<long, ActiveInvocation> _active = new();
    private readonly ConcurrentDictionary<string, SlotEntry> _slots = new(StringComparer.Ordinal);
    private readonly PriorityQueue<ActiveInvocation, long> _later = new();
    private readonly Lock _gate = new();
    private readonly Capacity _capacity;
    private readonly ActiveInvocation?[] _recent = new ActiveInvocation?[RecentKept];
    private long _nextSlot;
    private bool _stopping;
    private volatile bool _connected;
    private CancellationToken _cancel;

    public Dispatcher(InvocationStore store, Finisher finisher, DispatcherNeeds needs, WorkerLinkOptions link, TimeProvider time, ILogger<Dispatcher> logger)
    {
        (_store, _finisher, _needs, _time, _logger) = (store, finisher, needs, time, logger);
        _slotsFolder = link.SlotsFolder;
        _capacity = new Capacity(link.Slots, long.MaxValue);
        _link = new WorkerLink(link.SocketPath, link.Start, new WorkerEvents(OnWorker, OnMessage, OnWorkerLostAsync), link.Lease, time, logger);
        (_memoryAllowed, _gpusAllowed) = (link.MemoryBytes, link.Gpus);
        Worker = link.Worker;
        finisher.Dispatcher = this;
    }

    /// <summary>A process without work for this long is ended, when its version does not say otherwise.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    /// <summary>Name of this machine's worker.</summary>
    public string Worker { get; }

    /// <summary>The fencing number of this server; above that of every server before.</summary>
    public long Epoch { get; private set; }

    /// <summary>The connected worker, and how long ago it was heard.</summary>
    public (WorkerHello? Hello, TimeSpan Age) WorkerState => (_link.Hello, _link.Age);

    /// <summary>Whose turn it is.</summary>
    public OwnerShares Shares { get; } = new();

    /// <summary>Pools by version, for status pages.</summary>
    public IReadOnlyCollection<Pool> Pools => (IReadOnlyCollection<Pool>)_pools.Values;

    /// <summary>Counts of a version's invocations on this server.</summary>
    public (int Waiting, int Held, int Running, int Processes) CountsOf(long version) => _pools.TryGetValue(version, out var pool) ? pool.Count() : default;

    /// <summary>The working copy of an invocation that has not ended here.</summary>
    public ActiveInvocation? Active(long id) => _active.GetValueOrDefault(id);

    /// <summary>Every invocation that has not ended here.</summary>
    public IEnumerable<ActiveInvocation> Open => _active.Select(active => active.Value);

    /// <summary>Invocations of a function that have not ended here.</summary>
    public List<long> OpenOf(long function) => [.. _active.Values.Where(i => i.Version.FunctionId == function).Select(i => i.Id)];

    /// <summary>Accepts an invocation: stored durably (or, relaxed, sent at once) when this completes.</summary>
    /// <param name="inline">The caller waits for the result and lends its thread to the commit.</param>
    public async ValueTask<Inserted> SubmitAsync(ActiveInvocation invocation, bool inline)
    {
        var inserted = await StoreAsync(invocation, inline);
        if (inserted.ExistingId == 0)
            Begin(invocation);
        return inserted;
    }

    /// <summary>The first half of <see cref="SubmitAsync"/>: the invocation is on disk, and runs when <see cref="Begin"/> is called, which must follow.</summary>
    public async ValueTask<Inserted> StoreAsync(ActiveInvocation invocation, bool inline)
    {
        var pool = PoolOf(invocation.Version);
        pool.Admit(invocation);
        _active[invocation.Id] = invocation;
        if (!invocation.Recorded)
            return default;
        Inserted inserted;
        try
        {
            inserted = await _store.InsertAsync(invocation, Worker, Epoch, inline);
        }
        catch
        {
            _active.TryRemove(invocation.Id, out _);
            pool.Withdraw(invocation);
            throw;
        }
        if (inserted.ExistingId != 0)
        {
            _active.TryRemove(invocation.Id, out _);
            pool.Withdraw(invocation);
        }
        return inserted;
    }

    /// <summary>The second half: the invocation goes to a process, or waits for one.</summary>
    public void Begin(ActiveInvocation invocation) => PoolOf(invocation.Version).Enter(invocation);

    /// <summary>Ends an invocation on request: at once when it waits, else TERM and after <paramref name="grace"/> KILL.</summary>
    /// <returns>False when it has already ended.</returns>
    public async ValueTask<bool> CancelAsync(long id, string reason, TimeSpan grace)
    {
        var end = new AttemptEnd(AttemptOutcome.Cancelled, reason, null);
        if (!_active.TryGetValue(id, out var invocation))
            return await _store.CancelAsync(id, reason);
        invocation.CancelRequested = true;
        var pool = PoolOf(invocation.Version);
        switch (pool.BeginCancel(id, end, out _, out var process))
        {
            case CancelPoint.Running:
                if (invocation.Recorded)
                    await _store.CancelAsync(id, reason);
                Stop(process!, grace);
                return true;
            case CancelPoint.Held:
                _finisher.End(pool, null, invocation, end);
                return true;
            default:
                if (invocation.Recorded && !await _store.CancelAsync(id, reason))
                    return invocation.State <= InvocationState.Processing;
                invocation.State = InvocationState.Cancelled;
                Ended(invocation);
                _finisher.Activity?.Ended(invocation, InvocationState.Cancelled);
                invocation.Complete(new Finished(InvocationState.Cancelled, invocation.Attempt, reason, null, null));
                _finisher.Announce(invocation);
                return true;
        }
    }

    /// <summary>Records an attempt; false when the invocation is no longer waiting.</summary>
    public async ValueTask<bool> ClaimAsync(ActiveInvocation invocation, int attempt)
    {
        while (true)
        {
            try
            {
                return await _store.ClaimAsync(invocation, attempt, Worker, Epoch);
            }
            catch (System.Data.Common.DbException error)
            {
                // The database has no room or is away: the invocation waits on.
                LogClaimRefused(error.Message);
                await Task.Delay(RetryWait, _time, _cancel);
            }
        }
    }

    /// <summary>Asks for one more process of a pool.</summary>
    /// <param name="owner">Whose invocation waits for it.</param>
    /// <returns>False when there is no room; room is being made if something idles.</returns>
    public bool TryStart(Pool pool, string owner)
    {
        if (_stopping || !_connected)
            return false;
        var spec = pool.Version.Spec;
        string slot;
        IReadOnlyList<int>? gpus;
        lock (_gate)
        {
            if (_capacity.NeverFits(spec.Limits.MemoryBytes, spec.Gpus) is { } never)
            {
                // Counted as started and failed, so that what waits ends with the reason. Not under this pool's lock.
                _ = Task.Run(() => pool.OnStartFailed(new AttemptEnd(AttemptOutcome.Limit, never, null)));
                return true;
            }
            var number = ++_nextSlot;
            slot = new SlotName(pool.Version.Id, Epoch, number, []).ToString();
            gpus = IsKeptForAnother(pool, owner) ? null : _capacity.TryTake(slot, spec.Limits.MemoryBytes, spec.Gpus);
            if (gpus is { Count: > 0 })
            {
                _capacity.Release(slot);
                slot = new SlotName(pool.Version.Id, Epoch, number, [.. _capacity.FreeGpus.Take(spec.Gpus)]).ToString();
                gpus = _capacity.TryTake(slot, spec.Limits.MemoryBytes, spec.Gpus);
            }
            SetHungry(pool, gpus is null ? owner : null);
            // The next start shall not have to wait until somebody has left; nor this one for a processor on which somebody leaves.
            if (gpus is not null && !_capacity.FitsWithout([], spec.Limits.MemoryBytes, 0))
                _roomSoon = (pool, _time.GetTimestamp());
        }
        if (gpus is null)
        {
            BeginMakingRoom(pool);
            return false;
        }
        _slots[slot] = new SlotEntry(pool);
        _finisher.AnnounceWorkers();
        _ = StartAsync(pool, slot, gpus);
        return true;
    }

    /// <summary>Ends a process.</summary>
    public void Stop(FunctionProcess process, TimeSpan grace) => _link.Send(new StopSandbox(process.Slot, (int)grace.TotalMilliseconds));

    /// <summary>The body of ASSIGN.</summary>
    public ReadOnlyMemory<byte> AssignBody(FunctionVersion version)
    {
        // Only what this server started is assigned, and its environment was made for that.
        var environment = _environments[version.Id];
        if (version.Spec.Mode == SandboxMode.Plain)
        {
            var words = version.Built.Command;
            var parts = words.Prepend(words.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)).Concat(environment.Select(e => $"{e.Key}={e.Value}"));
            return System.Text.Encoding.UTF8.GetBytes(string.Concat(parts.Select(part => part + "\0")));
        }
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("handler", version.Spec.Handler);
            json.WriteString("function", version.FunctionName);
            json.WriteString("version", version.Digest);
            json.WriteStartObject("env");
            foreach (var (name, value) in environment)
                json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>Takes an invocation for its next attempt, now or later.</summary>
    /// <param name="wait">How long until then. Waited out by the clock that never jumps.</param>
    public void Resubmit(ActiveInvocation invocation, TimeSpan wait)
    {
        invocation.QueuedTimestamp = _time.GetTimestamp();
        if (wait > TimeSpan.Zero)
        {
            // An earlier server's clock, by which it was reckoned, may have been ahead of this one's.
            var longest = Lifecycle.LongestDelay(invocation.Version.Spec);
            lock (_gate)
                _later.Enqueue(invocation, invocation.QueuedTimestamp + (long)((wait < longest ? wait : longest).TotalSeconds * _time.TimestampFrequency));
        }
        else
        {
            PoolOf(invocation.Version).Enter(invocation);
        }
    }

    /// <summary>An invocation has reached its final state.</summary>
    public void Ended(ActiveInvocation invocation)
    {
        if (invocation.Payload.Length <= RecentBytesMost)
            Volatile.Write(ref _recent[RecentPlace(invocation.Id)], invocation);
        _active.TryRemove(invocation.Id, out _);
    }

    /// <summary>An invocation that has just ended here: those who follow it are told without a look at its row. Null when it is not at hand any more.</summary>
    public ActiveInvocation? JustEnded(long id) =>
        Volatile.Read(ref _recent[RecentPlace(id)]) is { } recent && recent.Id == id && recent.Ended is { Result: null or { Length: <= RecentBytesMost } } ? recent : null;

    /// <summary>Somebody else moved the invocation on: its row says how it ended, if it has.</summary>
    public async Task FencedAsync(ActiveInvocation invocation)
    {
        if (await _needs.Finished(invocation.Id, _cancel) is not { } finished)
            return;
        Ended(invocation);
        invocation.Complete(finished);
    }

    /// <summary>The database refused an end (disk full): tries again until it is taken.</summary>
    public void RetryEnd(Func<Task> end, Exception why)
    {
        LogCommitRefused(why.Message);
        _ = Task.Run(async () =>
        {
            await Task.Delay(RetryWait, _time, _cancel);
            await end();
        }, _cancel);
    }

    private static int RecentPlace(long id) => (int)(((ulong)id * 0x9E37_79B9_7F4A_7C15) >> 58);

    private Pool PoolOf(FunctionVersion version) =>
        _pools.GetOrAdd(version.Id, static (_, x) => new Pool(x.version, x.self, x.self._finisher, x.self._time), (version, self: this));

    private async Task StartAsync(Pool pool, string slot, IReadOnlyList<int> gpus)
    {
        var secrets = await ReadSecretsAsync(pool.Version);
        if (!secrets.Ok)
        {
            Free(slot);
            var outcome = secrets.Problem.Kind == WorkerErrors.NotStarted ? AttemptOutcome.StartFailed : AttemptOutcome.Error;
            pool.OnStartFailed(new AttemptEnd(outcome, secrets.Problem.Detail, null));
            return;
        }
        var spec = SandboxSpecs.For(pool.Version.Built, secrets.Value, gpus, pool.Version.FunctionName);
        _environments[pool.Version.Id] = spec.Environment;
        _link.Send(new StartSandbox(slot, spec));
    }

    // A database that is away must cost a start, not the place that was taken for it.
    private async Task<Outcome<IReadOnlyDictionary<string, string>>> ReadSecretsAsync(FunctionVersion version)
    {
        try
        {
            return await _needs.Secrets(version, _cancel);
        }
        catch (Exception error) when (error is System.Data.Common.DbException or IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            return WorkerErrors.NotStarted.With("its secrets could not be read: " + error.Message);
        }
    }

    private void Free(string slot)
    {
        _slots.TryRemove(slot, out _);
        lock (_gate)
            _capacity.Release(slot);
        _finisher.AnnounceWorkers();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database refused a result; it is kept and tried again: {Why}")]
    private partial void LogCommitRefused(string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database would not take relaxed invocation {Id}; it was answered and is not kept: {Why}")]
    public partial void LogForgotten(long id, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database refused to record an attempt; the invocation waits: {Why}")]
    private partial void LogClaimRefused(string why);
}

/// <summary>A sandbox and who it works for.</summary>
/// <param name="Pool">Null for builds.</param>
internal sealed record SlotEntry(Pool? Pool)
{
    public FunctionProcess? Process { get; set; }

    /// <summary>A former server asked for it: this one's pool does not wait for it.</summary>
    public bool Adopted { get; init; }

    /// <summary>What its worker said last that it uses; null before the first report.</summary>
    public SlotUse? Use { get; set; }

    /// <summary>Hears the lines and the end of a build.</summary>
    public Action<FromWorker>? Listener { get; init; }
}

/// <summary>How to reach and start this machine's worker.</summary>
/// <param name="SocketPath">Its control socket.</param>
/// <param name="Start">Starts a worker process; told true, one that stands by (<see cref="StandbyWorkers"/>).</param>
/// <param name="SlotsFolder">Holds one folder per sandbox.</param>
/// <param name="Slots">Sandboxes at most.</param>
/// <param name="MemoryBytes">Sum of memory limits at most; 0 for what the machine has.</param>
/// <param name="Gpus">Indices of the GPUs that functions may use; null for all.</param>
internal sealed record WorkerLinkOptions(string Worker, string SocketPath, string SlotsFolder, Func<bool, Process> Start, TimeSpan Lease, int Slots, long MemoryBytes, IReadOnlyList<int>? Gpus = null);
