using System.Globalization;
using Dure.Fleet.Apply;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>
/// The web machines in two halves. Green is upgraded while blue has all requests; then all requests go to green at once and blue stays as it is. When green is not well during the time that it is
/// watched, one switch brings blue back; when it is, blue is upgraded too.
/// </summary>
/// <param name="watch">How long green has all requests before blue is touched.</param>
internal sealed class BlueGreenRun(FleetMembers fleet, IReadOnlyList<MachineSession> chosen, UpgradeWork work, WebDoor door, TimeSpan watch, TimeProvider time, Action<string> say)
{
    private readonly FleetGate _gate = new(fleet);
    private readonly List<MachineUpgrade> _ended = [];

    public async Task<UpgradeReport> RunAsync(CancellationToken cancel)
    {
        say("the whole fleet's checks");
        var answer = await _gate.AskAsync(cancel);
        if (!answer.Healthy)
            return Report(UpgradeRun.Unhealthy(answer));
        var order = UpgradeOrder.Of([.. chosen.Select(machine => UpgradeRun.Waiting(machine, answer.Leads))]).Select(next => chosen.Single(machine => machine.Machine.Name == next.Machine)).ToList();
        var (green, blue) = (order[..(order.Count / 2)], order[(order.Count / 2)..]);
        say($"green is {Names(green)}, blue is {Names(blue)}");

        if (await door.DrainAsync(green, cancel) is { } shut)
            return await OpenedAsync(shut, cancel);
        if (await HalfAsync(green, cancel) is { } failed)
            return await BlueAgainAsync(green, failed, cancel);
        say($"all requests go to {Names(green)}");
        if (await door.SwitchAsync(blue, cancel) is { } stuck)
            return await BlueAgainAsync(green, stuck.Detail, cancel);
        if (await WatchAsync(green, cancel) is { } unwell)
            return await BlueAgainAsync(green, unwell, cancel);
        say($"{Names(green)} is well; now {Names(blue)}");
        if (await door.DrainAsync(blue, cancel) is { } open)
            return await OpenedAsync(open, cancel);
        await HalfAsync(blue, cancel);
        return await OpenedAsync(null, cancel);
    }

    private static string Names(IEnumerable<MachineSession> machines) => string.Join(", ", machines.Select(machine => machine.Machine.Name));

    /// <summary>One half, one machine after another; why it stopped, or null.</summary>
    private async Task<string?> HalfAsync(IReadOnlyList<MachineSession> half, CancellationToken cancel)
    {
        foreach (var machine in half)
        {
            var one = await work.DoAsync(machine, cancel);
            if (one.End == UpgradeEnd.Upgraded && await door.DirectAsync([machine], WebDoor.Patience, cancel) is { } silent)
                one = await UpgradeRun.ReturnAsync(work, one, [silent.Detail], say, cancel);
            _ended.Add(one);
            if (one.End != UpgradeEnd.Upgraded)
                return one.Problem!.Detail;
        }

        return null;
    }

    /// <summary>Why green is not well; null when it was for the whole time.</summary>
    private async Task<string?> WatchAsync(IReadOnlyList<MachineSession> green, CancellationToken cancel)
    {
        say(string.Create(CultureInfo.InvariantCulture, $"watches {Names(green)} for {watch.TotalSeconds} s"));
        var began = time.GetTimestamp();
        do
        {
            if (await door.DirectAsync(green, again: 1, cancel) is { } silent)
                return silent.Detail;
            // Requests are at stake: nothing is waited for.
            var answer = await _gate.AskAsync(cancel, TimeSpan.FromSeconds(2));
            if (!answer.Healthy)
                return string.Join("; ", answer.Failing);
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
        }
        while (time.GetElapsedTime(began) < watch);
        return null;
    }

    /// <summary>Blue has all requests again, and green's machines that were upgraded return.</summary>
    private async Task<UpgradeReport> BlueAgainAsync(IReadOnlyList<MachineSession> green, string why, CancellationToken cancel)
    {
        say($"{Names(green)} gets no requests any more: {why}");
        var shut = await door.SwitchAsync(green, cancel);
        for (var i = 0; i < _ended.Count; i++)
        {
            if (_ended[i].End == UpgradeEnd.Upgraded)
                _ended[i] = await UpgradeRun.ReturnAsync(work, _ended[i], [why], say, cancel);
        }

        // A machine that could not be brought back to what it was gets no requests before somebody has looked at it; its timer is the only thing that lets it in.
        return _ended.Exists(one => one.End == UpgradeEnd.Failed) ? Report(shut) : await OpenedAsync(shut, cancel);
    }

    private async Task<UpgradeReport> OpenedAsync(Problem? problem, CancellationToken cancel)
    {
        var closed = await door.OpenAsync(cancel);
        if (problem is not null || closed is not null || _ended.Exists(one => one.Problem is not null))
            return Report(problem ?? closed);
        say("the whole fleet's checks at the end");
        var answer = await _gate.AskAsync(cancel);
        return answer.Healthy ? Report(null, answer.Checks) : Report(UpgradeRun.Unhealthy(answer));
    }

    private UpgradeReport Report(Problem? problem, int checks = 0) =>
        new([.. _ended, .. chosen.Where(machine => _ended.TrueForAll(one => one.Machine != machine)).Select(UpgradeRun.NotBegun)], problem, checks);
}
