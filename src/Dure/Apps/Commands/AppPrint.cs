using System.Text.Json.Serialization;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary>How apps are shown.</summary>
internal static class AppPrint
{
    public static Outcome<int> List(Screen screen, IReadOnlyList<AppView> apps)
    {
        if (screen.Format == OutputFormat.Json)
            screen.Json(apps, AppsCommandJson.Default.IReadOnlyListAppView);
        else
        {
            screen.Table([new("app", 8), new("state", Painted: true), new("version", RightAligned: true), new("kind"), new("port", RightAligned: true), new("updated"), new("address", 12)],
                [.. apps.Select(app => (IReadOnlyList<string>)[app.Id, app.State, Text(app.Version), app.Kind, Text(app.Port), Phrase.Ago(app.UpdatedAt, screen.Time), app.Url])]);
        }

        return ExitCodes.Ok;
    }

    public static Outcome<int> Live(Screen screen, AppView app)
    {
        if (screen.Format == OutputFormat.Json)
            screen.Json(app, AppsCommandJson.Default.AppView);
        else
        {
            screen.Line(app.Url);
            screen.Say($"{app.Id} version {Text(app.Version)} is {app.State}");
        }

        return ExitCodes.Ok;
    }

    public static Outcome<int> Facts(Screen screen, AppView app)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(app, AppsCommandJson.Default.AppView);
            return ExitCodes.Ok;
        }

        screen.Facts(
        [
            ("app", $"{app.Id}, {app.State}"),
            ("address", $"{app.Url} ({app.Visibility})"),
            ("published", $"from {app.Origin} on {app.Machine} by {app.Owner}, {Phrase.Ago(app.UpdatedAt, screen.Time)}"),
            ("service", app.Service is { } service ? $"{service.Name} {service.State}{(service.Pid is { } pid ? $", process {pid}" : "")}{(service.Restarts > 0 ? $", restarted {service.Restarts} times" : "")}"
                + (service.Since is { } since ? $", since {Phrase.Ago(since, screen.Time)}" : "") : null),
            ("port", Text(app.Port)),
            ("health", app.Health?.Said),
            ("public", app.Public?.Said),
            ("certificate", app.Certificate is { } certificate ? $"{(certificate.Ok ? "" : "warning: ")}{certificate.Said} (seen {Phrase.Ago(certificate.SeenAt, screen.Time)})" : null),
            ("last error", app.LastError is { } error ? $"{error} ({Phrase.Ago(app.LastErrorAt ?? app.UpdatedAt, screen.Time)})" : null),
        ]);
        screen.Line("");
        screen.Table([new("version", RightAligned: true), new("state", Painted: true), new("port", RightAligned: true), new("size", RightAligned: true), new("published"), new("by")],
            [.. app.Versions.Select(version => (IReadOnlyList<string>)[Text(version.Number), version.State, Text(version.Port), Phrase.Size(version.SizeBytes), Phrase.Ago(version.CreatedAt, screen.Time), version.Owner])]);
        return ExitCodes.Ok;
    }

    public static Outcome<int> Diagnosis(Screen screen, AppDiagnosisView told)
    {
        if (screen.Format == OutputFormat.Json)
            screen.Json(told, AppsCommandJson.Default.AppDiagnosisView);
        else
            screen.Table([new("link"), new("state", Painted: true), new("said", 20)], [.. told.Links.Select(link => (IReadOnlyList<string>)[link.Link, link.Ok ? "ok" : "failed", link.Said])]);
        return told.Links.FirstOrDefault(link => !link.Ok) is { } broken ? AppErrors.Unwell.With($"{broken.Link}: {broken.Said}. Mend it: {broken.Remedy}") : ExitCodes.Ok;
    }

    private static string Text(int? number) => number is { } value ? FormattableString.Invariant($"{value}") : "-";
}

/// <summary>JSON that the verbs about apps print: the API's shapes, indented.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(PageView<AppView>))]
[JsonSerializable(typeof(IReadOnlyList<AppView>))]
[JsonSerializable(typeof(AppView))]
[JsonSerializable(typeof(AppDiagnosisView))]
[JsonSerializable(typeof(AppRollback))]
[JsonSerializable(typeof(PublishLine))]
internal sealed partial class AppsCommandJson : JsonSerializerContext;
