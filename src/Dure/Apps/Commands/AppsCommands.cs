using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps</c>: published papers and other web apps.</summary>
internal static class AppsCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The app." };
    private static readonly Argument<string?> SomeId = new("id") { Description = "The app; without, all of them.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<int?> To = new("--to") { Description = "This version; without, the one that was live before.", HelpName = "VERSION" };
    private static readonly Option<int> Lines = new("--lines", "-n") { Description = "The last lines.", HelpName = "NUMBER", DefaultValueFactory = _ => 100 };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Also those to come." };
    private static readonly Option<int?> Version = new("--version") { Description = "Of this version; without, of the live one.", HelpName = "VERSION" };
    private static readonly Option<bool> OnEdge = new("--edge") { Description = "What the edge's nginx wrote about it: requests, then errors." };
    private static readonly Option<bool> WithoutEdge = new("--without-edge") { Description = "Also when the edge machine cannot be told; its snippet stays there." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Verb Make() => new Verb("apps", "Publish notebooks and other web apps, and look after them.")
        .With(InitAppCommand.Make(), PublishCommand.Make(), MakeList(), MakeStatus(), MakeLogs(), MakeRollback(), MakeRestart(), MakeUnpublish(), MakeDoctor(), LinkCommand.Make(), AdoptCommand.Make(), ServeCommand.Make())
        .With(ShareCommands.Make());

    private static Verb MakeList() =>
        new Verb("list", "List what is published.",
            ("dure apps list", "with where it is read and how it is"),
            ("dure apps list --format json", "for a program"))
        .Alias("ls")
        .Calls(async (call, client, cancel) => await ListAsync(call, client, cancel));

    private static Verb MakeStatus() =>
        new Verb("status", "Show service, port, health, public address and versions of an app.",
            ("dure apps status attention", "everything about one, as it is seen now"),
            ("dure apps status", "a line for each"))
        .With(SomeId)
        .Calls(async (call, client, cancel) =>
        {
            if (call.Get(SomeId) is null)
                return await ListAsync(call, client, cancel);
            var app = await client.GetAsync(PathOf(call.Get(SomeId)!), AppsCommandJson.Default.AppView, cancel);
            return app.Ok ? AppPrint.Facts(call.Screen, app.Value) : app.Problem;
        });

    private static Verb MakeLogs() =>
        new Verb("logs", "Show what an app wrote.",
            ("dure apps logs attention", "the last 100 lines of the live version"),
            ("dure apps logs attention --follow", "as they come"),
            ("dure apps logs attention --edge -f", "who asks for it, on the machine in front"))
        .With(Id, Lines, Follow, Version, OnEdge)
        .Calls(async (call, client, cancel) =>
        {
            var query = FormattableString.Invariant($"?lines={call.Get(Lines)}&follow={(call.Get(Follow) ? "true" : "false")}{(call.Get(Version) is { } version ? $"&version={version}" : "")}{(call.Get(OnEdge) ? "&edge=true" : "")}");
            using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(call.Get(Id)!) + "/logs" + query);
            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok)
                return sent.Problem;
            using var response = sent.Value;
            await foreach (var line in DureClient.ReadLinesAsync(response, cancel))
                call.Screen.Line(line);
            return ExitCodes.Ok;
        });

    private static Verb MakeRollback() =>
        new Verb("rollback", "Make an earlier version live, without a gap.",
            ("dure apps rollback attention", "the one that was live before"),
            ("dure apps rollback attention --to 3", "a certain one of those that are kept"))
        .With(Id, To)
        .Calls(async (call, client, cancel) =>
        {
            var body = DureClient.Json(new AppRollback(call.Get(To)), AppsCommandJson.Default.AppRollback);
            return await ChangeAsync(call, "starting the other version", () => client.SendAsync(HttpMethod.Post, PathOf(call.Get(Id)!) + "/rollback", body, AppsCommandJson.Default.AppView, cancel));
        });

    private static Verb MakeRestart() =>
        new Verb("restart", "Restart an app's process, and write its snippet on the edge again.",
            ("dure apps restart attention", "what it held in memory is gone"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
            await ChangeAsync(call, "restarting", () => client.SendAsync(HttpMethod.Post, PathOf(call.Get(Id)!) + "/restart", null, AppsCommandJson.Default.AppView, cancel)));

    private static Verb MakeUnpublish() =>
        new Verb("unpublish", "Take an app away, with all its versions and what it kept, from both machines.",
            ("dure apps unpublish attention", "asks first"),
            ("dure apps unpublish attention --yes", "does not"))
        .With(Id, WithoutEdge, Yes)
        .Calls(async (call, client, cancel) =>
        {
            var id = call.Get(Id)!;
            var confirmed = await call.ConfirmAsync($"Take {id} away with all its versions and what it kept?", call.Get(Yes), cancel);
            if (!confirmed.Ok)
                return confirmed.Problem;
            var gone = await client.SendAsync(HttpMethod.Delete, PathOf(id) + (call.Get(WithoutEdge) ? "?without_edge=true" : ""), null, cancel);
            if (!gone.Ok)
                return gone.Problem;
            call.Screen.Say($"{id} is gone");
            return ExitCodes.Ok;
        });

    private static Verb MakeDoctor() =>
        new Verb("doctor", "Walk the way from the process to the browser and name the first broken link.",
            ("dure apps doctor attention", "with the command that mends it"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var told = await client.GetAsync(PathOf(call.Get(Id)!) + "/doctor", AppsCommandJson.Default.AppDiagnosisView, cancel);
            return told.Ok ? AppPrint.Diagnosis(call.Screen, told.Value) : told.Problem;
        });

    private static async Task<Outcome<int>> ListAsync(Call call, DureClient client, CancellationToken cancel)
    {
        var apps = await client.ListAsync("/api/apps", int.MaxValue, AppsCommandJson.Default.PageViewAppView, cancel);
        return apps.Ok ? AppPrint.List(call.Screen, apps.Value) : apps.Problem;
    }

    private static async Task<Outcome<int>> ChangeAsync(Call call, string what, Func<Task<Outcome<AppView>>> change)
    {
        var changed = await Working.RunAsync(call.Screen, what, _ => change());
        return changed.Ok ? AppPrint.Live(call.Screen, changed.Value) : changed.Problem;
    }

    private static string PathOf(string id) => "/api/apps/" + Uri.EscapeDataString(id);
}
