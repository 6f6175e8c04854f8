using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Fleet.Commands;

/// <summary>
/// Every apply is recorded with its differences, on the machine that it was run from (here) and, without them, on each machine that it changed. Secrets are in
/// neither.
/// </summary>
internal static class ApplyRecords
{
    private static readonly Argument<string?> Id = new("id") { Description = "The apply; without, a list.", Arity = ArgumentArity.ZeroOrOne };

    private const string Kind = "applies";

    private static string Folder => RecordFolder.Of(Kind);

    /// <summary>Who runs this, as records and locks name them.</summary>
    public static string Who => $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>A name for what begins at a moment; later ones sort later.</summary>
    public static string NewId(DateTimeOffset at) => string.Create(CultureInfo.InvariantCulture, $"{at:yyyyMMdd-HHmmss}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}");

    public static Task KeepAsync(ApplyView view, CancellationToken cancel) => RecordFolder.KeepAsync(Kind, view.Id + ".json", JsonSerializer.Serialize(view, FleetJson.Default.ApplyView), cancel);

    public static Verb Make() =>
        new Verb("history", "List the applies that were run from here, and show what one of them changed.",
            ("dure history", "the newest last"),
            ("dure history 20261126-120000-a1b2c3", "one of them, with its differences"))
        .With(Id)
        .Runs(async (call, cancel) =>
        {
            if (call.Get(Id) is { } id)
                return await ShowAsync(call, id, cancel);
            var views = new List<ApplyView>();
            foreach (var path in Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*.json").OrderBy(path => path, StringComparer.Ordinal).ToArray() : [])
            {
                if (await ReadAsync(path, cancel) is { } view)
                    views.Add(view);
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(views, FleetJson.Default.IReadOnlyListApplyView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("apply", 22), new("fleet"), new("who"), new("when"), new("machines"), new("changes", RightAligned: true), new("took", RightAligned: true), new("ended")],
                [.. views.Select(view => (IReadOnlyList<string>)
                [
                    view.Id, view.Fleet, view.Who, Phrase.Ago(view.At, call.Time), string.Join(' ', view.Machines.Where(machine => machine.Of > 0).Select(machine => machine.Machine)),
                    view.Machines.Sum(machine => machine.Done).ToString(CultureInfo.InvariantCulture), Phrase.Took(view.TookMs), view.Ok ? "ok" : "failed",
                ])]);
            return ExitCodes.Ok;
        });

    private static async Task<Outcome<int>> ShowAsync(Call call, string id, CancellationToken cancel)
    {
        if (id.AsSpan().ContainsAnyExcept("0123456789abcdef-") || await ReadAsync(Path.Combine(Folder, id + ".json"), cancel) is not { } view)
            return FleetErrors.ApplyUnknown.With($"There is no apply {id} on record here; `dure history` lists them.");
        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(view, FleetJson.Default.ApplyView);
            return ExitCodes.Ok;
        }

        call.Screen.Line($"{view.Id}: {view.Who}, {view.At:yyyy-MM-dd HH:mm:ss} UTC, {Phrase.Took(view.TookMs)}, {(view.Ok ? "ok" : "failed")}");
        foreach (var machine in view.Machines.Where(machine => machine.Of > 0))
        {
            call.Screen.Line($"{machine.Machine}: {machine.End}, {machine.Done} of {machine.Of}{(machine.Error is { } error ? $"; {machine.ErrorId} {error}" : "")}");
            foreach (var change in machine.Changes)
            {
                call.Screen.Line($"  {change.Sign} {change.What}{(change.Why is { } why ? $"  ({why})" : "")}");
                foreach (var line in change.Diff?.TrimEnd('\n').Split('\n').Skip(2) ?? [])
                    call.Screen.Line("      " + line);
            }
        }

        return ExitCodes.Ok;
    }

    private static async Task<ApplyView?> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancel), FleetJson.Default.ApplyView) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
