using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dure.Host.Programs;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Apps.Running;

/// <summary>Apps as children of this server, for machines without systemd: each in a session of its own, started again when it ends. They end with the server.</summary>
internal sealed class ChildProcesses(string data, TimeProvider time) : IAppProcesses
{
    private const int Kill = 9;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, SupervisedChild> _children = new(StringComparer.Ordinal);

    public Task<Problem?> StartAsync(AppRun run, CancellationToken cancel)
    {
        Directory.CreateDirectory(run.StateFolder);
        Directory.CreateDirectory(Logs);
        _children.GetOrAdd(run.Tag, _ => new SupervisedChild(run, data, LogOf(run.Id, run.Number), time));
        return Task.FromResult<Problem?>(null);
    }

    public async Task<Problem?> RestartAsync(AppRun run, CancellationToken cancel)
    {
        await EndAsync(run.Tag);
        return await StartAsync(run, cancel);
    }

    public Task StopAsync(string id, int number) => EndAsync(AppRun.TagOf(id, number));

    public async Task RemoveAsync(string id, int number)
    {
        await EndAsync(AppRun.TagOf(id, number));
        foreach (var log in new[] { LogOf(id, number), LogOf(id, number) + ".1" })
        {
            if (File.Exists(log))
                File.Delete(log);
        }
    }

    // It lies in the app's own folder.
    public Task RemoveStateAsync(string id) => Task.CompletedTask;

    public Task<ProcessFacts> LookAsync(string id, int number, CancellationToken cancel)
    {
        var tag = AppRun.TagOf(id, number);
        return Task.FromResult(_children.TryGetValue(tag, out var child) ? child.Facts : new ProcessFacts($"child {tag}", ProcessFacts.Absent, null, 0, null));
    }

    public async IAsyncEnumerable<string> LinesAsync(string id, int number, int last, bool follow, [EnumeratorCancellation] CancellationToken cancel)
    {
        var log = LogOf(id, number);
        if (!File.Exists(log))
            yield break;
        string[] words = ["tail", "-n", FormattableString.Invariant($"{last}"), .. follow ? new[] { "-F" } : [], "--", log];
        await foreach (var line in HostProgram.LinesAsync(words, cancel))
            yield return line;
    }

    public async Task SweepAsync(IReadOnlySet<string> needed) => await EndPidsAsync(_ => true);

    public async ValueTask DisposeAsync() => await Task.WhenAll(_children.Keys.Select(EndAsync));

    private string Logs => Path.Combine(data, "logs", "apps");

    private string LogOf(string id, int number) => Path.Combine(Logs, AppRun.TagOf(id, number) + ".log");

    private async Task EndAsync(string tag)
    {
        if (_children.TryRemove(tag, out var child))
            await child.DisposeAsync();
        await EndPidsAsync(found => found == tag);
    }

    // Whatever the app started ends with it, whoever its parent is by now.
    private async Task EndPidsAsync(Func<string, bool> wanted)
    {
        var began = time.GetTimestamp();
        var signal = Posix.Terminate;
        while (AppPids.Where(wanted, data) is { Count: > 0 } left)
        {
            foreach (var pid in left)
                Posix.Signal(pid, time.GetElapsedTime(began) > Grace ? Kill : signal);
            signal = 0;
            await Task.Delay(TimeSpan.FromMilliseconds(50), time);
        }
    }
}
