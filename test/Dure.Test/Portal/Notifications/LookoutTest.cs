using Dure.Functions;
using Dure.Functions.Dispatch;
using Dure.Host.Data;
using Dure.Host.Live;
using Dure.Portal.Notifications;
using Dure.Test.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Portal.Notifications;

/// <summary>What is seen of invocations, by a clock that the test sets, on a real database.</summary>
public sealed class LookoutTest : IAsyncLifetime
{
    private static readonly NotifyChannel[] Everywhere = [new("portal", null), new("email", "ada@example.org")];

    private readonly Scratch _scratch = new();
    private readonly SetClock _clock = new();
    private readonly InProcessLive _live = new();
    private Database _database = null!;
    private NotifyStore _store = null!;
    private Lookout _lookout = null!;
    private long _ids;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await SqliteDatabase.OpenAsync(_scratch["dure.db"], Cancel);
        Assert.True((await Migrations.ApplyAsync(_database, _clock, Cancel)).Ok);
        await _database.WriteAsync(s => s.ExecuteAsync("INSERT INTO functions (id, name, owner, created_at, updated_at) VALUES (1, 'thumbs', 'ada', 0, 0), (2, 'other', 'ada', 0, 0)"));
        _store = new NotifyStore(_database, _clock);
        _lookout = Make();
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task Many_failures_within_a_minute_are_one_message_with_their_number()
    {
        await _store.AddRuleAsync("ada", "failed", null, Everywhere);
        await LookAsync();
        for (var n = 0; n < 40; n++)
        {
            await EndAsync(1, InvocationState.Failed);
            await PassAsync(TimeSpan.FromSeconds(1));
        }
        var message = Assert.Single(await InboxAsync());
        Assert.Equal(("failed", "thumbs", 40L), (message.Event, message.Subject, message.Count));
        Assert.Contains("ValueError: no", message.Detail, StringComparison.Ordinal);
        Assert.Equal(message.FirstAt + TimeSpan.FromMinutes(1), message.GathersUntil);
        Assert.Equal(message.GathersUntil, Assert.Single(await OutboxAsync()).NextAt);
        await PassAsync(TimeSpan.FromMinutes(1));
        await EndAsync(1, InvocationState.Failed);
        await PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal([1L, 40L], (await InboxAsync()).Select(one => one.Count).Order());
        Assert.Equal(2, (await OutboxAsync()).Count);
    }

    [Fact]
    public async Task Nothing_is_added_to_what_was_sent()
    {
        await _store.AddRuleAsync("ada", "failed", null, Everywhere);
        await LookAsync();
        await EndAsync(1, InvocationState.Failed);
        await PassAsync(TimeSpan.FromSeconds(2));
        var row = Assert.Single(await OutboxAsync());
        Assert.True(await new NotifyOutbox(_database).BeginAsync(row.Id, row.Message, _clock.Now.ToUnixTimeMilliseconds()));
        await EndAsync(1, InvocationState.Failed);
        await PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal([1L, 1L], (await InboxAsync()).Select(one => one.Count));
    }

    [Fact]
    public async Task Each_function_and_each_person_has_messages_of_their_own()
    {
        await _store.AddRuleAsync("ada", "failed", null, Everywhere);
        await _store.AddRuleAsync("bob", "failed", "other", Everywhere);
        await LookAsync();
        await EndAsync(1, InvocationState.Failed);
        await EndAsync(2, InvocationState.Unknown);
        await EndAsync(2, InvocationState.Cancelled);
        await PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(["other", "thumbs"], (await InboxAsync()).Select(one => one.Subject).Order());
        Assert.Equal(["other"], (await InboxAsync("bob")).Select(one => one.Subject));
    }

    [Fact]
    public async Task A_server_that_is_killed_at_any_moment_tells_each_end_once()
    {
        await _store.AddRuleAsync("ada", "failed", null, Everywhere);
        await _store.AddRuleAsync("ada", "finished", "thumbs", Everywhere);
        await LookAsync();
        for (var n = 0; n < 12; n++)
        {
            await EndAsync(1, n % 3 == 0 ? InvocationState.Failed : InvocationState.Success);
            if (n % 2 == 0)
                _lookout = Make();
            await PassAsync(TimeSpan.FromSeconds(1));
        }
        _lookout = Make();
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal([("failed", 4L), ("finished", 12L)], (await InboxAsync()).Select(one => (one.Event, one.Count)).Order());
    }

    [Fact]
    public async Task What_happened_before_anybody_asked_is_not_told()
    {
        await EndAsync(1, InvocationState.Failed);
        await PassAsync(TimeSpan.FromMinutes(5));
        var rule = await _store.AddRuleAsync("ada", "failed", null, Everywhere);
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(await InboxAsync());
        Assert.True(await _store.RemoveRuleAsync("ada", rule.Id));
        await PassAsync(TimeSpan.FromSeconds(1));
        await EndAsync(1, InvocationState.Failed);
        await PassAsync(TimeSpan.FromHours(1));
        await _store.AddRuleAsync("ada", "failed", null, Everywhere);
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(await InboxAsync());
    }

    [Fact]
    public async Task A_function_that_works_again_is_told_once()
    {
        await _store.AddRuleAsync("ada", "recovered", null, Everywhere);
        await LookAsync();
        await EndAsync(1, InvocationState.Success);
        await PassAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(await InboxAsync());
        await EndAsync(1, InvocationState.Failed);
        await PassAsync(TimeSpan.FromSeconds(3));
        await EndAsync(1, InvocationState.Success);
        await EndAsync(1, InvocationState.Success);
        await PassAsync(TimeSpan.FromSeconds(3));
        _lookout = Make();
        await PassAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(("recovered", "thumbs"), Assert.Single((await InboxAsync()).Select(one => (one.Event, one.Subject))));
    }

    [Fact]
    public async Task An_end_whose_row_comes_late_with_an_old_id_is_heard_of()
    {
        await _store.AddRuleAsync("ada", "finished", "thumbs", Everywhere);
        await LookAsync();
        var old = InvocationId.FirstAt(_clock.Now) + 5;
        await PassAsync(TimeSpan.FromSeconds(30));
        await InsertAsync(old, 1, InvocationState.Success);
        _live.Publish(InvocationEvents.FunctionChannel("thumbs"), InvocationId.Format(old));
        _live.Publish(InvocationEvents.FunctionChannel("thumbs"), InvocationId.Format(old));
        await PassAsync(TimeSpan.FromSeconds(1));
        _live.Publish(InvocationEvents.FunctionChannel("thumbs"), InvocationId.Format(old));
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Assert.Single(await InboxAsync()).Count);
    }

    [Fact]
    public async Task Who_waits_for_an_end_is_told_it_once_and_waits_no_more()
    {
        var id = await InsertAsync(InvocationId.FirstAt(_clock.Now), 1, InvocationState.Processing);
        await _store.AddWatchAsync("ada", id, Everywhere);
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(await InboxAsync());
        await _database.WriteAsync(s => s.ExecuteAsync("UPDATE invocations SET state = 2, finished_at = $2 WHERE id = $1", id, _clock.Now.ToUnixTimeMilliseconds()));
        await PassAsync(TimeSpan.FromSeconds(1));
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(("ended", InvocationId.Format(id), "SUCCESS"), Assert.Single((await InboxAsync()).Select(one => (one.Event, one.Invocation, one.Detail))));
        Assert.Empty(await _store.WatchesAsync(Cancel));
    }

    [Fact]
    public async Task Only_what_ended_since_the_last_look_is_read()
    {
        var plan = await _database.ReadAsync(static s => s.QueryAsync(
            "EXPLAIN QUERY PLAN SELECT i.function_id, COUNT(*) FROM invocations i WHERE i.finished_at > 1 AND i.finished_at <= 2 AND i.state IN (3, 5) GROUP BY i.function_id", static r => r.GetString(3)), Cancel);
        Assert.Contains("invocations_finished (finished_at>? AND finished_at<?", plan[0], StringComparison.Ordinal);
    }

    private Lookout Make() => new(_store, new InvocationEnds(_database), [], _live, new LookoutOptions(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromDays(90)), _clock, NullLogger<Lookout>.Instance);

    private Task LookAsync() => _lookout.LookAsync(Cancel);

    private async Task PassAsync(TimeSpan time)
    {
        _clock.Now += time;
        await LookAsync();
    }

    private Task<long> EndAsync(long function, InvocationState state) => InsertAsync(InvocationId.FirstAt(_clock.Now) + Interlocked.Increment(ref _ids), function, state);

    private async Task<long> InsertAsync(long id, long function, InvocationState state)
    {
        var now = _clock.Now.ToUnixTimeMilliseconds();
        await _database.WriteAsync(s => s.ExecuteAsync("""
            INSERT INTO invocations (id, function_id, version_id, state, attempt, owner, source, durability, created_at, finished_at, payload_bytes, error)
            VALUES ($1, $2, 1, $3, 1, 'ada', 0, 0, $4, $5, 0, $6)
            """, id, function, (long)state, now, state > InvocationState.Processing ? now : null, state == InvocationState.Failed ? """{"errorType":"ValueError","errorMessage":"no"}""" : null));
        return id;
    }

    private ValueTask<List<NotifyMessage>> InboxAsync(string owner = "ada") => _store.ListAsync(owner, null, unread: false, 100, Cancel);

    private ValueTask<List<NotifyDeliveryRow>> OutboxAsync() => new NotifyOutbox(_database).DueAsync(long.MaxValue - 1, long.MaxValue, 100, 100, Cancel);
}
