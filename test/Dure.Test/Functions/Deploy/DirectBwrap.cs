using System.Diagnostics;
using System.Threading.Channels;
using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Test.Functions.Deploy;

/// <summary>Runs build commands in bubblewrap without a worker, so that builds are tested on their own.</summary>
internal static class DirectBwrap
{
    private static readonly string[] s_etc = ["/etc/passwd", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/alternatives"];

    public static string? Runtimes { get; } = FindUp("runtimes");

    public static Task<Outcome<BuildExit>> RunAsync(BuildStep step, Func<string, ValueTask> onLine, CancellationToken cancel) => RunAsync(step, onLine, null, cancel);

    /// <param name="uid">Another user than the test's own, when the test is root.</param>
    public static async Task<Outcome<BuildExit>> RunAsync(BuildStep step, Func<string, ValueTask> onLine, int? uid, CancellationToken cancel)
    {
        string[] user = uid is null ? [] : ["--reuid", $"{uid}", "--regid", $"{uid}", "--clear-groups", "bwrap"];
        var start = new ProcessStartInfo(uid is null ? "bwrap" : "setpriv", user) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in Arguments(step))
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var lines = Channel.CreateBounded<string>(1000);
        var readers = Task.WhenAll(PumpAsync(process.StandardOutput, lines.Writer), PumpAsync(process.StandardError, lines.Writer));
        var done = CompleteAsync(readers, lines.Writer);
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(cancel))
                await onLine(line);
            await process.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        await done;
        return new BuildExit(process.ExitCode, "exit", null);
    }

    private static IEnumerable<string> Arguments(BuildStep step)
    {
        // Without --die-with-parent: that parent is the thread that called, and the runtime ends idle threads.
        List<string> list = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--new-session", "--clearenv"];
        if (!step.HostNetwork && step.Spec.Network == SandboxNetwork.None)
            list.Add("--unshare-net");
        list.AddRange(["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin"]);
        foreach (var file in s_etc.Where(Path.Exists))
            list.AddRange(["--ro-bind", file, file]);
        list.AddRange(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
        if (Runtimes is not null)
            list.AddRange(["--ro-bind", Runtimes, "/dure/rt"]);
        foreach (var mount in step.Spec.Mounts)
            list.AddRange([mount.Writable ? "--bind" : "--ro-bind", mount.Source, mount.Target]);
        foreach (var (name, value) in step.Spec.Environment)
            list.AddRange(["--setenv", name, value]);
        return [.. list, "--", .. step.Spec.Command];
    }

    private static async Task PumpAsync(StreamReader reader, ChannelWriter<string> lines)
    {
        while (await reader.ReadLineAsync() is { } line)
            await lines.WriteAsync(line);
    }

    private static async Task CompleteAsync(Task readers, ChannelWriter<string> lines)
    {
        try
        {
            await readers;
        }
        finally
        {
            lines.Complete();
        }
    }

    private static string? FindUp(string name)
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.Exists(Path.Combine(folder, name, "python")))
                return Path.Combine(folder, name);
        }

        return null;
    }
}
