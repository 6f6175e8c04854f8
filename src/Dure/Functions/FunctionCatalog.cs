using System.Collections.Concurrent;

namespace Dure.Functions;

/// <summary>The functions as this server knows them: every look-up on the way of a call is here, in memory.</summary>
public sealed class FunctionCatalog
{
    private readonly ConcurrentDictionary<string, Function> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, FunctionVersion> _versions = new();

    /// <summary>Every function, by name.</summary>
    public IEnumerable<Function> All => _byName.Values.OrderBy(f => f.Name, StringComparer.Ordinal);

    /// <summary>Hears of every function that is taken in.</summary>
    public Action<Function> Changed { get; set; } = _ => { };

    /// <summary>Takes in a function or its new state.</summary>
    public void Put(Function function)
    {
        foreach (var version in function.Versions)
            _versions[version.Id] = version;
        if (!function.Deleted)
            _byName[function.Name] = function;
        Changed(function);
    }

    /// <summary>Hears the name of every function that is taken out.</summary>
    public Action<string> Removed { get; set; } = _ => { };

    /// <summary>Takes a function out; its versions stay known while they run.</summary>
    public void Remove(string name)
    {
        if (_byName.TryRemove(name, out _))
            Removed(name);
    }

    /// <summary>Finds by name.</summary>
    public Function? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Finds by id.</summary>
    public Function? Find(long id) => _byName.Values.FirstOrDefault(f => f.Id == id);

    /// <summary>Finds a version by id, also of deleted functions.</summary>
    public FunctionVersion? Version(long id) => _versions.GetValueOrDefault(id);
}
