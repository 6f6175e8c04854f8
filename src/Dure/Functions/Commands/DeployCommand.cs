using System.CommandLine;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Functions.Api;
using Dure.Host.Files;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;
using Spectre.Console;

namespace Dure.Functions.Commands;

/// <summary><c>dure fn deploy</c>: packs, uploads, and shows how it is built.</summary>
internal static class DeployCommand
{
    private static readonly Argument<string> SourcePath = new("path") { Description = "A file, a folder or a .zip." };

    private static readonly Option<string?> Name = new("--name")
    {
        Description = "The function's name; else `name` of function.yaml, else the name of the file or folder.",
        HelpName = "NAME",
    };

    private static readonly Option<int?> Canary = new("--canary")
    {
        Description = "Leave live where it is and send this share of the invocations to the new version.",
        HelpName = "PERCENT",
    };

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Afterwards, show its invocations and logs as they happen." };

    static DeployCommand() => Canary.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int?>() is < 1 or > 99)
        {
            result.AddError("--canary wants a percentage from 1 to 99.");
        }
    });

    public static Verb Make() =>
        new Verb("deploy", "Deploy a function from a file or a folder.",
            ("dure fn deploy examples/hello-python", "a folder; its name becomes the function's"),
            ("dure fn deploy train.py --name train", "a single file under another name"),
            ("dure fn deploy . --canary 10", "send one invocation in ten to the new version"))
        .With(SourcePath, Name, Canary, Follow)
        .Calls(async (call, client, cancel) =>
        {
            var path = call.Get(SourcePath)!;
            var name = FunctionName.For(path, call.Get(Name));
            if (!name.Ok)
            {
                return name.Problem;
            }

            var deployed = await DeployAsync(call, client, path, name.Value, cancel);
            if (!deployed.Ok)
            {
                return deployed.Problem;
            }

            Print(call, deployed.Value);
            return call.Get(Follow) ? await LiveView.FollowFunctionAsync(call, client, name.Value, cancel) : ExitCodes.Ok;
        });

    private static async Task<Outcome<VersionView>> DeployAsync(Call call, DureClient client, string path, string name, CancellationToken cancel)
    {
        await using var package = ScratchFile.Create();
        return await Working.RunAsync(call.Screen, "packing", async working =>
        {
            var packed = await SourcePackage.PackAsync(path, package, new SourceLimits(), null, cancel);
            if (!packed.Ok)
            {
                return packed.Problem;
            }

            package.Position = 0;
            working.Say($"uploading {Phrase.Size(package.Length)}");
            var query = call.Get(Canary) is { } percent ? $"?canary={percent}" : "";
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/functions/{Uri.EscapeDataString(name)}/versions{query}")
            {
                Content = new UploadContent(package, "application/gzip", working.Of(package.Length)),
            };
            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok)
            {
                return sent.Problem;
            }

            using var response = sent.Value;
            return await ReadAsync(response, working, cancel);
        });
    }

    /// <summary>Passes on what the build says until it gives a version or a problem.</summary>
    private static Task<Outcome<VersionView>> ReadAsync(HttpResponseMessage response, Working working, CancellationToken cancel) =>
        DureClient.ReadUntilAsync<DeployLine, VersionView>(response, CommandJson.Default.DeployLine, line =>
        {
            if (line.Problem is { } problem)
                return DureClient.ToProblem(problem);
            if (line.Version is { } version)
                return version;
            if (line.Progress is { } progress)
                working.Say(progress);
            else if (line.Log is { } log)
                working.Log(log);
            return null;
        }, "The connection was lost while the function was built: ", "The answer ended before it said how the deploy went.", cancel);

    private static void Print(Call call, VersionView version)
    {
        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(version, CommandJson.Default.VersionView);
            return;
        }

        var aliases = call.Get(Canary) is { } percent ? $"gets {percent} % of the invocations"
            : version.Aliases.Count > 0 ? "is " + string.Join(", ", version.Aliases)
            : "is deployed";
        call.Screen.Line($"{version.Function} version {version.Number} ({Phrase.Digest(version.Version)}) {aliases}");
        call.Screen.Note($"Invoke it: dure fn invoke {version.Function} --data '{{}}'");
    }
}
