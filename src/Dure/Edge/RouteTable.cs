using System.Collections.Frozen;

namespace Dure.Edge;

/// <summary>Every route there is. It never changes: a change makes another table, and who serves takes the whole of it at once.</summary>
public sealed class RouteTable
{
    public static readonly RouteTable Empty = new([]);

    private readonly FrozenDictionary<string, AppRoute> _byPrefix;

    private RouteTable(IEnumerable<AppRoute> routes) => _byPrefix = routes.ToFrozenDictionary(route => route.Prefix, StringComparer.Ordinal);

    public IEnumerable<AppRoute> All => _byPrefix.Values.OrderBy(route => route.Id, StringComparer.Ordinal);

    public static RouteTable Of(IEnumerable<AppRoute> routes) => new(routes);

    public RouteTable With(AppRoute route) => new([.. _byPrefix.Values.Where(known => known.Id != route.Id), route]);

    public RouteTable Without(string id) => new(_byPrefix.Values.Where(known => known.Id != id));

    public AppRoute? Find(string id) => _byPrefix.Values.FirstOrDefault(route => route.Id == id);

    /// <summary>The route of a path; <paramref name="bare"/> when it lacks only the slash at the end of the prefix.</summary>
    public AppRoute? Match(string path, out bool bare)
    {
        bare = false;
        for (var at = path.IndexOf('/', 1); at >= 0; at = path.IndexOf('/', at + 1))
        {
            if (_byPrefix.TryGetValue(path[..(at + 1)], out var found))
                return found;
        }

        bare = _byPrefix.TryGetValue(path + "/", out var exact);
        return exact;
    }
}
