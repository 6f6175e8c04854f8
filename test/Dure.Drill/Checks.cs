using System.Globalization;
using System.Text.Json.Nodes;
using Dure.Test.Functions.Engine;

namespace Dure.Drill;

/// <summary>What must hold when everything has settled.</summary>
internal sealed class Checks(EngineClient client, Traffic traffic, Marks marks)
{
    private static readonly TimeSpan SettlesWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(2);

    /// <summary>Violations, a sentence each.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Final states and how many promised calls are in each.</summary>
    public SortedDictionary<string, int> States { get; } = new(StringComparer.Ordinal);

    /// <summary>Attempts of all promised calls.</summary>
    public int AttemptCount { get; private set; }

    /// <summary>Seconds from the last fault until nothing ran or waited any more.</summary>
    public double SettledAfter { get; private set; }

    /// <summary>Looks at everything twice.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        await SettleAsync(cancel);
        var first = await ViewsAsync(cancel);
        await Task.Delay(Between, cancel);
        var second = await ViewsAsync(cancel);
        foreach (var (id, view) in first)
        {
            if (second[id].ToJsonString() != view.ToJsonString())
                Violations.Add($"{id} changed after it had ended: {view.ToJsonString()} became {second[id].ToJsonString()}");
        }
        foreach (var promised in traffic.Promised)
            await CheckAsync(promised, first[promised.Id], cancel);
        CheckMarks(traffic.Promised.ToDictionary(p => p.Number, p => (int?)first[p.Id]["attempt"] ?? 0));
        foreach (var wrong in traffic.Wrong)
            Violations.Add(wrong);
    }

    private async Task SettleAsync(CancellationToken cancel)
    {
        var begun = Marks.Now;
        while (Marks.Now - begun < SettlesWithin.TotalSeconds)
        {
            var open = await client.GetAsync("/api/invocations?state=pending&limit=1", cancel);
            var running = await client.GetAsync("/api/invocations?state=processing&limit=1", cancel);
            SettledAfter = Marks.Now - begun;
            if (open["items"]!.AsArray().Count + running["items"]!.AsArray().Count == 0)
                return;
            await Task.Delay(100, cancel);
        }
        Violations.Add($"after {SettlesWithin.TotalSeconds} s without a fault something still waits or runs");
    }

    private async Task<Dictionary<string, JsonNode>> ViewsAsync(CancellationToken cancel)
    {
        var views = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var id in traffic.Promised.Select(p => p.Id).Distinct(StringComparer.Ordinal))
            views[id] = await client.ViewAsync(id, cancel);
        return views;
    }

    private async Task CheckAsync(Acknowledged promised, JsonNode view, CancellationToken cancel)
    {
        var state = (string?)view["state"];
        if (state is null)
        {
            Violations.Add($"{promised.Id} was acknowledged and is lost");
            return;
        }
        States[state] = States.GetValueOrDefault(state) + 1;
        var attempts = view["attempts"]!.AsArray();
        AttemptCount += attempts.Count;
        if (state is "PENDING" or "PROCESSING")
            Violations.Add($"{promised.Id} never ended: {view.ToJsonString()}");
        else if (state != "SUCCESS")
            Violations.Add($"{promised.Id} ended {state}: {(string?)view["reason"]}");
        else if (((string?)attempts[^1]!["outcome"], attempts.Count) != ("success", (int)view["attempt"]!))
            Violations.Add($"{promised.Id} succeeded, but its attempts say {attempts.ToJsonString()}");
        if (promised.Answered && state != "SUCCESS")
            Violations.Add($"{promised.Id} had been answered with a result and is now {state}");
        if (state == "SUCCESS" && (long?)JsonNode.Parse(await client.TextAsync($"/api/invocations/{promised.Id}/result", cancel))?["twice"] != promised.Number * 2)
            Violations.Add($"{promised.Id} has the result of another call");
        if (attempts.Count(a => (string?)a!["outcome"] == "success") > 1)
            Violations.Add($"{promised.Id} succeeded more than once");
    }

    private void CheckMarks(Dictionary<long, int> recorded)
    {
        foreach (var call in marks.ByCall())
        {
            var attempts = call.OrderBy(a => a.Attempt).ToList();
            foreach (var (attempt, seen) in attempts.Where(a => a.Seen.Starts > 1))
                Violations.Add(string.Create(CultureInfo.InvariantCulture, $"call {call.Key} began attempt {attempt} {seen.Starts} times"));
            foreach (var (before, after) in attempts.Zip(attempts.Skip(1)))
            {
                if (before.Seen.Last > after.Seen.Began)
                    Violations.Add(string.Create(CultureInfo.InvariantCulture,
                        $"call {call.Key}: attempt {before.Attempt} still worked {(before.Seen.Last - after.Seen.Began) * 1000:0} ms after attempt {after.Attempt} had begun"));
            }
            if (recorded.TryGetValue(call.Key, out var count) && attempts.Sum(a => a.Seen.Starts) > count)
                Violations.Add(string.Create(CultureInfo.InvariantCulture, $"call {call.Key} began {attempts.Sum(a => a.Seen.Starts)} times but only {count} attempts are recorded"));
        }
    }
}
