using System.Diagnostics;

namespace Dure.Apps.Running;

/// <summary>One app's process, started again whenever it ends, a little later each time.</summary>
internal sealed class SupervisedChild : IAsyncDisposable
{
    private const long LogBytesMax = 16 << 20;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    private readonly AppRun _run;
    private readonly string _data;
    private readonly string _log;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _loop;
    private ProcessFacts _facts;

    public SupervisedChild(AppRun run, string data, string log, TimeProvider time)
    {
        (_run, _data, _log, _time) = (run, data, log, time);
        _facts = new($"child {run.Tag}", ProcessFacts.Restarting, null, 0, null);
        _loop = Task.Run(LoopAsync);
    }

    public ProcessFacts Facts => _facts;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task LoopAsync()
    {
        var delay = FirstDelay;
        while (!_ending.IsCancellationRequested)
        {
            Rotate();
            var began = _time.GetTimestamp();
            using (var process = Process.Start(Program())!)
            {
                _facts = _facts with { State = ProcessFacts.Running, Pid = process.Id, Since = _time.GetUtcNow() };
                try
                {
                    await process.WaitForExitAsync(_ending.Token);
                }
                catch (OperationCanceledException)
                {
                    // Whoever ends us ends the process, and what it started.
                    return;
                }

                await File.AppendAllTextAsync(_log, FormattableString.Invariant($"[dure] {_run.Tag} ended with {process.ExitCode}\n"));
            }

            delay = _time.GetElapsedTime(began) > LongestDelay ? FirstDelay : delay;
            _facts = _facts with { State = ProcessFacts.Restarting, Pid = null, Restarts = _facts.Restarts + 1 };
            await Task.Delay(delay, _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    private ProcessStartInfo Program()
    {
        // A session of its own: signals for the terminal of a server in the foreground are not for apps.
        var start = new ProcessStartInfo("setsid", ["-w", "sh", "-c", """log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null""", "sh", _log, "sh", Path.Combine(_run.Folder, "run")])
        {
            UseShellExecute = false,
            WorkingDirectory = Path.Combine(_run.Folder, "src"),
        };
        foreach (var (name, value) in _run.Environment())
            start.Environment[name] = value;
        start.Environment["HOME"] = _run.StateFolder;
        start.Environment["DURE_APP_ROOT"] = _data;
        return start;
    }

    private void Rotate()
    {
        if (new FileInfo(_log) is { Exists: true, Length: > LogBytesMax })
            File.Move(_log, _log + ".1", overwrite: true);
    }
}
