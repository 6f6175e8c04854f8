using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using Dure.Edge.Foreign;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Ssh;

namespace Dure.Edge;

/// <summary>What an address shows.</summary>
/// <param name="Tag">The version that says so, as <see cref="AppRoute.Tag"/>; null when none does.</param>
/// <param name="Status">Of HTTP; 0 when nothing answers.</param>
/// <param name="Why">Nothing answers.</param>
public readonly record struct ShownVersion(string? Tag, int Status, string Why)
{
    /// <summary>Whether it is this route's version, and well; a stranger, as we are, is refused where not everybody may enter.</summary>
    public bool Is(AppRoute route) => Tag == route.Tag && (route.IsGuarded ? Status == 401 : Status < 400);

    /// <summary>In words, without a full stop.</summary>
    public string At(Uri address) => Status == 0 ? $"{address} cannot be reached: {Why}" : FormattableString.Invariant($"{address} answers {Status} from {Tag ?? "something that is not Dure's"}");
}

/// <summary>
/// The edge machine: nginx at a public address, changed over the user's OpenSSH. A change is written beside the configuration that holds, tested by nginx itself, reloaded and probed at the
/// public address; when a step fails, all of it is undone. Nothing but files of our own is touched.
/// </summary>
[SuppressMessage("Security", "CA5359", Justification = "Whether the way is right is asked here; what the certificate is worth is told by the doctor.")]
public sealed class EdgeMachine : IDisposable
{
    private const int AgainMost = 5;

    private static readonly TimeSpan ProbeWithin = TimeSpan.FromSeconds(10);

    private readonly SshTarget _target;
    private readonly EdgeScript _script;
    private readonly string? _publicUrl;
    private readonly TimeProvider _time;
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // A connection of before the reload is served by what was before.
        PooledConnectionLifetime = TimeSpan.Zero,
        // Whether the way is right is asked here; what the certificate is worth is told by the doctor.
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    private EdgeMachine(SshTarget target, EdgeScript script, string? publicUrl, TimeProvider time) => (_target, _script, _publicUrl, _time) = (target, script, publicUrl, time);

    /// <summary>As ssh knows it.</summary>
    public string Name => _target.Host;

    /// <summary>What a person can type to see for himself.</summary>
    public string ByHand => _target.ByHand;

    /// <summary>The edge that the configuration names; null when it names none.</summary>
    public static EdgeMachine? Of(AppsOptions apps, TimeProvider time)
    {
        if (apps.Edge is null)
            return null;
        return new(SshTarget.Of(apps.Edge, apps.SshConfig), new EdgeScript(apps.EdgeFolder, apps.EdgeHttpFolder), apps.PublicUrl, time);
    }

    /// <summary>What people open for a route; null when nobody said.</summary>
    public Uri? AddressOf(AppRoute route) => _publicUrl is null ? null : new Uri(_publicUrl + route.Prefix);

    /// <summary>Shows a route to the world.</summary>
    /// <param name="health">Below the route's prefix; asked for at the public address afterwards.</param>
    /// <returns>Null when the world sees it; else why not, and everything is as it was.</returns>
    public async Task<Problem?> PutAsync(AppRoute route, string health, CancellationToken cancel)
    {
        var opened = SshSession.Open(_target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        return await SayAsync(session, _script.Put(route), route, cancel) ?? await ProveAsync(session, route, health, cancel);
    }

    /// <summary>Locations that somebody else wrote and that pass requests on, and what could not be read.</summary>
    public async Task<Outcome<(IReadOnlyList<ForeignLocation> Locations, IReadOnlyList<string> Unread)>> ForeignAsync(CancellationToken cancel)
    {
        var opened = SshSession.Open(_target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        var read = await ReadAsync(session, ForeignScript.Nobody, cancel);
        return read.Ok ? (new ForeignLocations(read.Value, _script.Folder).All(), [.. read.Value.Faults.Select(fault => fault.ToString())]) : read.Problem;
    }

    /// <summary>Shows a route to the world in the place of locations that somebody else wrote: they leave their files, and the route's snippet is put in, at once.</summary>
    /// <param name="port">Where those locations lead.</param>
    /// <param name="copied">Told each file that was changed, and its copy.</param>
    /// <returns>Null when the world sees it; else why not, and everything is as it was.</returns>
    public async Task<Problem?> AdoptAsync(AppRoute route, string health, int port, Func<string, string, ValueTask> copied, CancellationToken cancel)
    {
        var opened = SshSession.Open(_target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        var read = await ReadAsync(session, route.Id, cancel);
        if (!read.Ok)
            return read.Problem;
        var without = new ForeignLocations(read.Value, _script.Folder).Without(route.Prefix.TrimEnd('/'), port);
        if (!without.Ok)
            return without.Problem;
        var told = new List<string>();
        // None is left when this was cut off after everything was shown.
        var take = without.Value.Count == 0 ? null : ForeignScript.Take(without.Value, read.Value.Includes, EdgeScript.Upstream(route, health));
        if (await SayAsync(session, _script.Put(route, take), route, cancel, told) is { } refused)
        {
            await InsistAsync(session, _script.Settle(route.Id), route, cancel);
            return refused;
        }

        if (await ProveAsync(session, route, health, cancel) is { } unproven)
            return unproven;
        foreach (var line in told.Where(line => line.StartsWith(ForeignScript.CopiedMark, StringComparison.Ordinal)))
        {
            if (line[ForeignScript.CopiedMark.Length..].Split('|') is [var file, var copy])
                await copied(file, copy);
        }

        return null;
    }

    private async Task<Outcome<NginxConfiguration>> ReadAsync(SshSession session, string id, CancellationToken cancel)
    {
        var packed = new List<string>();
        var ran = await session.RunAsync(_script.Read(id), packed.Add, cancel);
        if (!ran.Ok)
            return ran.Problem;
        if (ran.Value != 0)
            return (ran.Value == EdgeScript.NoNginx ? EdgeErrors.NginxMissing : EdgeErrors.Refused).With($"{Name}: {string.Join('\n', packed.TakeLast(20))}");
        return NginxConfiguration.Parse(NginxConfiguration.Bytes.GetString(Convert.FromBase64String(string.Concat(packed))));
    }

    private async Task<Problem?> ProveAsync(SshSession session, AppRoute route, string health, CancellationToken cancel)
    {
        if (await SeenAsync(route, health, session, cancel) is { } unseen)
            return await InsistAsync(session, _script.Undo(route.Id), route, cancel) is { } worse ? EdgeErrors.Refused.With($"{unseen} Undoing it failed, too: {worse.Detail}") : EdgeErrors.NotSeen.With(unseen);
        return await InsistAsync(session, _script.Keep(route.Id), route, cancel);
    }

    // What the edge shows and what runs must not part because a session broke in between.
    private async Task<Problem?> InsistAsync(SshSession session, string script, AppRoute route, CancellationToken cancel)
    {
        var problem = await SayAsync(session, script, route, cancel);
        for (var again = 0; again < AgainMost && (problem?.Kind == SshErrors.SessionLost || problem?.Kind == SshErrors.Unreachable); again++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1 + again), _time, cancel);
            var opened = SshSession.Open(_target);
            if (!opened.Ok)
                continue;
            await using var next = opened.Value;
            problem = await SayAsync(next, script, route, cancel);
        }

        return problem;
    }

    /// <summary>Hides an app from the world; its file is gone, and the cache with the last of them.</summary>
    public async Task<Problem?> RemoveAsync(AppRoute route, CancellationToken cancel)
    {
        var opened = SshSession.Open(_target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        return await SayAsync(session, _script.Remove(route.Id), route, cancel);
    }

    /// <summary>Shows the index, or takes it away when it is empty.</summary>
    public async Task<Problem?> PutIndexAsync(IndexFiles index, CancellationToken cancel)
    {
        var opened = SshSession.Open(_target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        var there = new List<string>();
        var listed = await session.RunAsync(IndexScript.List, there.Add, cancel);
        if (!listed.Ok)
            return listed.Problem;
        var said = new List<string>();
        var put = await session.RunAsync(_script.PutIndex(index, there), said.Add, cancel);
        return !put.Ok ? put.Problem : put.Value == 0 ? null : EdgeErrors.Refused.With($"{Name}, the index: {string.Join('\n', said.TakeLast(20))}");
    }

    /// <summary>What there is of a route on the edge, as names and values.</summary>
    /// <param name="asleep">Whoever would wake it is asked in its place.</param>
    public async Task<Outcome<Dictionary<string, string>>> LookAsync(AppRoute route, string health, bool asleep, CancellationToken cancel)
    {
        var opened = SshSession.Open(_target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        var ran = await session.RunAsync(_script.Look(route, health, asleep), line =>
        {
            if (line.Split(' ', 2) is [var name, var value])
                seen[name] = value;
        }, cancel);
        return ran.Ok ? seen : ran.Problem;
    }

    /// <summary>Passes on what nginx wrote about an app, and with <paramref name="follow"/> what it will.</summary>
    public Task<Problem?> CopyLogsAsync(string id, int last, bool follow, Func<string, ValueTask> line, CancellationToken cancel) => EdgeLogs.CopyAsync(_target, id, last, follow, line, cancel);

    /// <summary>What the public address shows.</summary>
    public async Task<ShownVersion> ProbeAsync(AppRoute route, string health, CancellationToken cancel)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(AddressOf(route)!, health), HttpCompletionOption.ResponseHeadersRead, cancel);
            return new(answer.Headers.TryGetValues(AppRoute.VersionHeader, out var tags) ? string.Join(',', tags) : null, (int)answer.StatusCode, "");
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return new(null, 0, failed.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string?> SeenAsync(AppRoute route, string health, SshSession session, CancellationToken cancel)
    {
        if (AddressOf(route) is not { } address)
            return null;
        var began = _time.GetTimestamp();
        var shown = await ProbeAsync(route, health, cancel);
        while (!shown.Is(route) && _time.GetElapsedTime(began) < ProbeWithin)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), _time, cancel);
            shown = await ProbeAsync(route, health, cancel);
            // Behind a home router one's own public address may not be reachable; the edge can ask for it.
            if (shown.Status == 0)
                shown = await FromEdgeAsync(new Uri(address, health), session, shown.Why, cancel);
        }

        return shown.Is(route) ? null : shown.Status == 0 ? $"{shown.At(address)}." : $"{shown.At(address)}, not from {route.Tag}.";
    }

    private static async Task<ShownVersion> FromEdgeAsync(Uri address, SshSession session, string why, CancellationToken cancel)
    {
        string? tag = null;
        var status = 0;
        await session.RunAsync($"curl -sk --max-time 5 -o /dev/null -D - {Shell.Word(address.AbsoluteUri)}", line =>
        {
            if (line.StartsWith("HTTP/", StringComparison.Ordinal) && line.Split(' ') is [_, var code, ..])
                _ = int.TryParse(code, System.Globalization.CultureInfo.InvariantCulture, out status);
            else if (line.StartsWith(AppRoute.VersionHeader + ":", StringComparison.OrdinalIgnoreCase))
                tag = line[(AppRoute.VersionHeader.Length + 1)..].Trim();
        }, cancel);
        return new(tag, status, why);
    }

    private async Task<Problem?> SayAsync(SshSession session, string script, AppRoute route, CancellationToken cancel, List<string>? said = null)
    {
        said ??= [];
        var ran = await session.RunAsync(script, said.Add, cancel);
        if (!ran.Ok)
            return ran.Problem;
        var text = string.Join('\n', said.TakeLast(20));
        return ran.Value switch
        {
            0 => null,
            EdgeScript.NoNginx => EdgeErrors.NginxMissing.With($"{Name}: {text}"),
            ForeignScript.Changed => ForeignErrors.Changed.With($"{Name}: {text}"),
            ForeignScript.Unreached => ForeignErrors.Unreached.With($"{Name}: {text}"),
            EdgeScript.NoWaf => EdgeErrors.WafMissing.With($"{Name}: {text}"),
            EdgeScript.Taken => EdgeErrors.PathTaken.With($"{Name}: {route.Prefix} is a location in {text}."),
            _ => EdgeErrors.Refused.With($"{Name}: {text}"),
        };
    }
}
