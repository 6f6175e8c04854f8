using Dure.Edge.Foreign;

namespace Dure.Apps.Adopting;

/// <summary>What was found on both machines.</summary>
/// <param name="Prefix">Below which published apps live.</param>
/// <param name="PublicUrl">Of the edge, without a slash at its end.</param>
/// <param name="Published">Ids that are taken.</param>
/// <param name="Unread">What could not be read, each with where it is.</param>
public sealed record FoundByHand(string Prefix, string PublicUrl, string Edge, IReadOnlyList<FoundUnit> Units, IReadOnlyList<ForeignLocation> Locations, IReadOnlyList<string> Published, IReadOnlyList<string> Unread);

/// <summary>Something that is served by hand, as far as its parts were found.</summary>
/// <param name="Url">Where it is read now; null when no location leads to it.</param>
/// <param name="Location">File and line on the edge.</param>
/// <param name="State">File and line of the list that names it.</param>
/// <param name="Obstacles">What stands in the way of taking it over; none when it can be.</param>
/// <param name="Notes">What will be otherwise.</param>
public sealed record ByHand(string Id, string? Path, string? Url, string? Unit, int? Port, string? Folder, string? Command, string? User, bool Running, bool Healthy, string? Said, string? Location, string? State,
    IReadOnlyList<string> Obstacles, IReadOnlyList<string> Notes)
{
    public bool Ready => Obstacles.Count == 0;
}

/// <summary>Joins units, locations and lists of ports: what has the same port is the same app.</summary>
internal static class Adoption
{
    /// <summary>Ports that apps have by custom: a location that leads to one is worth a word, also when nothing listens there.</summary>
    private const int CustomFirst = 27000;
    private const int CustomLast = 27999;

    /// <summary>What is served by hand. A service that is off, and that no location leads to, is not.</summary>
    public static IReadOnlyList<ByHand> Join(FoundByHand found, IReadOnlyList<StateEntry> state)
    {
        var all = found.Units.Where(unit => !unit.Off || found.Locations.Any(location => location.Port == unit.Port)).Select(unit => Of(found, unit, unit.Port, state)).ToList();
        // Those that are off as well: a list that still names one tells nothing.
        var served = found.Units.Select(unit => unit.Port).OfType<int>().ToHashSet();
        var rest = state.Select(entry => entry.Port).Concat(found.Locations.Select(location => location.Port).OfType<int>().Where(port => port is >= CustomFirst and <= CustomLast));
        all.AddRange(rest.Where(port => !served.Contains(port)).Distinct().Select(port => Of(found, null, port, state)));
        return [.. all.Select(one => all.Count(other => other.Id == one.Id) == 1 ? one : one with { Obstacles = [.. one.Obstacles, $"the id {one.Id} is not its alone"] })
            .OrderBy(one => one.Id, StringComparer.Ordinal)];
    }

    private static ByHand Of(FoundByHand found, FoundUnit? unit, int? port, IReadOnlyList<StateEntry> state)
    {
        var obstacles = unit?.Obstacles.ToList() ?? [];
        var notes = unit?.Notes.ToList() ?? [];
        var locations = port is null ? [] : found.Locations.Where(location => location.Port == port).ToList();
        var entry = port is null ? null : state.FirstOrDefault(one => one.Port == port);
        if (unit is null)
            obstacles.Add(FormattableString.Invariant($"no service of this machine is known to listen on port {port}"));
        else if (found.Units.FirstOrDefault(other => other != unit && other.Port == port && port is not null) is { } twin)
            obstacles.Add(FormattableString.Invariant($"port {port} is also that of {twin.Name}"));
        else if (!unit.Healthy && unit.Running && port is not null)
            obstacles.Add($"it is not well now: {unit.Said ?? "nobody asked it"}");
        var location = Choose(found, locations, port, obstacles);
        var id = IdOf(location) ?? AppSpec.IdFrom(entry?.Id ?? "") ?? unit?.Id ?? FormattableString.Invariant($"port-{port}");
        if (entry is not null && AppSpec.IdFrom(entry.Id) != id)
            notes.Add($"{entry.At} calls it {entry.Id}");
        if (location is not null)
            Fit(found, location, id, obstacles);
        if (found.Published.Contains(id, StringComparer.Ordinal))
            obstacles.Add($"{id} is published already: dure apps status {id}");
        return new(id, location?.Path, location is null ? null : found.PublicUrl + location.Path, unit?.Name, port, unit?.Folder, unit?.Command, unit?.User, unit?.Running == true, unit?.Healthy == true, unit?.Said,
            location?.At, entry?.At, obstacles, notes);
    }

    private static ForeignLocation? Choose(FoundByHand found, List<ForeignLocation> locations, int? port, List<string> obstacles)
    {
        if (locations.Count == 0 && port is not null)
            obstacles.Add(FormattableString.Invariant($"no location on {found.Edge} leads to port {port}{(found.Unread.Count > 0 ? $", as far as it could be read: {string.Join("; ", found.Unread)}" : "")}"));
        if (locations.Select(location => location.Path.TrimEnd('/')).Distinct(StringComparer.Ordinal).Count() > 1)
            obstacles.Add($"several locations lead to it: {string.Join(", ", locations.Select(location => $"{location.Path} at {location.At}"))}");
        foreach (var refused in locations.Where(location => location.Refusal is not null))
            obstacles.Add($"the location at {refused.At} cannot be taken over: {refused.Refusal}");
        return locations.FirstOrDefault(location => location.Path.StartsWith(found.Prefix + "/", StringComparison.Ordinal)) ?? locations.FirstOrDefault();
    }

    // Its address is what people know: the last part of it is what it is called.
    private static string? IdOf(ForeignLocation? location) =>
        location?.Path.TrimEnd('/') is { } bare && bare[(bare.LastIndexOf('/') + 1)..] is var last && AppSpec.IdFault(last) is null ? last : null;

    private static void Fit(FoundByHand found, ForeignLocation location, string id, List<string> obstacles)
    {
        var bare = location.Path.TrimEnd('/');
        if (bare == $"{found.Prefix}/{id}")
            return;
        var above = bare.LastIndexOf('/') is > 0 and var slash ? bare[..slash] : null;
        obstacles.Add(IdOf(location) is null || above is null
            ? $"its address {location.Path} cannot be that of an app, whose is {found.Prefix}/ID/: publish its folder, and it has a new one"
            : $"it lives at {location.Path}, and apps below {found.Prefix}: set apps.prefix: {above} in dure.yaml and restart Dure (what is published already moves, too), or publish its folder and it moves to {found.Prefix}/{id}/");
    }
}
