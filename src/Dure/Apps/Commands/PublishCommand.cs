using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;
using Dure.Apps.Detect;
using Dure.Host.Files;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps publish</c>, in short <c>dure publish</c>: from a notebook to an address.</summary>
internal static class PublishCommand
{
    private static readonly Argument<string> SourcePath = new("path") { Description = "A notebook, another file, or a folder.", DefaultValueFactory = _ => "." };

    private static readonly Option<string?> Id = new("--id")
    {
        Description = "Its id, the last part of its address; else `id` of app.yaml, else the name of the file or folder.",
        HelpName = "ID",
    };

    private static readonly Option<bool> Replace = new("--replace") { Description = "Also in the place of an app that was published from elsewhere." };

    public static Verb Make() =>
        new Verb("publish", "Publish a notebook, a folder, or anything that listens on $PORT; the next version replaces it without a gap.",
            ("dure publish paper.py", "a marimo notebook, served from its project's own environment"),
            ("dure publish . --id attention", "a folder, under another id"),
            ("dure publish site", "a folder of files with index.html"))
        .With(SourcePath, Id, Replace)
        .Calls(async (call, client, cancel) =>
        {
            if (Elsewhere(client) is { } elsewhere)
                return elsewhere;
            var project = Project.At(call.Get(SourcePath)!);
            if (!project.Ok)
                return project.Problem;
            var settings = project.Value.Settings();
            if (!settings.Ok)
                return settings.Problem;
            var spec = Detection.Find(project.Value, settings.Value);
            if (!spec.Ok)
                return spec.Problem;
            var id = call.Get(Id) ?? settings.Value.Id ?? AppSpec.IdFrom(project.Value.Name);
            if (id is null || AppSpec.IdFault(id) is not null)
                return AppErrors.BadId.With(id is null ? $"'{project.Value.Name}' gives no id." : AppSpec.IdFault(id)!);
            call.Screen.Say($"{project.Value.Origin} is served as {spec.Value.Kind}");
            var published = await PublishAsync(call.Screen, client, project.Value, settings.Value, spec.Value, id, call.Get(Replace), cancel);
            return published.Ok ? AppPrint.Live(call.Screen, published.Value) : published.Problem;
        });

    /// <summary>Why nothing can be published by this server: what is published stays on its own machine. Null when it is this one.</summary>
    public static Problem? Elsewhere(DureClient client) =>
        client.Endpoint.Url.IsLoopback ? null : AppErrors.NoServer.With($"{client.Endpoint.Url.GetLeftPart(UriPartial.Authority)} is another machine.");

    /// <summary>Packs a project, sends it, and passes on how it goes.</summary>
    /// <param name="replace">Also in the place of an app from elsewhere.</param>
    public static async Task<Outcome<AppView>> PublishAsync(Screen screen, DureClient client, Project project, AppSettings settings, AppSpec spec, string id, bool replace, CancellationToken cancel)
    {
        await using var package = ScratchFile.Create();
        return await Working.RunAsync(screen, "packing", async working =>
        {
            var packed = await AppPackage.PackAsync(project, settings.Exclude, package, cancel);
            if (!packed.Ok)
                return packed.Problem;
            package.Position = 0;
            working.Say($"sending {Phrase.Size(package.Length)}");
            var query = $"?origin={Uri.EscapeDataString(project.Origin)}{(replace ? "&replace=true" : "")}";
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/apps/{Uri.EscapeDataString(id)}/versions{query}") { Content = new StreamContent(package) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/gzip");
            request.Headers.Add(AppsApi.SpecHeader, Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(spec, SpecJson.Default.AppSpec)));
            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok)
                return sent.Problem;
            using var response = sent.Value;
            return await ReadAsync(response, working, cancel);
        });
    }

    /// <summary>Passes on how it goes until there is an app or a problem.</summary>
    private static Task<Outcome<AppView>> ReadAsync(HttpResponseMessage response, Working working, CancellationToken cancel) =>
        DureClient.ReadUntilAsync<PublishLine, AppView>(response, AppsCommandJson.Default.PublishLine, line =>
        {
            if (line.Problem is { } problem)
                return DureClient.ToProblem(problem);
            if (line.App is { } app)
                return app;
            if (line.Progress is { } kept && kept.StartsWith(Publisher.CopiedMark, StringComparison.Ordinal))
                working.Log(kept);
            else if (line.Progress is { } progress)
                working.Say(progress);
            return null;
        }, "The connection was lost while the app was brought up; the server finishes it when it is back: ", "The answer ended before it said how it went.", cancel);
}
