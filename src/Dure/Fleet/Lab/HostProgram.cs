using System.Diagnostics;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>What a program answered.</summary>
internal sealed record Ran(int ExitCode, string Output, string Error)
{
    /// <summary>What it said about its failure, in one line.</summary>
    public string Why => (Error.Trim().Length > 0 ? Error : Output).Trim() is { Length: > 0 } said ? said.ReplaceLineEndings("; ") : "it said nothing";
}

/// <summary>Runs programs of this machine. Words are never put through a shell.</summary>
internal static class HostProgram
{
    private const int LongestReason = 2000;

    /// <summary>Runs to the end and keeps what it writes. Cancelling ends it with its children.</summary>
    /// <param name="input">Its standard input; null for none.</param>
    /// <param name="line">Is told every line of its output while it runs.</param>
    /// <param name="environment">Added to this process's.</param>
    public static async Task<Ran> RunAsync(
        IReadOnlyList<string> words,
        CancellationToken cancel,
        string? input = null,
        Action<string>? line = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        OnPool.Clean(start.Environment);
        start.Environment["LC_ALL"] = "C.UTF-8";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return new(127, "", $"{words[0]}: {missing.Message}");
        }
        using (process)
        {
            try
            {
                var output = ReadAsync(process.StandardOutput, line, cancel);
                var error = ReadAsync(process.StandardError, line, cancel);
                await WriteAsync(process, input, cancel);
                await process.WaitForExitAsync(cancel);
                return new(process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    /// <summary>Runs what must succeed.</summary>
    /// <returns>DURE0844 with what it said, or null.</returns>
    public static async Task<Problem?> DoAsync(CancellationToken cancel, params IReadOnlyList<string> words) => Failure(words, await RunAsync(words, cancel));

    /// <summary>Words before a program that holds a lock for as long as it runs, even when we are killed before it ends.</summary>
    public static string[] Alone(string name) => ["flock", Path.Combine(LabPlaces.Locks, name + ".running")];

    /// <summary>The problem of a program that failed; null when it did not.</summary>
    public static Problem? Failure(IReadOnlyList<string> words, Ran ran) =>
        ran.ExitCode == 0 ? null : LabErrors.StepFailed.With($"{string.Join(' ', words)}: exit code {ran.ExitCode}: {(ran.Why.Length > LongestReason ? "..." + ran.Why[^LongestReason..] : ran.Why)}");

    private static async Task WriteAsync(Process process, string? input, CancellationToken cancel)
    {
        try
        {
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all; its exit code says why.
        }
    }

    private static async Task<string> ReadAsync(StreamReader from, Action<string>? line, CancellationToken cancel)
    {
        if (line is null)
            return await from.ReadToEndAsync(cancel);
        var all = new System.Text.StringBuilder();
        while (await from.ReadLineAsync(cancel) is { } read)
        {
            all.Append(read).Append('\n');
            line(read);
        }
        return all.ToString();
    }
}
