using System.CommandLine;
using System.Globalization;
using Dure.Host.Configuration;

namespace Dure.Host.Commands;

/// <summary><c>dure down</c> and <c>dure restart</c>.</summary>
internal static class DownCommand
{
    /// <summary>How long the server may take to stop beyond the time to drain.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(30);

    private static readonly Option<string> Drain = new("--drain")
    {
        Description = "How long running functions may take to finish; what is left is ended and runs again at the next start.",
        HelpName = "TIME",
        DefaultValueFactory = _ => "10s",
    };

    private static readonly Option<bool> KeepFunctions = new("--keep-functions")
    {
        Description = "Leave functions running; the next server takes up their results.",
    };

    /// <param name="endLeft">Ends what a server that crashed has left running on this data; the process ids.</param>
    public static Verb Make(Func<string, TimeProvider, CancellationToken, Task<List<int>>> endLeft) =>
        new Verb("down", "Stop the server on this machine.",
            ("dure down", "let running functions finish for up to ten seconds, then stop"),
            ("dure down --drain 5m", "wait longer for them"),
            ("dure down --keep-functions", "stop the server only; functions carry on"))
        .With(Drain, KeepFunctions)
        .Runs(async (call, cancel) =>
        {
            var drain = Units.ReadDuration(call.Get(Drain)!);
            if (drain.Error is not null)
            {
                return CommandErrors.Usage.With("--drain: " + drain.Error);
            }

            var stopped = await StopAsync(call, drain.Value, call.Get(KeepFunctions), cancel);
            if (!stopped.Ok)
            {
                return stopped.Problem;
            }

            call.Screen.Say(stopped.Value is { } pid ? $"The server (process {pid}) has stopped." : "No server runs on this data.");
            if (!call.Get(KeepFunctions))
            {
                // A server that crashed has left its worker, and with it the functions.
                foreach (var left in await endLeft(RunningServer.Locate(call.Sources()), call.Time, cancel))
                {
                    call.Screen.Say($"The worker that was left without a server (process {left}) has ended with its functions; what had not finished runs again at the next start.");
                }
            }

            return ExitCodes.Ok;
        });

    public static Verb MakeRestart() =>
        new Verb("restart", "Stop the server and start it again the same way; functions carry on meanwhile.",
            ("dure restart", "after a change of dure.yaml or an upgrade"))
        .Runs(async (call, cancel) =>
        {
            var data = RunningServer.Locate(call.Sources());
            var stopped = await StopAsync(call, TimeSpan.Zero, keepFunctions: true, cancel);
            if (!stopped.Ok)
            {
                return stopped.Problem;
            }

            var start = ServerStart.Read(data) ?? new ServerStart([], Environment.CurrentDirectory);
            start = start with { Words = [.. start.Words.Where(word => word != "--foreground")] };
            var options = LoadAgain(call, data);
            if (!options.Ok)
            {
                return options.Problem;
            }

            var running = await start.LaunchAsync(options.Value, call.Time, cancel);
            if (!running.Ok)
            {
                return running.Problem;
            }

            UpBanner.Print(call.Screen, running.Value, options.Value, detached: true, await SigninCommand.LinkAsync(call.Screen, running.Value, options.Value.Data, cancel));
            return ExitCodes.Ok;
        });

    /// <summary>Stops the server on this data and waits until it is gone.</summary>
    /// <returns>Its process id; null when none ran.</returns>
    internal static async Task<Outcome<int?>> StopAsync(Call call, TimeSpan drain, bool keepFunctions, CancellationToken cancel)
    {
        var data = RunningServer.Locate(call.Sources());
        var holder = ServerLock.Holder(data);
        if (holder is not { } pid)
        {
            return (int?)null;
        }

        var asked = await AskAsync(call, drain, keepFunctions, cancel);
        if (!asked && !(IsDure(pid) && Posix.Signal(pid, Posix.Terminate)))
        {
            return CommandErrors.StopFailed.With($"Process {pid} does not answer and could not be told to end; its log is {ServerStart.LogIn(data)}.");
        }

        var began = call.Time.GetTimestamp();
        while (ServerLock.Holder(data) == pid)
        {
            if (call.Time.GetElapsedTime(began) > drain + StopWithin)
            {
                return CommandErrors.StopFailed.With($"Process {pid} is still there after {(drain + StopWithin).TotalSeconds} s; its log is {ServerStart.LogIn(data)}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), call.Time, cancel);
        }

        return pid;
    }

    private static Outcome<DureOptions> LoadAgain(Call call, string data)
    {
        var flags = new Dictionary<string, (string, string)>(StringComparer.Ordinal) { [Settings.Data.Key] = (data, "--data") };
        var loaded = ConfigurationLoader.Load(call.Sources(flags));
        return loaded.Ok ? loaded.Value.Options : loaded.Problem;
    }

    private static async Task<bool> AskAsync(Call call, TimeSpan drain, bool keepFunctions, CancellationToken cancel)
    {
        var client = call.Client();
        if (!client.Ok)
        {
            return false;
        }

        using var server = client.Value;
        var body = DureClient.Json(new StopRequest((long)drain.TotalMilliseconds, keepFunctions), HostJson.Default.StopRequest);
        var sent = await server.SendAsync(HttpMethod.Post, "/api/stop", body, cancel);
        return sent.Ok;
    }

    /// <summary>A process id may have been given to another program since; only a process of this executable is signalled.</summary>
    private static bool IsDure(int pid)
    {
        try
        {
            var program = File.ResolveLinkTarget(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/exe"), returnFinalTarget: false)?.Name;
            return program is "dure" or "dotnet" || (program?.StartsWith("dure (deleted)", StringComparison.Ordinal) ?? false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
