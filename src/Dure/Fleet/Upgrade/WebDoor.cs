using System.Globalization;
using Dure.Fleet.Apply;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Web;
using Dure.Fleet.Roles;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>
/// Which web machines the balancers send requests to. They are told at HAProxy's own socket, with nothing but the Perl that every Debian has. A balancer that is told to leave a
/// machine out also gets a timer that ends this, so that nobody stays out when the upgrade is cut short.
/// </summary>
/// <param name="drain">Longest wait for the sessions of a machine that is left out.</param>
internal sealed class WebDoor(FleetMembers fleet, TimeSpan drain, Action<string> say)
{
    /// <summary>A machine that was left out comes back by itself after this.</summary>
    private const int BackMinutes = 30;

    /// <summary>How often a machine is asked again that was upgraded a moment ago.</summary>
    public const int Patience = 5;

    private const string Functions = """
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
        admin() { perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die "admin.sock: $!\n"; print $s "$ARGV[0]\n"; $s->flush; print while <$s>' "$1" 2>&1; }
        # told COMMANDS: HAProxy answers nothing when it does as it is told
        told() { o=$(admin "$1") && [ -z "$(printf %s "$o" | tr -d ' \n')" ] || { printf 'refused\t%s\n' "$(printf %s "$o" | tr '\t\n' '  ')"; exit 1; }; }

        """;

    private static readonly string[] Backends = ["web", "web_sockets"];

    private IReadOnlyList<MachineSession> Balancers => fleet.With(BalancerRole.Name);

    public IReadOnlyList<MachineSession> Web => fleet.With(WebRole.Name);

    /// <summary>Balancers pass requests on to it, and there are others that can have them meanwhile.</summary>
    public bool Serves(MachineSession machine, IReadOnlyCollection<MachineSession> besides) =>
        machine.Machine.Has(WebRole.Name) && Balancers.Count > 0 && Web.Any(other => !besides.Contains(other));

    /// <summary>No new requests go to these machines, and all others have them; waits until what is open has ended, but no longer than the limit.</summary>
    public async Task<Problem?> DrainAsync(IReadOnlyList<MachineSession> machines, CancellationToken cancel)
    {
        var names = string.Join(", ", machines.Select(machine => machine.Machine.Name));
        say($"{names}: no new requests");
        if (await SwitchAsync(machines, cancel) is { } shut)
            return shut;
        var left = 0;
        var wanted = string.Join('|', machines.Select(machine => machine.Machine.Name));
        // Fields of `show stat` (management.txt, 9.1): backend, server, queued, most queued, sessions that are open.
        var wait = Functions + string.Create(CultureInfo.InvariantCulture, $$"""
            e=$(($(date +%s)+{{(int)Math.Ceiling(drain.TotalSeconds)}}))
            while :; do
              c=$(admin 'show stat' | awk -F , '$1 ~ /^({{string.Join('|', Backends)}})$/ && $2 ~ /^({{wanted}})$/ { n += $3 + $5 } END { print n + 0 }')
              [ "$c" != 0 ] && [ "$(date +%s)" -lt $e ] || break
              sleep 0.3
            done
            printf 'open\t%s\n' "$c"
            """);
        foreach (var answer in await Task.WhenAll(Balancers.Select(balancer => AskAsync(balancer, wait, cancel))))
        {
            if (answer.Problem is { } problem)
                return problem;
            left += answer.Value.Where(line => line.StartsWith("open\t", StringComparison.Ordinal)).Sum(line => int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture));
        }

        say(left == 0 ? $"{names}: no session is open any more" : string.Create(CultureInfo.InvariantCulture, $"{names}: {left} sessions are still open after {drain.TotalSeconds} s, and are cut"));
        return null;
    }

    /// <summary>New requests go to every web machine but these, from one moment to the next on each balancer; open ones stay where they are.</summary>
    public async Task<Problem?> SwitchAsync(IReadOnlyList<MachineSession> without, CancellationToken cancel)
    {
        var ready = Commands(Web, "ready");
        // Those that come in come first: nobody is without a machine in between.
        var commands = string.Join(';', new[] { Commands([.. Web.Except(without)], "ready"), Commands(without, "drain") }.Where(text => text.Length > 0));
        var arm = without.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"""
            mkdir -p {MachineTarget.StateFolder}; cat >{MachineTarget.StateFolder}/undrain.sh <<'UNDRAIN'
            {Functions}told '{ready}'
            UNDRAIN
            # Always another name: one that was stopped a moment ago may not be forgotten yet.
            systemd-run --quiet --collect --on-active={BackMinutes}m --unit=dure-undrain-$(date +%s%N) sh {MachineTarget.StateFolder}/undrain.sh 2>&1 || exit 1

            """);
        var script = $"{Functions}systemctl stop 'dure-undrain-*.timer' 2>/dev/null\n{arm}told '{commands}'\n";
        foreach (var answer in await Task.WhenAll(Balancers.Select(balancer => AskAsync(balancer, script, cancel))))
        {
            if (answer.Problem is { } problem)
                return problem;
        }

        return null;
    }

    /// <summary>Everybody is in again.</summary>
    public Task<Problem?> OpenAsync(CancellationToken cancel) => SwitchAsync([], cancel);

    /// <summary>Asks machines from every balancer, past HAProxy.</summary>
    /// <param name="again">How often one is asked again that does not answer.</param>
    public async Task<Problem?> DirectAsync(IReadOnlyList<MachineSession> machines, int again, CancellationToken cancel)
    {
        var port = fleet.Model.Get(WebSettings.Port).ToString(CultureInfo.InvariantCulture);
        var script = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH\n" + string.Concat(machines.Select(machine =>
            $"o=$(curl -fsS -o /dev/null --retry {again.ToString(CultureInfo.InvariantCulture)} --retry-delay 1 --retry-connrefused --max-time 5 http://{Quoting.Host(fleet.Model.AddressOf(machine.Machine))}:{port}{WebRole.HealthPath} 2>&1) || printf 'silent\\t{machine.Machine.Name}\\t%s\\n' \"$o\"\n"));
        foreach (var (balancer, answer) in Balancers.Zip(await Task.WhenAll(Balancers.Select(balancer => AskAsync(balancer, script, cancel)))))
        {
            if (answer.Problem is { } problem)
                return problem;
            if (answer.Value.FirstOrDefault(line => line.StartsWith("silent\t", StringComparison.Ordinal))?.Split('\t') is [_, var machine, var text])
                return UpgradeErrors.NotHealthy.With($"{machine} does not answer {balancer.Machine.Name}: {text}");
        }

        return null;
    }

    private static string Commands(IReadOnlyList<MachineSession> machines, string state) =>
        string.Join(';', machines.SelectMany(machine => Backends.Select(backend => $"set server {backend}/{machine.Machine.Name} state {state}")));

    private static async Task<Outcome<List<string>>> AskAsync(MachineSession balancer, string script, CancellationToken cancel)
    {
        var lines = new List<string>();
        var ran = await balancer.RunAsync(script, lines.Add, cancel);
        if (!ran.Ok)
            return ran.Problem;
        return ran.Value == 0 ? lines : UpgradeErrors.DoorShut.With($"{balancer.Machine.Name}: {string.Join("; ", lines.DefaultIfEmpty("the script failed")).Replace("refused\t", "", StringComparison.Ordinal)}");
    }
}
