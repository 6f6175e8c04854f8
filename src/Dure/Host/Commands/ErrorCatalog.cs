using System.Reflection;

namespace Dure.Host.Commands;

/// <summary>Every kind of problem there is, found in the static fields of this program's types.</summary>
public static class ErrorCatalog
{
    private static readonly Lazy<IReadOnlyList<ErrorKind>> Found = new(() =>
    [
        .. typeof(ErrorCatalog).Assembly.GetTypes()
            .Where(type => type.IsClass && type.Name.EndsWith("Errors", StringComparison.Ordinal))
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => field.FieldType == typeof(ErrorKind))
            .Select(field => (ErrorKind)field.GetValue(null)!)
            .OrderBy(kind => kind.Id, StringComparer.Ordinal),
    ]);

    /// <summary>All of them, by id.</summary>
    public static IReadOnlyList<ErrorKind> All => Found.Value;

    /// <summary>The kind with this id; null when this version knows none, as when a newer server tells of it.</summary>
    public static ErrorKind? Find(string id) => All.FirstOrDefault(kind => kind.Id == id);
}
