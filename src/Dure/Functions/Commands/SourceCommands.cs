using System.CommandLine;
using Dure.Functions.Api;
using Dure.Functions.Deploy;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary>What a function was deployed from, and by whom.</summary>
internal static class SourceCommands
{
    private static readonly Argument<string> Version = new("version") { Description = "A number, a digest or its beginning; `live` when not given.", DefaultValueFactory = _ => "live" };

    private static readonly Option<string?> To = new("--to") { Description = "The folder to make; the function's name when not given.", HelpName = "FOLDER" };

    public static Verb MakePull() =>
        new Verb("pull", "Get the source of a function into a new folder.",
            ("dure fn pull train", "the live version, into the folder train"),
            ("dure fn pull train 3 --to old", "version 3, into the folder old"))
        .With(FunctionCommands.Name, Version, To)
        .Calls(async (call, client, cancel) =>
        {
            var name = call.Get(FunctionCommands.Name)!;
            var folder = Path.GetFullPath(call.Get(To) ?? name);
            if (Path.Exists(folder))
            {
                return CommandErrors.Usage.With($"{folder} is there already; name a new folder with --to.");
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, $"{FunctionCommands.PathOf(name)}/versions/{Uri.EscapeDataString(call.Get(Version)!)}/source");
            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok)
            {
                return sent.Problem;
            }

            using var response = sent.Value;
            return await UnpackAsync(call, response, folder, cancel);
        });

    public static Verb MakeHistory() =>
        new Verb("history", "Show who sent a function's callers to which version, and when.",
            ("dure fn history train", "newest first"))
        .With(FunctionCommands.Name)
        .Calls(async (call, client, cancel) =>
        {
            var releases = await client.ListAsync(FunctionCommands.PathOf(call.Get(FunctionCommands.Name)!) + "/history", int.MaxValue, CommandJson.Default.PageViewReleaseView, cancel);
            if (!releases.Ok)
            {
                return releases.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(releases.Value, CommandJson.Default.IReadOnlyListReleaseView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("when"), new("what"), new("live", RightAligned: true), new("canary"), new("by", 8)],
                [.. releases.Value.Select(release => (IReadOnlyList<string>)
                [
                    Phrase.Ago(release.At, call.Time), release.Action, release.Live is { } live ? $"{live}" : "-",
                    release.Canary is { } canary ? $"{canary} ({release.CanaryPercent} %)" : "-", release.Owner,
                ])]);
            return ExitCodes.Ok;
        });

    // Beside its place first: what is there under its name is whole.
    private static async Task<Outcome<int>> UnpackAsync(Call call, HttpResponseMessage response, string folder, CancellationToken cancel)
    {
        var making = Path.Combine(Path.GetDirectoryName(folder)!, "." + Path.GetRandomFileName());
        try
        {
            BuildFiles.MakeFolder(making);
            await using var package = await response.Content.ReadAsStreamAsync(cancel);
            var unpacked = await SourceUnpacker.UnpackAsync(package, making, new SourceLimits(), cancel);
            if (!unpacked.Ok)
            {
                return unpacked.Problem;
            }

            BuildFiles.MakeWritable(making);
            Directory.Move(making, folder);
            call.Screen.Line(folder);
            call.Screen.Note($"{Phrase.Count(unpacked.Value.Entries.Count(entry => entry.Kind != SourceKind.Folder), "file")}, {Phrase.Size(unpacked.Value.Bytes)}. Change it, then: dure fn deploy {Path.GetFileName(folder)}");
            return ExitCodes.Ok;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return DeployErrors.SourceMissing.With(failure.Message);
        }
        finally
        {
            BuildFiles.Remove(making);
        }
    }
}
