using System.Diagnostics;
using System.Text.Json;
using Dure.Host.Configuration;
using Dure.Host.Files;

namespace Dure.Host.Commands;

/// <summary>How the server was started, so that <c>dure restart</c> starts it the same way.</summary>
/// <param name="Words">Of <c>dure up</c>, without <c>up</c> itself.</param>
/// <param name="Directory">Where relative paths among the words begin.</param>
internal sealed record ServerStart(IReadOnlyList<string> Words, string Directory)
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    /// <summary>Makes the data folder as the server needs it to be.</summary>
    public static Outcome<bool> Prepare(string data)
    {
        try
        {
            // Functions run as another user and must be able to pass through, but not to list.
            System.IO.Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            System.IO.Directory.CreateDirectory(Path.Combine(data, "run"));
            System.IO.Directory.CreateDirectory(Path.Combine(data, "logs"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return CommandErrors.FileProblem.With($"The data folder cannot be made: {failure.Message}");
        }
    }

    public void Save(string data) =>
        File.WriteAllBytes(PathIn(data), JsonSerializer.SerializeToUtf8Bytes(this, HostJson.Default.ServerStart));

    /// <summary>How the server on this data was last started; null when it never was.</summary>
    public static ServerStart? Read(string data)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathIn(data)), HostJson.Default.ServerStart);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Starts the server in a session of its own and waits until it answers.</summary>
    /// <returns>The running server, or what it said before it ended.</returns>
    public async Task<Outcome<RunningServer>> LaunchAsync(DureOptions options, TimeProvider time, CancellationToken cancel)
    {
        var log = LogIn(options.Data);
        Rotate(log);
        var said = File.Exists(log) ? new FileInfo(log).Length : 0;
        // The runtime keeps copies of the descriptors it was started with, so they must be right before it starts: a server that
        // holds on to its caller's pipe would keep `dure up | tee` from ending.
        string[] detached = ["-c", """log=$1; shift; exec setsid "$@" </dev/null >>"$log" 2>&1""", "sh", log, Environment.ProcessPath!, "up", "--daemon"];
        var start = new ProcessStartInfo("/bin/sh", detached.Concat(Words)) { WorkingDirectory = Directory, UseShellExecute = false };

        using var process = Process.Start(start)!;
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < ReadyWithin)
        {
            if (process.HasExited)
            {
                return CommandErrors.StartFailed.With(process.ExitCode == 0 ? "It ended at once." : Said(log, said, process.ExitCode))
                    with { Kind = CommandErrors.StartFailed with { ExitCode = process.ExitCode == 0 ? ExitCodes.Failed : process.ExitCode } };
            }

            if (RunningServer.Read(options.Data) is { } running && running.Pid == process.Id && await HealthProbe.AnswersAsync(running.Url, cancel))
            {
                return running;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancel);
        }

        return CommandErrors.StartFailed.With($"Process {process.Id} did not answer within {ReadyWithin.TotalSeconds} s; its log is {log}.");
    }

    public static string LogIn(string data) => Path.Combine(data, "logs", "server.log");

    public static string WorkerLogIn(string data) => Path.Combine(data, "logs", "worker.log");

    private static string PathIn(string data) => Path.Combine(data, "run", "up.json");

    private static string Said(string log, long from, int code)
    {
        const int longest = 8192;
        return LogEnd.Read(log, longest, from)?.Trim() is { Length: > 0 } text ? text : $"It ended with exit code {code} and said nothing.";
    }

    private static void Rotate(string log)
    {
        const long longest = 64L << 20;
        if (File.Exists(log) && new FileInfo(log).Length > longest)
        {
            File.Move(log, log + ".1", overwrite: true);
        }
    }
}
