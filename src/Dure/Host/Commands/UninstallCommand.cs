using System.CommandLine;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Spectre.Console;

namespace Dure.Host.Commands;

/// <summary><c>dure uninstall</c>: stops the server, forgets what Dure keeps outside its data, and says what is left and how to remove that.</summary>
internal static class UninstallCommand
{
    private const string PackageFolder = "/usr/lib/dure";

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };
    private static readonly Option<bool> PurgeData = new("--purge-data") { Description = "Remove the data folder too, for ever." };

    private static readonly (string Name, string What)[] Kinds =
    [
        ("dure.db", "database"), ("blobs", "events, results and sources"), ("keys", "keys, without which secrets and backups cannot be read"), ("logs", "logs"),
        ("checkpoints", "checkpoints of functions"), ("backups", "backups"), ("code", "code, can be made again"), ("deps", "dependencies, can be installed again"),
        ("builds", "compiled programs, can be made again"), ("runtimes", "shims, can be made again"),
    ];

    /// <param name="endLeft">Ends what a server that crashed has left running on this data; the process ids.</param>
    public static Verb Make(Func<string, TimeProvider, CancellationToken, Task<List<int>>> endLeft) =>
        new Verb("uninstall", "Stop the server and remove Dure from this machine; says what data it leaves.",
            ("dure uninstall --dry-run", "what would be done and what would be left"),
            ("dure uninstall", "asks, then does it; data stays"),
            ("dure uninstall --purge-data", "removes the data folder as well, after asking for its name"))
        .With(Yes, DryRun, PurgeData)
        .Runs((call, cancel) => RunAsync(call, endLeft, cancel));

    private static async Task<Outcome<int>> RunAsync(Call call, Func<string, TimeProvider, CancellationToken, Task<List<int>>> endLeft, CancellationToken cancel)
    {
        var data = RunningServer.Locate(call.Sources());
        var (dry, purge) = (call.Get(DryRun), call.Get(PurgeData));
        if (!dry && await ConfirmAsync(call, data, purge, cancel) is { } refused)
        {
            return refused;
        }

        var stopped = dry ? ServerLock.Holder(data) : null;
        if (!dry)
        {
            var down = await DownCommand.StopAsync(call, TimeSpan.FromSeconds(10), keepFunctions: false, cancel);
            if (!down.Ok)
            {
                return down.Problem;
            }

            stopped = down.Value;
            foreach (var left in await endLeft(data, call.Time, cancel))
            {
                call.Screen.Say($"The worker that was left without a server (process {left}) has ended with its functions.");
            }
        }

        var kept = purge ? [] : Left(data, call);
        var removed = Outside(call, data, purge).Where(Path.Exists).ToList();
        foreach (var path in dry ? [] : removed)
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
            else
            {
                File.Delete(path);
            }
        }

        Print(call.Screen, data, new UninstallView(dry, stopped, removed, kept, [.. Commands(data, kept)]));
        return ExitCodes.Ok;
    }

    /// <returns>Why it must not go on.</returns>
    private static async Task<Problem?> ConfirmAsync(Call call, string data, bool purge, CancellationToken cancel)
    {
        if (call.Get(Yes))
        {
            return null;
        }

        if (call.Screen.Traits is not { InIsTerminal: true, ErrIsTerminal: true })
        {
            return CommandErrors.NotConfirmed.With(purge ? $"This would remove {data} with everything in it, for ever." : "This would stop the server and every function that runs.");
        }

        if (!purge)
        {
            return await new ConfirmationPrompt("Stop the server with everything that runs, and uninstall?") { DefaultValue = false }.ShowAsync(call.Screen.Talk, cancel)
                ? null : CommandErrors.NotConfirmed.With("Nothing was changed.");
        }

        var typed = await new TextPrompt<string>($"Everything in {Markup.Escape(data)} will be gone for ever. Type that path to go on:").AllowEmpty().ShowAsync(call.Screen.Talk, cancel);
        return typed.Trim().TrimEnd('/') == data.TrimEnd('/') ? null : CommandErrors.NotConfirmed.With("Nothing was changed.");
    }

    private static IEnumerable<string> Outside(Call call, string data, bool purge)
    {
        // It may be about a server on other data by now.
        if (RunningServer.Memory(call.Sources()) is { } pointer && File.Exists(pointer) && File.ReadAllText(pointer).Trim() == data)
        {
            yield return pointer;
        }

        if (purge)
        {
            yield return data;
        }
    }

    private static List<LeftView> Left(string data, Call call)
    {
        var left = new List<LeftView>();
        if (Directory.Exists(data))
        {
            left.AddRange(Kinds.Select(kind => new LeftView(Path.Combine(data, kind.Name), kind.What, Bytes(Path.Combine(data, kind.Name)))).Where(kind => kind.Bytes > 0));
        }

        var flags = new Dictionary<string, (string, string)>(StringComparer.Ordinal) { [Settings.Data.Key] = (data, "--data") };
        if (ConfigurationLoader.Load(call.Sources(flags)) is { Ok: true } loaded && loaded.Value.Options.Backup.Directory is { Length: > 0 } backups
            && !Path.GetFullPath(backups).StartsWith(data + "/", StringComparison.Ordinal) && Bytes(backups) is > 0 and var size)
        {
            left.Add(new LeftView(backups, "backups", size));
        }

        return left;
    }

    // The program cannot well remove the file that it runs from, and never a folder that may be somebody's checkout.
    private static IEnumerable<string> Commands(string data, List<LeftView> left)
    {
        var program = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        if (program == PackageFolder)
        {
            yield return "sudo apt-get remove dure";
        }
        else
        {
            var launcher = Environment.GetEnvironmentVariable("DURE_LAUNCHER");
            var folder = launcher is null ? program : Path.GetDirectoryName(Path.GetFullPath(launcher))!;
            yield return $"rm -rf {folder}";
        }

        if (left.Any(one => one.Path.StartsWith(data + "/", StringComparison.Ordinal)))
        {
            yield return $"rm -rf {data}";
        }

        foreach (var elsewhere in left.Where(one => !one.Path.StartsWith(data + "/", StringComparison.Ordinal)))
        {
            yield return $"rm -rf {elsewhere.Path}";
        }
    }

    private static void Print(Screen screen, string data, UninstallView done)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(done, HostJson.Default.UninstallView);
            return;
        }

        var would = done.DryRun ? "would be " : "";
        screen.Say(done.Stopped is { } pid ? $"The server (process {pid}) {would}stopped." : "No server runs on this data.");
        foreach (var path in done.Removed)
        {
            screen.Say($"{path} {would}removed.");
        }

        screen.Say(done.Left.Count == 0 ? $"Nothing {(done.DryRun ? "would be" : "is")} left in {data}." : $"Left in {data}:");
        if (done.Left.Count > 0)
        {
            screen.Table([new("size", RightAligned: true), new("what"), new("path", 20)], [.. done.Left.Select(one => (IReadOnlyList<string>)[Phrase.Size(one.Bytes), one.What, one.Path])]);
        }

        screen.Say("What removes the rest:");
        foreach (var command in done.Commands)
        {
            screen.Say("  " + command);
        }
    }

    private static long Bytes(string path)
    {
        if (!Directory.Exists(path))
        {
            return File.Exists(path) ? new FileInfo(path).Length : 0;
        }

        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        return new DirectoryInfo(path).EnumerateFiles("*", all).Sum(file => file.Length);
    }
}
