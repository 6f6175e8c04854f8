using System.Net;
using Dure.Fleet.Check;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Terminal;
using static Dure.Fleet.Check.Estimates.Answers;

namespace Dure.Fleet.Cutover;

/// <summary>From an old server to a fleet in eight steps, each answered from what was seen. Pure.</summary>
internal static class CutoverPlan
{
    private static readonly string[] DataRoles = ["etcd", "postgres", "redis", "galera", "gluster", "nfs"];
    private static readonly string[] DoorRoles = ["balancer", "edge"];
    private static readonly string[] WatchRoles = ["monitor", "firewall"];

    /// <param name="old">The server that is replaced, as it was named; empty for none.</param>
    /// <param name="to">Where clients are led to: the virtual address, else the first door.</param>
    public static IReadOnlyList<CutoverStep> Of(FleetModel fleet, string domain, string old, IPAddress? to, CutoverFacts facts)
    {
        var target = to?.ToString() ?? "the fleet's first door";
        var name = domain.Length > 0 ? domain : "the name that clients use";
        var server = old.Length > 0 ? old : "the old server";
        return
        [
            Prepare(facts),
            new("data", "The data tier runs and holds the data",
                [$"Copy {server}'s databases and files into the fleet while it goes on working: `pg_dump | psql`, `mariadb-dump | mariadb`, `rsync -aHAX`.", "Compare counts of rows and files on both sides, and note how long the copy took: the last one stops writes for as long."],
                $"{server} is still the only one that is written to. Drop the copy.",
                [.. Health(fleet, facts, DataRoles), new("copy", "The copy is complete", Answer.Unknown, "counts of rows and files on both sides, compared by people")]),
            new("application", "The application runs",
                ["Deploy functions, jobs and web content to the fleet (`dure fn deploy`, overlay), and call them by the virtual address."],
                "Nobody uses it yet: remove what was deployed.",
                [.. Health(fleet, facts, [.. RoleKinds.All.Select(role => role.Name).Except([.. DataRoles, .. DoorRoles, .. WatchRoles], StringComparer.Ordinal)])]),
            Balancer(fleet, target, facts),
            new("monitoring", "It is watched and was drilled",
                ["`dure drill all`, and mend what is missed.", "Make sure that an alert reaches somebody: stop a service, wait for the message."],
                "Nothing to take back.",
                [.. Health(fleet, facts, WatchRoles), .. facts.Readiness.Where(item => item.Id is "alerts" or "drill")]),
            Switch(name, server, target, to, facts),
            Watch(name, server, facts),
            Retire(name, server, old.Length > 0, to, facts),
        ];
    }

    private static CutoverStep Prepare(CutoverFacts facts) => new("prepare", "The fleet is ready to be filled",
        ["`dure check`, `dure apply`.", "A day before: set the lifetime (TTL) of the name's record to 60 seconds, so that the switch is seen within a minute.", "Take a backup of the old server and restore it somewhere: a backup that was never restored is a hope."],
        "Nothing has changed for anybody.",
        [
            new("check", "dure check finds no error", YesIf(facts.Errors == 0), facts.Errors == 0 ? "none" : $"{Words.Count(facts.Errors, "error")}: dure check"),
            new("reachable", "Every machine answers", YesIf(facts.Unreachable is null), facts.Unreachable ?? "over SSH"),
            new("applied", "The machines are as the file says", facts.Pending is { } pending ? YesIf(pending == 0) : Answer.Unknown, facts.Pending is { } count ? count == 0 ? "nothing to apply" : $"{Words.Count(count, "change")} to apply" : "the machines could not be asked"),
            .. facts.Readiness.Where(item => item.Id is "secrets" or "backup" or "restore" or "updates"),
        ]);

    private static CutoverStep Balancer(FleetModel fleet, string target, CutoverFacts facts)
    {
        var checks = new List<ReadinessItem>(Health(fleet, facts, DoorRoles));
        if (fleet.Front is not null && fleet.With("balancer").Count > 0)
        {
            checks.Add(new("holder", "One machine holds the virtual address", facts.Unreachable is null ? YesIf(facts.Holders.Count == 1) : Answer.Unknown,
                facts.Unreachable is not null ? "the machines could not be asked" : facts.Holders.Count == 0 ? "none does" : Words.List([.. facts.Holders])));
        }

        checks.Add(new("front", "The new front serves", facts.Front is { } front ? YesIf(front.Serves) : Answer.Unknown, facts.Front?.ToString() ?? "it was not asked"));
        if (facts.Certificate is { } certificate)
            checks.Add(new("certificate", "Clients take its certificate", YesIf(certificate.Fault is null), Words.Text($"{string.Join(", ", certificate.Fact.Names)} until {certificate.Fact.NotAfter:yyyy-MM-dd}{(certificate.Fault is { } fault ? $": {fault}" : "")}")));
        return new("balancer", "The door is open to those who know it",
            [$"Try it before anybody else does: `curl --resolve NAME:80:{target} http://NAME/`, or a line for it in your own /etc/hosts."],
            "Nobody is led there yet.",
            checks);
    }

    private static CutoverStep Switch(string name, string server, string target, IPAddress? to, CutoverFacts facts) => new("switch", $"{Capital(name)} leads to the fleet",
        [$"Stop writes on {server}, and copy the last time.", $"Set the record of {name} to {target}."],
        $"Set the record back to {server}. What was written in the fleet since then is not on {server}: copy it back, or accept that it is lost. Decide beforehand which.",
        [Leads(name, to, facts)]);

    private static ReadinessItem Leads(string name, IPAddress? to, CutoverFacts facts) => facts.Resolved is not { } resolved
        ? new("name", $"{Capital(name)} leads to {to?.ToString() ?? "the fleet"} only", Answer.Unknown, "no name was resolved: `fleet.domain` in dure.yaml, or --domain")
        : new("name", $"{Capital(name)} leads to {to?.ToString() ?? "the fleet"} only", to is null ? Answer.Unknown : YesIf(resolved.Count > 0 && resolved.All(address => address.Equals(to))),
            resolved.Count == 0 ? "it leads nowhere" : $"seen from here it leads to {Words.List([.. resolved.Select(address => address.ToString())])}");

    private static CutoverStep Watch(string name, string server, CutoverFacts facts) => new("watch", "Nobody complains",
        ["`dure cutover --watch 30m` asks through the name all the time and counts what fails. Look at the portal and at alerts meanwhile."],
        $"Set the record back to {server}, as in the step before. Decide now until when that is still possible.",
        [facts.Watched is not { } watched
            ? new("watched", $"Requests through {name} are answered", Answer.Unknown, "nobody watched: dure cutover --watch 30m")
            : new("watched", $"Requests through {name} are answered", YesIf(watched.Failed == 0 && watched.Sent > 0),
                Words.Text($"{watched.Sent} in {Phrase.Took(watched.Took.TotalMilliseconds)}, {watched.Failed} failed{(watched.LastFailure is { } last ? $" (last: {last})" : "")}, the slowest took {Phrase.Took(watched.LongestMs)}"))]);

    private static CutoverStep Retire(string name, string server, bool named, IPAddress? to, CutoverFacts facts) => new("retire", "The old server is off",
        [$"A week after the switch at the earliest: look at {server}'s access log for who still comes, then switch it off.", "Keep its disks for a month."],
        $"Switch {server} on again; its data is as old as the switch.",
        [
            Leads(name, to, facts),
            named
                ? new("silent", $"{server} serves nobody", facts.Old is { } answered ? YesIf(answered.Status is null) : Answer.Unknown, facts.Old?.ToString() ?? "it was not asked")
                : new("silent", $"{server} serves nobody", Answer.Unknown, "which one it is was not said: --old ADDRESS"),
        ]);

    private static IEnumerable<ReadinessItem> Health(FleetModel fleet, CutoverFacts facts, IReadOnlyList<string> roles)
    {
        foreach (var role in roles.Where(role => fleet.With(role).Count > 0))
        {
            var seen = facts.Health.Where(check => check.Role == role).ToList();
            var sick = seen.Where(check => !check.Healthy).Select(check => check.Machine).Distinct(StringComparer.Ordinal).ToList();
            if (seen.Count > 0 || facts.Unreachable is not null)
            {
                yield return new(role, $"{role} is healthy", seen.Count == 0 ? Answer.Unknown : YesIf(sick.Count == 0),
                    seen.Count == 0 ? "the machines could not be asked" : sick.Count > 0 ? $"not on {Words.List(sick)}" : $"on {Words.Names(fleet.With(role))}");
            }
        }
    }

    // A domain stays as it is written.
    private static string Capital(string name) => name.Contains('.', StringComparison.Ordinal) ? name : char.ToUpperInvariant(name[0]) + name[1..];
}
