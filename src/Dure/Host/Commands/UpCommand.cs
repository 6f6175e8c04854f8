using System.CommandLine;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure up</c>: starts the server.</summary>
internal static class UpCommand
{
    private static readonly Option<bool> Foreground = new("--foreground") { Description = "Stay in this terminal and stop with Ctrl-C." };
    private static readonly Option<bool> Detach = new("--detach") { Description = "Run in the background (the default)." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Install missing packages without asking." };
    private static readonly Option<bool> Daemon = new("--daemon") { Hidden = true };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Any setting, such as --set functions.payload_limit=2GiB; may be given often.",
        HelpName = "KEY=VALUE",
    };

    private static readonly Dictionary<Setting, Option<string?>> OwnFlags = Settings.All
        .Where(setting => setting.Flag is not null && setting != Settings.Data)
        .ToDictionary(setting => setting, setting => new Option<string?>(setting.Flag!) { Description = setting.Doc, HelpName = setting.Type });

    public static Verb Make() =>
        new Verb("up", "Start the server on this machine.",
            ("dure up", "start in the background and say what to try next"),
            ("dure up --foreground --port 8080", "stay in this terminal, on another port"),
            ("dure up --data ~/dure --set worker.memory=8GiB", "data in a folder of your own, with 8 GiB for functions"))
        .With([Foreground, Detach, Yes, Set, Daemon, .. OwnFlags.Values])
        .Runs(RunAsync);

    /// <summary>The flags that stand on the command line, by key.</summary>
    internal static Outcome<Dictionary<string, (string Text, string Flag)>> Flags(Call call)
    {
        var flags = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        foreach (var pair in call.Get(Set) ?? [])
        {
            if (pair.Split('=', 2) is not [{ Length: > 0 } key, var text])
            {
                return CommandErrors.Usage.With($"--set wants KEY=VALUE, not '{pair}'.");
            }

            flags[key] = (text, "--set " + key);
        }

        foreach (var (setting, option) in OwnFlags)
        {
            if (call.Get(option) is { } text)
            {
                flags[setting.Key] = (text, setting.Flag!);
            }
        }

        return flags;
    }

    private static async Task<Outcome<int>> RunAsync(Call call, CancellationToken cancel)
    {
        if (call.Get(Foreground) && call.Get(Detach))
        {
            return CommandErrors.Usage.With("--foreground and --detach exclude each other.");
        }

        var flags = Flags(call);
        if (!flags.Ok)
        {
            return flags.Problem;
        }

        var loaded = ConfigurationLoader.Load(call.Sources(flags.Value));
        if (!loaded.Ok)
        {
            return loaded.Problem;
        }

        var options = loaded.Value.Options;
        var prepared = ServerStart.Prepare(options.Data);
        if (!prepared.Ok)
        {
            return prepared.Problem;
        }

        var isDaemon = call.Get(Daemon);
        if (!isDaemon)
        {
            if (ServerLock.Holder(options.Data) is { } pid)
            {
                return ServerLock.AlreadyRunning(pid, options.Data);
            }

            var packages = await Packages.EnsureAsync(call.Screen, PackageUse.Server, call.Get(Yes), cancel);
            if (!packages.Ok)
            {
                return packages.Problem;
            }
        }

        var start = new ServerStart(Words(), Environment.CurrentDirectory);
        return isDaemon || call.Get(Foreground)
            ? await ServeAsync(call, options, start, isDaemon, cancel)
            : await DetachAsync(call, options, start, cancel);
    }

    private static async Task<Outcome<int>> DetachAsync(Call call, DureOptions options, ServerStart start, CancellationToken cancel)
    {
        var running = await start.LaunchAsync(options, call.Time, cancel);
        if (!running.Ok)
        {
            return running.Problem;
        }

        UpBanner.Print(call.Screen, running.Value, options, detached: true, await SigninCommand.LinkAsync(call.Screen, running.Value, options.Data, cancel));
        return ExitCodes.Ok;
    }

    private static async Task<Outcome<int>> ServeAsync(Call call, DureOptions options, ServerStart start, bool isDaemon, CancellationToken cancel)
    {
        // Never given back: it goes with the process, so that whoever waits for it waits for the end of the process.
        var taken = ServerLock.Take(options.Data);
        if (!taken.Ok)
        {
            return taken.Problem;
        }

        start.Save(options.Data);
        RunningServer.Remember(call.Sources(), options.Data);
        if (isDaemon)
        {
            // A working directory would keep its file system from being unmounted.
            Environment.CurrentDirectory = "/";
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var announced = !isDaemon ? AnnounceAsync(call, options, ended.Token) : Task.CompletedTask;
        try
        {
            return await ServerHost.RunAsync(options, cancel);
        }
        finally
        {
            await ended.CancelAsync();
            await announced;
        }
    }

    private static async Task AnnounceAsync(Call call, DureOptions options, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                if (RunningServer.Read(options.Data) is { } running && running.Pid == Environment.ProcessId && await HealthProbe.AnswersAsync(running.Url, cancel))
                {
                    UpBanner.Print(call.Screen, running, options, detached: false, call.Screen.Traits.ErrIsTerminal ? await SigninCommand.LinkAsync(call.Screen, running, options.Data, cancel) : null);
                    return;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), call.Time, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            // The server ended before it was ready, and says why itself.
        }
    }

    /// <summary>The words after <c>up</c> that mean the same at the next start.</summary>
    private static string[] Words() =>
        [.. Environment.GetCommandLineArgs().Skip(1).Where(word => word is not ("up" or "--detach" or "--daemon" or "--yes" or "-y"))];
}
