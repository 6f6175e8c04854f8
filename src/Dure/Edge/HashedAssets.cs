using System.Text.RegularExpressions;

namespace Dure.Edge;

/// <summary>
/// Which files never change because their name holds a hash of their content: <c>assets/index-BxY3k9zQ.js</c>. A date or a word is no hash: eight characters at least, with a
/// letter and with a digit or a capital among them, in a folder where builds put such files.
/// </summary>
public static partial class HashedAssets
{
    /// <summary>The part of the pattern after the route's prefix, as PCRE and .NET both read it. It holds no quotation mark, brace or semicolon unquoted.</summary>
    public const string Pattern =
        @"(?:.*/)?(?:assets|static|immutable|_app|_next|_file|_import|_npm|_node|_observablehq)/(?:.*/)?[^/]*[.-](?=[^./]*[A-Za-z])(?=[^./]*[0-9A-Z])[A-Za-z0-9_-]{8,}\.(?:js|mjs|css|map|wasm|woff2?|ttf|svg|png|jpe?g|webp|gif|ico|json|csv|parquet|arrow)$";

    /// <summary>For how long they may be kept without asking.</summary>
    public const string CacheControl = "public, max-age=31536000, immutable";

    /// <summary>What not everybody may see is kept by the visitor's own browser only.</summary>
    public static string CacheControlOf(AppRoute route) => route.IsGuarded ? "private, max-age=31536000, immutable" : CacheControl;

    /// <param name="rest">What comes after the route's prefix.</param>
    public static bool Is(string rest) => Name().IsMatch(rest);

    [GeneratedRegex("^" + Pattern, RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Name();
}
