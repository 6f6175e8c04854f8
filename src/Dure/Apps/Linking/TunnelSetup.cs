using Dure.Edge;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Programs;
using Dure.Host.Ssh;

namespace Dure.Apps.Linking;

/// <summary>Sets a tunnel up on both machines, looks at it, and takes it away. Each step does nothing where it was done.</summary>
internal sealed class TunnelSetup(AppsOptions apps, TimeProvider time)
{
    private static readonly TimeSpan UpWithin = TimeSpan.FromSeconds(40);

    /// <summary>Makes the key, the edge's user and the service, and waits until the edge gets through.</summary>
    /// <returns>Null when it does.</returns>
    public async Task<Problem?> SetUpAsync(Action<string> say, CancellationToken cancel)
    {
        if (!File.Exists(Tunnel.Key))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Tunnel.Key)!);
            var made = await HostProgram.RunAsync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dure-tunnel", "-f", Tunnel.Key], cancel);
            if (made.ExitCode != 0)
                return LinkErrors.NotUp.With($"ssh-keygen: {made.Why}");
        }

        say($"making {apps.Edge} ready");
        if (await OnEdgeAsync(Tunnel.EdgeScript(await File.ReadAllTextAsync(Tunnel.Key + ".pub", cancel)), cancel) is { } refused)
            return refused;
        await File.WriteAllTextAsync(Tunnel.UnitPath + ".dure-new", new Tunnel(apps).UnitText(), cancel);
        File.Move(Tunnel.UnitPath + ".dure-new", Tunnel.UnitPath, overwrite: true);
        foreach (var words in new[] { new[] { "daemon-reload" }, ["enable", "--quiet", Tunnel.Unit], ["restart", Tunnel.Unit] })
        {
            var ran = await HostProgram.RunAsync(["systemctl", .. words], cancel);
            if (ran.ExitCode != 0)
                return LinkErrors.NotUp.With($"systemctl {string.Join(' ', words)}: {ran.Why}");
        }

        say("waiting until the edge gets through");
        var began = time.GetTimestamp();
        while (!await StandsAsync(cancel))
        {
            if (time.GetElapsedTime(began) > UpWithin)
                return LinkErrors.NotUp.With($"{Tunnel.Unit}: {await LastWordsAsync(cancel)}");
            await Task.Delay(TimeSpan.FromMilliseconds(500), time, cancel);
        }

        return null;
    }

    /// <summary>Takes it away from both machines.</summary>
    public async Task<Problem?> RemoveAsync(CancellationToken cancel)
    {
        await HostProgram.RunAsync(["systemctl", "disable", "--quiet", "--now", Tunnel.Unit], cancel);
        File.Delete(Tunnel.UnitPath);
        await HostProgram.RunAsync(["systemctl", "daemon-reload"], cancel);
        if (await OnEdgeAsync(Tunnel.EdgeRemoval, cancel) is { } left)
            return left;
        File.Delete(Tunnel.Key);
        File.Delete(Tunnel.Key + ".pub");
        return null;
    }

    /// <summary>How the service stands, in words.</summary>
    public static async Task<(bool Ok, string Said)> LookAsync(CancellationToken cancel)
    {
        var state = (await HostProgram.RunAsync(["systemctl", "is-active", Tunnel.Unit], cancel)).Output.Trim();
        return (state == "active", state == "active" ? $"{Tunnel.Unit} is active" : $"{Tunnel.Unit} is {state}: {await LastWordsAsync(cancel)}");
    }

    // The service is active as soon as ssh runs; that the edge listens says that it is through.
    private async Task<bool> StandsAsync(CancellationToken cancel) => await OnEdgeAsync(FormattableString.Invariant($"ss -Hltn 'sport = :{apps.PortFirst}' | grep -q 127.0.0.1\n"), cancel) is null;

    private static async Task<string> LastWordsAsync(CancellationToken cancel) =>
        (await HostProgram.RunAsync(["journalctl", "-q", "--no-pager", "-o", "cat", "-n", "3", "-u", Tunnel.Unit], cancel)).Output.Trim().ReplaceLineEndings("; ");

    private async Task<Problem?> OnEdgeAsync(string script, CancellationToken cancel)
    {
        var ran = await SshSession.OnceAsync(SshTarget.Of(apps.Edge!, apps.SshConfig), script, cancel);
        if (!ran.Ok)
            return ran.Problem;
        var (code, said) = ran.Value;
        return code == 0 ? null : LinkErrors.EdgeRefused.With($"{apps.Edge}: {(said.Count == 0 ? FormattableString.Invariant($"the script ended with {code}") : string.Join("; ", said.TakeLast(5)))}");
    }
}
