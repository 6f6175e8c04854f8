using System.Text.RegularExpressions;
using Dure.Functions.Api;
using Dure.Functions.Schedules;
using Dure.Functions.Workers;

namespace Dure.Functions.Trends;

/// <summary>How the invocations of the last day ended.</summary>
/// <param name="Since">The first moment that is counted.</param>
public sealed record LastDayView(DateTimeOffset Since, long Success, long Failed, long Cancelled, long Unknown);

/// <summary>Invocations of one function that failed alike.</summary>
/// <param name="Reason">Of the newest; they differ in numbers at most.</param>
/// <param name="Newest">The newest's id.</param>
public sealed record BrokenView(string Function, string State, string Reason, int Count, string Newest, DateTimeOffset NewestAt, DateTimeOffset OldestAt);

/// <summary>The next firing of a schedule.</summary>
public sealed record FiringView(string Function, string Cron, string TimeZone, DateTimeOffset At);

/// <summary>What the functions slice says in an overview.</summary>
/// <param name="Functions">In service.</param>
/// <param name="BrokenComplete">False when more failed than were looked at: the counts are those of the newest.</param>
/// <param name="LongestWaiting">In their first attempt, the longest first.</param>
public sealed record FunctionsNowView(int Functions, int Running, int Waiting, LastDayView LastDay, IReadOnlyList<BrokenView> Broken, bool BrokenComplete,
    IReadOnlyList<InvocationView> LongestWaiting, IReadOnlyList<FiringView> NextFirings, IReadOnlyList<MachineView> Machines);

/// <summary>Says how the functions of this server are doing, from memory where it can.</summary>
internal sealed partial class FunctionsNow(FunctionsContext context, TrendStore store, DayCounts day, ScheduleStore schedules, WorkersApi workers)
{
    private const int BrokenMost = 500;
    private const int GroupsMost = 8;
    private const int LinesMost = 5;
    private static readonly TimeSpan Lately = TimeSpan.FromHours(24);

    /// <summary>Looks; not for two at once.</summary>
    public async ValueTask<FunctionsNowView> ReadAsync(CancellationToken cancel)
    {
        var now = context.Time.GetUtcNow();
        var (since, counts) = await day.ReadAsync(cancel);
        var broken = counts[(int)InvocationState.Failed] + counts[(int)InvocationState.Unknown] == 0 ? [] : await store.BrokenAsync(now - Lately, BrokenMost, cancel);
        var waiting = await store.LongestWaitingAsync(LinesMost, cancel);
        var longest = waiting.Count == 0 ? [] : await context.Reader.ManyAsync(waiting, cancel);
        var machine = workers.View();
        return new FunctionsNowView(context.Catalog.All.Count(f => !f.Deleted), machine.Running, machine.Waiting,
            new LastDayView(since, counts[(int)InvocationState.Success], counts[(int)InvocationState.Failed], counts[(int)InvocationState.Cancelled], counts[(int)InvocationState.Unknown]),
            Group(broken), broken.Count < BrokenMost, [.. longest.Where(view => view.State == "PENDING")], await NextAsync(cancel), [machine]);
    }

    private List<BrokenView> Group(List<BrokenRow> rows)
    {
        // Rows of functions that are gone are told by the number that is left of them.
        var groups = rows.GroupBy(row => (row.Function, row.State, Alike: Number().Replace(row.Reason ?? "", "#")));
        return [.. groups.Select(group => (Rows: group, Newest: group.First(), Name: context.Catalog.Find(group.Key.Function)?.Name))
            .Where(group => group.Name is not null)
            .OrderByDescending(group => group.Newest.Id)
            .Take(GroupsMost)
            .Select(group => new BrokenView(group.Name!, group.Newest.State.Word(), group.Newest.Reason ?? "", group.Rows.Count(), InvocationId.Format(group.Newest.Id),
                group.Newest.FinishedAt, group.Rows.Min(row => row.FinishedAt)))];
    }

    private async ValueTask<List<FiringView>> NextAsync(CancellationToken cancel) =>
        [.. (await schedules.LoadAsync(cancel)).Where(schedule => schedule.NextAt is > 0 and < long.MaxValue)
            .Select(schedule => (Schedule: schedule, Function: context.Catalog.Find(schedule.Function)))
            .Where(one => one.Function is { Deleted: false, Live: not null })
            .OrderBy(one => one.Schedule.NextAt)
            .Take(LinesMost)
            .Select(one => new FiringView(one.Function!.Name, one.Schedule.Cron, one.Schedule.TimeZone, DateTimeOffset.FromUnixTimeMilliseconds(one.Schedule.NextAt)))];

    // Ids, addresses, sizes and times differ from one failure to the next.
    [GeneratedRegex("[0-9a-f]{8,}|[0-9]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Number();
}
