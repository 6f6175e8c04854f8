using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Every view of the portal, with an address on a server that has a bit of everything (<see cref="SmallLab"/>).</summary>
internal static class PortalViews
{
    /// <summary>Addresses by the pattern of their route in <c>web/src/routes.tsx</c>; several where the view has parts.</summary>
    public static IReadOnlyDictionary<string, string[]> ByRoute { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
    };

    /// <summary>All of them, for a theory. <c>ID</c> stands for an invocation that failed.</summary>
    public static TheoryData<string> All => [.. ByRoute.Values.SelectMany(paths => paths), "/no/such/page"];
}
