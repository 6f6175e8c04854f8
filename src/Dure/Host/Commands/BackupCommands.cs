using System.CommandLine;
using Dure.Host.Configuration;
using Dure.Host.Operations;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure backup</c>: make, list, verify and restore backups.</summary>
internal static class BackupCommands
{
    private static readonly Argument<string> FilePath = new("file") { Description = "A backup, as `dure backup list` shows it." };

    public static Verb Make() => new Verb("backup", "Make, list, verify and restore backups.").With(MakeCreate(), MakeList(), MakeVerify(), MakeRestore());

    private static Verb MakeCreate() =>
        new Verb("create", "Make a backup of everything while the server runs, verify it, and remove the oldest beyond backup.keep.",
            ("dure backup create", "into backup.directory"))
        .Calls(async (call, client, cancel) =>
        {
            var made = await client.SendAsync(HttpMethod.Post, "/api/backups", null, OperationsJson.Default.BackupView, cancel);
            if (!made.Ok)
                return made.Problem;
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(made.Value, OperationsJson.Default.BackupView);
            else
                call.Screen.Line(made.Value.Path);
            call.Screen.Note("It holds secrets and keys: keep it where only you can read it, on another disk.");
            return ExitCodes.Ok;
        });

    private static Verb MakeList() =>
        new Verb("list", "List the backups, the newest first.", ("dure backup list", "what there is"))
        .Calls(async (call, client, cancel) =>
        {
            var list = await client.GetAsync("/api/backups", OperationsJson.Default.BackupListView, cancel);
            if (!list.Ok)
                return list.Problem;
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(list.Value, OperationsJson.Default.BackupListView);
            else
                call.Screen.Table([new("made"), new("size", RightAligned: true), new("file", 20)],
                    [.. list.Value.Items.Select(item => (IReadOnlyList<string>)[Phrase.Ago(item.CreatedAt, call.Time), Phrase.Size(item.SizeBytes), item.Path])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeVerify() =>
        new Verb("verify", "Read a whole backup, compare every file's digest and check the database in it.",
            ("dure backup verify /backups/dure-20261121T090000.000Z.tar", "no server is needed"))
        .With(FilePath)
        .Runs(async (call, cancel) =>
        {
            var path = Path.GetFullPath(call.Get(FilePath)!);
            var verified = await BackupFile.VerifyAsync(path, Path.GetTempPath(), cancel);
            if (!verified.Ok)
                return verified.Problem;
            Print(call.Screen, path, verified.Value, "is whole");
            return ExitCodes.Ok;
        });

    private static Verb MakeRestore() =>
        new Verb("restore", "Restore a backup into an empty folder; then start a server on it.",
            ("dure backup restore /backups/dure-20261121T090000.000Z.tar --data ~/dure-again", "then: dure up --data ~/dure-again"))
        .With(FilePath)
        .Runs(async (call, cancel) =>
        {
            var path = Path.GetFullPath(call.Get(FilePath)!);
            var data = ConfigurationLoader.DataFolder(call.Sources()).Path;
            var restored = await BackupFile.RestoreAsync(path, data, cancel);
            if (!restored.Ok)
                return restored.Problem;
            Print(call.Screen, path, restored.Value, $"is restored into {data}");
            call.Screen.Note($"Start a server on it with `dure up --data {data}`; code is built again from its source at the first start.");
            return ExitCodes.Ok;
        });

    private static void Print(Screen screen, string path, BackupManifest manifest, string what)
    {
        if (screen.Format == OutputFormat.Json)
            screen.Json(manifest, OperationsJson.Default.BackupManifest);
        else
            screen.Line($"{path} {what}: made {Phrase.Ago(manifest.CreatedAt, screen.Time)} by Dure {manifest.Version}, {Phrase.Count(manifest.Entries.Count, "file")}, {Phrase.Size(manifest.Entries.Sum(e => e.Length))}.");
    }
}
