using System.Net;

namespace Dure.Storage.S3;

/// <summary>Rules of bucket names (S3 user guide, "General purpose bucket naming rules").</summary>
internal static class BucketNames
{
    private static readonly string[] Prefixes = ["xn--", "sthree-", "amzn-s3-demo-"];
    private static readonly string[] Suffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

    public static bool IsValid(string name)
    {
        if (name.Length is < 3 or > 63 || !char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1]))
            return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.'))
                return false;
        }
        return !name.Contains("..", StringComparison.Ordinal)
            && !(IPAddress.TryParse(name, out _) && name.AsSpan().Count('.') == 3)
            && !Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal))
            && !Array.Exists(Suffixes, suffix => name.EndsWith(suffix, StringComparison.Ordinal));
    }
}
