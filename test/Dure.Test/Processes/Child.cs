using System.Collections.Concurrent;
using System.Diagnostics;

namespace Dure.Test.Processes;

/// <summary>A real process that a test started: what it said, and its end. Killed when disposed.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Task _reading;
    private readonly Task<string> _errors;

    private Child(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The whole lines that it wrote to its standard output so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>Its process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Starts this executable as the named child (see <see cref="Entry"/>), optionally under other programs such as <c>strace</c>.</summary>
    public static Child Start(string name, IEnumerable<string> arguments, params IEnumerable<string> under)
    {
        string[] words = [.. under, Path.Combine(AppContext.BaseDirectory, "Dure.Test"), "child", name, .. arguments];
        return Start(words);
    }

    /// <summary>Starts any program.</summary>
    public static Child Start(params IReadOnlyList<string> words)
    {
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new Child(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end; the answer is its exit code and all that it wrote.</summary>
    public static async Task<(int Code, string Text)> RunAsync(CancellationToken cancel, params IReadOnlyList<string> words)
    {
        await using var child = Start(words);
        var code = await child.EndAsync(cancel);
        return (code, string.Join('\n', child.Lines) + await child._errors);
    }

    /// <summary>Waits until it has written as many lines.</summary>
    public async Task LinesAsync(int count, CancellationToken cancel)
    {
        while (_lines.Count < count)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"The child ended with {_process.ExitCode}: {await _errors}");
            }
            await Task.Delay(5, cancel);
        }
    }

    /// <summary>kill -9; every line it wrote before is in <see cref="Lines"/> afterwards.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _reading;
    }

    /// <summary>kill -9 of what it started, for a child that runs under <c>strace</c>: the trace is whole when this completes.</summary>
    public async Task KillInnerAsync(CancellationToken cancel)
    {
        var inner = await File.ReadAllTextAsync($"/proc/{Pid}/task/{Pid}/children", cancel);
        await RunAsync(cancel, ["kill", "-9", .. inner.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        await EndAsync(cancel);
    }

    /// <summary>Waits for its own end.</summary>
    public async Task<int> EndAsync(CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        // A process that was killed may leave half a line: it was never said in full, so it does not count.
        var text = new System.Text.StringBuilder();
        var buffer = new char[4096];
        int read;
        while ((read = await _process.StandardOutput.ReadAsync(buffer)) > 0)
        {
            foreach (var letter in buffer.AsMemory(0, read).ToArray())
            {
                if (letter == '\n')
                {
                    _lines.Enqueue(text.ToString());
                    text.Clear();
                }
                else
                {
                    text.Append(letter);
                }
            }
        }
    }
}
