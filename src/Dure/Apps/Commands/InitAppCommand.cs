using System.CommandLine;
using Dure.Apps.Detect;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps init</c>: writes an app.yaml that says what would be done without one.</summary>
internal static class InitAppCommand
{
    private static readonly Argument<string> SourcePath = new("path") { Description = "A notebook or a folder.", DefaultValueFactory = _ => "." };

    public static Verb Make() =>
        new Verb("init", "Write an app.yaml with what is detected, to be changed.",
            ("dure apps init", "for the folder where you are"),
            ("dure apps init paper.py", "for a notebook, beside it"))
        .With(SourcePath)
        .Runs(async (call, cancel) =>
        {
            var project = Project.At(call.Get(SourcePath)!);
            if (!project.Ok)
                return project.Problem;
            var file = Path.Combine(project.Value.Folder, AppYaml.FileName);
            if (File.Exists(file))
                return AppErrors.FileExists.With(file);
            var found = Detection.Find(project.Value, new AppSettings());
            if (!found.Ok && found.Problem.Kind != AppErrors.NothingRecognised && found.Problem.Kind != AppErrors.ProgramMissing)
                return found.Problem;
            await File.WriteAllTextAsync(file, Text(project.Value, found.Ok ? found.Value : null), cancel);
            call.Screen.Line(file);
            if (!found.Ok)
                call.Screen.Warn(found.Problem.Detail);
            return ExitCodes.Ok;
        });

    internal static string Text(Project project, AppSpec? spec) =>
        $"""
        # How this folder is published by `dure publish`. Every key may be left out.
        id: {AppSpec.IdFrom(project.Name) ?? "my-app"}
        # For the index of what is published.
        #title: {project.Name}
        #authors: [Ada Lovelace]
        #date: 2026-11
        #abstract: What it is about, in plain words.
        #tags: [thesis]
        # What it is: marimo, jupyter, shiny or static; without, it is detected. With `command:` it is neither.
        {(spec is null ? "#kind: marimo" : $"kind: {spec.Kind}")}
        # The notebook or folder inside that is served.
        {(project.Entry is null ? "#entry: paper.py" : $"entry: {project.Entry}")}
        # Anything else: a command that listens on $HOST and $PORT and serves below $BASE_PATH.
        #command: python3 serve.py
        # Below the app's path; it is well when this answers.
        {(spec is { Health.Length: > 0 } ? $"health: {spec.Health}" : "#health: health")}
        #start_timeout: 60s
        # For how long the version before serves those who are still connected to it.
        #drain: 10m
        # Stopped when nobody asked for it for so long; its next visitor starts it again. What it held in memory is gone then.
        #sleep_after: 12h
        #memory: 4GiB
        # all, none, or indices such as 0,1
        #gpus: all
        #environment:
        #  NAME: value
        # Largest upload.
        #upload_limit: 64MiB
        # public; members: who has an account here; link: who has a link; local: no edge machine is told of it.
        #visibility: public
        # keep, or strip for apps that want to be at /.
        {(spec is { KeepsPrefix: false } ? "base_path: strip" : "#base_path: keep")}
        #cache_hashed: true
        # The web application firewall of the edge: off, detect or block; exclude what `dure waf log` proposes.
        #waf:
        #  mode: block
        #  paranoia: 1
        #  exclude: [942100 search q]
        #exclude: [data]

        """;
}
