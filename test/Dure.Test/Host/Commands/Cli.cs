using System.Diagnostics;
using Dure.Test.Processes;

namespace Dure.Test.Host.Commands;

/// <summary>Runs the real program on a data folder of its own; a server that was started on it is stopped at the end.</summary>
internal sealed class Cli : IAsyncDisposable
{
    private readonly Scratch _scratch = new();
    private readonly Dictionary<string, string> _environment;

    public Cli(params IEnumerable<string> environment)
    {
        // Functions run as another user, who must be able to pass.
        File.SetUnixFileMode(_scratch.Path, File.GetUnixFileMode(_scratch.Path) | UnixFileMode.OtherExecute);
        _environment = environment.Concat([$"DURE_DATA={Data}", $"XDG_STATE_HOME={_scratch["state"]}", "DURE_PORT=0"])
            .Select(pair => pair.Split('=', 2)).DistinctBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
    }

    public string Data => _scratch["data"];

    public string Folder => _scratch.Path;

    /// <summary>Runs the program to its end.</summary>
    public Task<(int Code, string Out, string Err)> RunAsync(params string[] words) => RunAsync("", words);

    /// <summary>Runs the program to its end with this on its standard input.</summary>
    public async Task<(int Code, string Out, string Err)> RunAsync(string input, string[] words)
    {
        var start = new ProcessStartInfo(ProgramUnderTest.Path, words)
        {
            UseShellExecute = false,
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DURE_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Data))
        {
            await RunAsync("down", "--drain", "0");
        }

        try
        {
            _scratch.Dispose();
        }
        catch (IOException)
        {
            // A server that ended in its first moments has left a worker that was still starting.
            await Task.Delay(1000);
            await RunAsync("down", "--drain", "0");
            _scratch.Dispose();
        }
    }
}
