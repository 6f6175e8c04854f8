using System.Diagnostics;
using System.Globalization;
using Dure.Host;
using Dure.Host.Ssh;

namespace Dure.Edge;

/// <summary>Reads what the edge's nginx wrote about one app. What follows a question mark is left out: it may be a secret.</summary>
internal static class EdgeLogs
{
    /// <summary>What runs there; it ends when nobody listens any more.</summary>
    public static string Script(string id, int last, bool follow)
    {
        var files = Shell.Words([NginxSnippet.LogOf(id, "access"), NginxSnippet.LogOf(id, "error")]);
        var lines = last.ToString(CultureInfo.InvariantCulture);
        const string hide = "sed -u -E 's/\\?[^\" ]*/?.../g'";
        return follow
            ? $"setsid sh -c {Shell.Word($"tail -q -n {lines} -F {files} 2>/dev/null | {hide}")} & cat >/dev/null; kill -- -$!"
            : $"cat {files} >/dev/null 2>&1 || {{ echo 'nginx has no log of {id} there.' >&2; exit 1; }}; tail -q -n {lines} {files} | {hide}";
    }

    /// <summary>Passes the lines on, the oldest first, of requests and then of errors.</summary>
    /// <returns>Why there are none; null when they were read.</returns>
    public static async Task<Problem?> CopyAsync(SshTarget target, string id, int last, bool follow, Func<string, ValueTask> line, CancellationToken cancel)
    {
        using var ssh = Process.Start(target.Client(SshTarget.AsRoot($"sh -c {Shell.Word(Script(id, last, follow))}")))!;
        var complaints = ssh.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            while (await ssh.StandardOutput.ReadLineAsync(cancel) is { } read)
                await line(read);
            await ssh.WaitForExitAsync(cancel);
            return ssh.ExitCode == 0 ? null : EdgeErrors.NoLog.With($"{target.Machine}: {(await complaints).Trim().ReplaceLineEndings("; ")} (by hand: {target.ByHand})");
        }
        finally
        {
            // Its input ends: what follows there ends as well.
            ssh.StandardInput.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await ssh.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ssh.HasExited)
                ssh.Kill();
        }
    }
}
