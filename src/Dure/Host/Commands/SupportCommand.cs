using System.CommandLine;
using System.Globalization;
using Dure.Host.Configuration;
using Dure.Host.Operations;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure support</c>: one archive for whoever helps.</summary>
internal static class SupportCommand
{
    private static readonly Option<string?> Out = new("--out", "-o") { Description = "Where to write it; without, into this folder.", HelpName = "FILE" };

    public static Verb Make() =>
        new Verb("support", "Gather versions, configuration, logs and metrics in one archive without secrets, for a report of a bug.",
            ("dure support", "writes dure-support-….tar.gz here"),
            ("dure support --out /tmp/report.tar.gz", "to a place of your own"))
        .With(Out)
        .Runs(async (call, cancel) =>
        {
            var data = RunningServer.Locate(call.Sources());
            var archive = new SupportArchive(data);
            await archive.AddMachineAsync(cancel);
            AddConfiguration(call, archive);
            archive.AddLog(ServerStart.LogIn(data));
            archive.AddLog(ServerStart.WorkerLogIn(data));
            await AddServerAsync(call, archive, cancel);
            var path = Path.GetFullPath(call.Get(Out) ?? $"dure-support-{call.Time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss", CultureInfo.InvariantCulture)}.tar.gz");
            try
            {
                await archive.WriteAsync(path, cancel);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return CommandErrors.FileProblem.With(error.Message);
            }
            foreach (var (name, bytes) in archive.Contents)
                call.Screen.Say($"  {name}, {Phrase.Size(bytes)}");
            call.Screen.Say("No secrets, keys, events, results or output of functions are in it. Look through it before you send it.");
            call.Screen.Line(path);
            return ExitCodes.Ok;
        });

    private static void AddConfiguration(Call call, SupportArchive archive)
    {
        var loaded = ConfigurationLoader.Load(call.Sources());
        archive.Add("configuration.txt", loaded.Ok
            ? string.Concat(loaded.Value.Values.Select(value => $"{value.Setting.Key} = {value.Shown}    ({value.Where})\n"))
            : ProblemText.Render(loaded.Problem, colour: false));
    }

    private static async Task AddServerAsync(Call call, SupportArchive archive, CancellationToken cancel)
    {
        var found = call.Client();
        if (!found.Ok)
        {
            archive.Add("server.txt", ProblemText.Render(found.Problem, colour: false));
            return;
        }
        using var client = found.Value;
        foreach (var (name, address) in new[] { ("health.json", "/api/health"), ("status.json", "/api/status"), ("metrics.txt", "/metrics"), ("retention.json", "/api/retention") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            var answer = await client.SendAsync(request, cancel);
            using var response = answer.Ok ? answer.Value : null;
            archive.Add(name, response is null ? ProblemText.Render(answer.Problem!, colour: false) : await response.Content.ReadAsStringAsync(cancel));
        }
    }
}
