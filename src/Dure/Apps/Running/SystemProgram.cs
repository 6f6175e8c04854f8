using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Dure.Apps.Running;

/// <summary>Runs programs of this machine.</summary>
internal static class SystemProgram
{
    /// <summary>To its end.</summary>
    /// <returns>The exit code, and all that was written to both outputs.</returns>
    public static async Task<(int Code, string Text)> RunAsync(CancellationToken cancel, params IReadOnlyList<string> words)
    {
        using var process = Start(words);
        if (process is null)
            return (127, $"{words[0]} is not here.");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        try
        {
            await process.WaitForExitAsync(cancel);
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Line by line as they come.</summary>
    public static async IAsyncEnumerable<string> LinesAsync(IReadOnlyList<string> words, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var process = Start(words);
        if (process is null)
            yield break;
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

    private static Process? Start(IReadOnlyList<string> words)
    {
        var start = new ProcessStartInfo(words[0], words.Skip(1)) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C.UTF-8";
        try
        {
            var process = Process.Start(start);
            process?.StandardInput.Close();
            return process;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
