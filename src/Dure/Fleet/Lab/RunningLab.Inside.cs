using System.Globalization;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Fleet.Lab;

internal sealed partial class RunningLab
{
    private const string BallastName = ".dure-lab-ballast";
    private const int StopSignal = 19;

    // Signals that a process may live on after: SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH.
    private static readonly int[] Gentle = [1, 10, 12, 18, 28];

    /// <summary>Fills a machine's disk but for so many bytes.</summary>
    /// <param name="path">A folder on the disk: <c>/var</c>. A machine has one disk.</param>
    public async Task<Outcome<bool>> FillDiskAsync(string machine, string path, long leaveBytes, CancellationToken cancel)
    {
        const long slack = 4L << 20;
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var leader = found.Value.Leader;
        var before = await FreeBytesAsync(leader, path, cancel);
        if (!before.Ok)
            return before.Problem;
        var ballast = path.TrimEnd('/') + "/" + BallastName;
        if (found.Value.Machine.Ballast.Contains(ballast, StringComparer.Ordinal) || before.Value <= leaveBytes)
            return LabErrors.WrongState.With($"{path} of {machine} has {Number(before.Value)} bytes free.");
        // Recorded first: whoever frees the disk knows of it even when we end right here.
        var changed = await _folder.ChangeAsync(now => now.With(machine, of => of with { Ballast = [.. of.Ballast, ballast] }), cancel);
        if (!changed.Ok)
            return changed.Problem;
        // A file system needs a few blocks for itself, how many it does not say; and others write meanwhile.
        const string allocate = """
            for less in 0 1 2 3; do
                fallocate -l $(($1 - less * 1048576)) "$2" 2>/dev/null && break
                rm -f "$2"
            done
            [ -e "$2" ] || exit 1
            [ "$3" -gt 0 ] || cat /dev/zero >>"$2" 2>/dev/null || :
            """;
        string[] fill = ["sh", "-c", allocate, "fill", Number(before.Value - leaveBytes), ballast, Number(leaveBytes)];
        var ran = await InsideAsync(leader, fill, cancel);
        if (LabProgram.Failure(fill, ran) is { } failed)
            return failed;
        var after = await FreeBytesAsync(leader, path, cancel);
        return !after.Ok ? after.Problem
            : after.Value <= leaveBytes + slack ? true
            : LabErrors.NoEffect.With($"{path} of {machine} still has {Number(after.Value)} bytes free.");
    }

    /// <summary>Takes away what filled a machine's disk.</summary>
    public async Task<Outcome<bool>> FreeDiskAsync(string machine, CancellationToken cancel)
    {
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var files = found.Value.Machine.Ballast;
        if (files.Count == 0)
            return LabErrors.WrongState.With($"Nothing fills the disk of {machine}.");
        var ran = await InsideAsync(found.Value.Leader, ["rm", "-f", "--", .. files], cancel);
        if (LabProgram.Failure(["rm", .. files], ran) is { } failed)
            return failed;
        var changed = await _folder.ChangeAsync(now => now.With(machine, of => of with { Ballast = [] }), cancel);
        return changed.Ok ? true : changed.Problem;
    }

    /// <summary>Sends a signal to the main process of a unit, and sees that it had its effect: the process is gone, or stopped for SIGSTOP.</summary>
    /// <param name="unit">With its suffix: <c>haproxy.service</c>.</param>
    /// <param name="signal">Its number: 9 kills.</param>
    /// <returns>The process's id inside the machine.</returns>
    public async Task<Outcome<int>> KillProcessAsync(string machine, string unit, int signal, CancellationToken cancel)
    {
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var (record, target, leader) = found.Value;
        string[] ask = ["systemctl", "show", "--property=MainPID", "--value", "--", unit];
        var ran = await InsideAsync(leader, ask, cancel);
        if (LabProgram.Failure(ask, ran) is { } failed)
            return failed;
        if (!int.TryParse(ran.Output.Trim(), CultureInfo.InvariantCulture, out var inside) || inside <= 0)
            return LabErrors.WrongState.With($"{unit} has no main process on {machine}.");
        var process = new LabCgroup(record.Cgroup).Processes(target.Name).Where(pid => IdInside(pid) == inside).Select(ProcessMark.Of).FirstOrDefault();
        if (process is null || !Posix.Signal(process.Pid, signal))
            return LabErrors.WrongState.With($"The main process {inside} of {unit} on {machine} ended just now.");
        if (Gentle.Contains(signal))
            return inside;
        return await EventuallyAsync(() => Task.FromResult(signal == StopSignal ? process.IsStopped : !process.IsAlive), cancel)
            ? inside
            : LabErrors.NoEffect.With($"Process {inside} of {unit} on {machine} goes on after signal {signal}.");
    }

    // The second of the ids in /proc/PID/status: the first is ours, further ones are of namespaces inside the machine.
    private static int IdInside(int pid) =>
        ProcessMark.Text($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/status").Split('\n')
            .FirstOrDefault(line => line.StartsWith("NSpid:", StringComparison.Ordinal))?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, _, var id, ..]
            ? int.Parse(id, CultureInfo.InvariantCulture) : 0;

    private static async Task<Outcome<long>> FreeBytesAsync(ProcessMark leader, string path, CancellationToken cancel)
    {
        string[] words = ["df", "--block-size=1", "--output=avail", "--", path];
        var ran = await InsideAsync(leader, words, cancel);
        if (LabProgram.Failure(words, ran) is { } failed)
            return failed;
        return long.Parse(ran.Output.Trim().Split('\n')[^1], CultureInfo.InvariantCulture);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
