using System.Text.Json.Serialization;
using Dure.Apps.Adopting;
using Dure.Edge.Foreign;
using Dure.Host;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary>How what is served by hand is shown.</summary>
internal static class AdoptPrint
{
    public static Outcome<int> List(Screen screen, IReadOnlyList<ByHand> all)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(all, AdoptCommandJson.Default.IReadOnlyListByHand);
            return ExitCodes.Ok;
        }

        screen.Table([new("app", 8), new("state", Painted: true), new("port", RightAligned: true), new("service", 8), new("user"), new("folder", 12), new("location", 12), new("address", 12)],
            [.. all.Select(one => (IReadOnlyList<string>)[one.Id, StateOf(one), one.Port is { } port ? FormattableString.Invariant($"{port}") : "-", one.Unit ?? "-", one.User ?? "-", one.Folder ?? "-", one.Location ?? "-", one.Url ?? "-"])]);
        foreach (var one in all)
        {
            foreach (var what in one.Obstacles)
                screen.Line($"{one.Id}: {what}");
        }

        screen.Note(all.Count == 0 ? "Nothing that is served by hand was found." : "dure apps adopt ID takes one over; with --dry-run it only shows how.");
        return ExitCodes.Ok;
    }

    /// <summary>One, and what would be done with it.</summary>
    /// <param name="spec">How it would be started; null when it cannot be taken over.</param>
    /// <param name="location">What would leave the edge's file; null when it cannot be taken over.</param>
    public static void One(Screen screen, ByHand one, AppSpec? spec, ForeignLocation? location)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(one, AdoptCommandJson.Default.ByHand);
            return;
        }

        screen.Facts(
        [
            ("app", $"{one.Id}, {StateOf(one)}"),
            ("address", one.Url),
            ("service", one.Unit is null ? null : FormattableString.Invariant($"{one.Unit}, port {one.Port}{(one.User is null ? "" : $", as {one.User}")}")),
            ("command", one.Command),
            ("folder", one.Folder),
            ("health", one.Said),
            ("listed", one.State),
            ("becomes", spec?.Command.ReplaceLineEndings("; ")),
            .. one.Notes.Select(note => ("note", (string?)note)),
        ]);
        if (location is null)
            return;
        screen.Line("");
        screen.Line($"# leaves {location.File}, lines {FormattableString.Invariant($"{location.Line} to {location.LastLine}")}");
        screen.Line(location.Text);
    }

    private static string StateOf(ByHand one) => !one.Ready ? "hindered" : one.Healthy ? "ready" : "unwell";
}

/// <summary>JSON of what is served by hand, as it is read and printed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(FoundByHand))]
[JsonSerializable(typeof(IReadOnlyList<ByHand>))]
[JsonSerializable(typeof(ByHand))]
internal sealed partial class AdoptCommandJson : JsonSerializerContext;
