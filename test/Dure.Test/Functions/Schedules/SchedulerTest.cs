using Dure.Functions;
using Dure.Functions.Deploy;
using Dure.Functions.Schedules;
using Dure.Functions.Worker;
using Dure.Host;
using Dure.Host.Data;
using Dure.Test.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Functions.Schedules;

/// <summary>The scheduler on a real database, with a clock that the test sets.</summary>
public sealed class SchedulerTest : IAsyncLifetime
{
    private readonly Scratch _scratch = new();
    private readonly SetClock _clock = new();
    private readonly FunctionCatalog _catalog = new();
    private SqliteDatabase _database = null!;
    private InvocationStore _invocations = null!;
    private InvocationIdSource _ids = null!;
    private bool _crash;
    private Problem? _refusal;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await SqliteDatabase.OpenAsync(_scratch["dure.db"], Cancel);
        await Migrations.ApplyAsync(_database, _clock, Cancel);
        (_invocations, _ids) = (new InvocationStore(_database, _clock), new InvocationIdSource(_clock, 0, 0));
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task Every_due_minute_fires_once()
    {
        await DeployAsync("* * * * *", "UTC");
        for (var second = 0; second < 300; second++)
        {
            _clock.Now = _clock.Now.AddSeconds(1);
            await Make().TickAsync(Cancel);
        }
        Assert.Equal(["09:01", "09:02", "09:03", "09:04", "09:05"], await FiredAsync("HH:mm"));
    }

    [Fact]
    public async Task A_crash_between_the_firing_and_the_move_neither_loses_nor_doubles_it()
    {
        await DeployAsync("* * * * *", "UTC");
        await Make().TickAsync(Cancel);
        _clock.Now = _clock.Now.AddSeconds(61);
        _crash = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => Make().TickAsync(Cancel));
        _crash = false;
        await Make().TickAsync(Cancel);
        await Make().TickAsync(Cancel);
        Assert.Equal(["09:01"], await FiredAsync("HH:mm"));
    }

    [Fact]
    public async Task Firings_that_nobody_was_there_for_are_counted_and_the_latest_runs_once()
    {
        await DeployAsync("*/10 * * * *", "UTC");
        await Make().TickAsync(Cancel);
        _clock.Now = _clock.Now.AddMinutes(45);
        await Make().TickAsync(Cancel);
        await Make().TickAsync(Cancel);
        Assert.Equal(["09:40"], await FiredAsync("HH:mm"));
        Assert.Equal((4, new DateTimeOffset(2026, 11, 21, 9, 40, 0, TimeSpan.Zero)), await MissedAsync());
    }

    [Fact]
    public async Task A_year_of_missed_minutes_is_passed_over_quickly()
    {
        await DeployAsync("* * * * *", "UTC");
        await Make().TickAsync(Cancel);
        _clock.Now = _clock.Now.AddDays(365);
        await Make().TickAsync(Cancel);
        Assert.Equal(["2027-11-21 09:00"], await FiredAsync("yyyy-MM-dd HH:mm"));
        Assert.Equal(Firings.CountMax - 1, (await MissedAsync()).Count);
    }

    [Fact]
    public async Task A_clock_that_goes_back_fires_nothing_twice()
    {
        await DeployAsync("* * * * *", "UTC");
        for (var round = 0; round < 3; round++)
        {
            _clock.Now = new DateTimeOffset(2026, 11, 21, 9, 0, 30, TimeSpan.Zero);
            for (var second = 0; second < 120; second++)
            {
                _clock.Now = _clock.Now.AddSeconds(1);
                await Make().TickAsync(Cancel);
            }
        }
        Assert.Equal(["09:01", "09:02"], await FiredAsync("HH:mm"));
    }

    [Fact]
    public async Task A_clock_that_was_far_ahead_does_not_stop_a_schedule_for_years()
    {
        await DeployAsync("0 9 * * *", "UTC");
        _clock.Now = new DateTimeOffset(2031, 1, 1, 12, 0, 0, TimeSpan.Zero);
        await Make().TickAsync(Cancel);
        _clock.Now = new DateTimeOffset(2026, 11, 21, 9, 30, 0, TimeSpan.Zero);
        await Make().TickAsync(Cancel);
        _clock.Now = new DateTimeOffset(2026, 11, 22, 9, 0, 1, TimeSpan.Zero);
        await Make().TickAsync(Cancel);
        Assert.Equal(["2026-11-22 09:00"], await FiredAsync("yyyy-MM-dd HH:mm"));
    }

    [Fact]
    public async Task A_time_that_the_clock_skips_fires_right_after_the_gap()
    {
        // In Berlin 2027-03-28 goes from 02:00 to 03:00.
        _clock.Now = new DateTimeOffset(2027, 3, 27, 12, 0, 0, TimeSpan.Zero);
        await DeployAsync("30 2 * * *", "Europe/Berlin");
        await TickThroughAsync(TimeSpan.FromDays(2));
        Assert.Equal(["2027-03-28 01:00", "2027-03-29 00:30"], await FiredAsync("yyyy-MM-dd HH:mm"));
    }

    [Fact]
    public async Task A_time_that_comes_twice_fires_the_first_time_only()
    {
        // In Berlin 2027-10-31 goes from 03:00 back to 02:00.
        _clock.Now = new DateTimeOffset(2027, 10, 30, 12, 0, 0, TimeSpan.Zero);
        await DeployAsync("30 2 * * *", "Europe/Berlin");
        await TickThroughAsync(TimeSpan.FromDays(2));
        Assert.Equal(["2027-10-31 00:30", "2027-11-01 01:30"], await FiredAsync("yyyy-MM-dd HH:mm"));
    }

    [Fact]
    public async Task Nothing_fires_while_new_work_is_refused_and_the_latest_runs_after()
    {
        await DeployAsync("* * * * *", "UTC");
        await Make().TickAsync(Cancel);
        _refusal = FunctionErrors.DiskRefused.With("full");
        _clock.Now = _clock.Now.AddMinutes(3).AddSeconds(5);
        await Make().TickAsync(Cancel);
        Assert.Empty(await FiredAsync("HH:mm"));
        _refusal = null;
        await Make().TickAsync(Cancel);
        Assert.Equal(["09:03"], await FiredAsync("HH:mm"));
    }

    private Scheduler Make() => new(_catalog, new ScheduleStore(_database), new SchedulerNeeds(SubmitAsync, _ids.Next, () => _refusal), _clock, NullLogger<Scheduler>.Instance);

    private async ValueTask<Inserted> SubmitAsync(ActiveInvocation invocation)
    {
        var inserted = await _invocations.InsertAsync(invocation, "w1", 1, inline: false);
        return _crash ? throw new InvalidOperationException("crash") : inserted;
    }

    private async Task TickThroughAsync(TimeSpan span)
    {
        for (var end = _clock.Now + span; _clock.Now < end; _clock.Now = _clock.Now.AddMinutes(5))
            await Make().TickAsync(Cancel);
    }

    private async Task DeployAsync(string cron, string zone)
    {
        var settings = new FunctionSettings { Schedule = new FunctionSchedule(cron, zone) };
        var spec = settings.Resolve("python", "handler.handler", SandboxMode.Shim);
        var built = new BuiltVersion(new string('a', 64), new string('b', 64), "/code", null, null, [], spec);
        _catalog.Put((await new FunctionStore(_database, _clock).DeployAsync("f", "owner", built, 1, 0))!);
    }

    private async Task<List<string>> FiredAsync(string format) => (await _database.ReadAsync(s => s.QueryAsync(
            "SELECT scheduled_for FROM invocations WHERE source = 1 ORDER BY scheduled_for", static r => r.GetInt64(0)), Cancel))
        .ConvertAll(ms => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString(format, System.Globalization.CultureInfo.InvariantCulture));

    private ValueTask<(int Count, DateTimeOffset At)> MissedAsync() => _database.ReadAsync(s => s.FirstAsync(
        "SELECT missed, last_missed_at FROM schedules", static r => (r.GetInt32(0), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(1)))), Cancel);
}
