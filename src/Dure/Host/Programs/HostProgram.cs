using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Dure.Host.Programs;

/// <summary>What a program answered.</summary>
internal sealed record Ran(int ExitCode, string Output, string Error)
{
    /// <summary>What it said about its failure, in one line.</summary>
    public string Why => (Error.Trim().Length > 0 ? Error : Output).Trim() is { Length: > 0 } said ? said.ReplaceLineEndings("; ") : "it said nothing";
}

/// <summary>Runs programs of this machine. Words are never put through a shell.</summary>
internal static class HostProgram
{
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
        using var process = Start(words, environment, out var missing);
        if (process is null)
            return new(127, "", $"{words[0]}: {missing}");
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

    /// <summary>The lines of its output as they come. Who reads no further ends it with its children; one that is not here has no lines.</summary>
    public static async IAsyncEnumerable<string> LinesAsync(IReadOnlyList<string> words, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var process = Start(words, null, out _);
        if (process is null)
            yield break;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(cancel);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(cancel) is { } line)
                yield return line;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            _ = error.ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    // Null, with the reason, when the program is not here.
    private static Process? Start(IReadOnlyList<string> words, IReadOnlyDictionary<string, string>? environment, out string? missing)
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
        missing = null;
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception absent)
        {
            missing = absent.Message;
            return null;
        }
    }

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
