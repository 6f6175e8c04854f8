using System.Text;
using Microsoft.Extensions.Primitives;

namespace Dure.Storage.Signing;

/// <summary>
/// The text of a request that Signature Version 4 signs
/// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). S3 neither normalizes paths nor encodes them twice.
/// </summary>
internal static class CanonicalRequest
{
    private const string SignatureName = "X-Amz-Signature";

    /// <summary>Makes the text.</summary>
    /// <param name="signedHeaders">Lower-case names, in the order in which the client named them.</param>
    /// <param name="payload">Hex SHA-256 of the body or one of the words that stand for it.</param>
    public static string Make(string method, RequestTarget target, IReadOnlyList<string> signedHeaders, Func<string, StringValues> header, string payload)
    {
        var made = new StringBuilder(512);
        made.Append(method).Append('\n').Append(AwsEncoding.Normalize(target.Path, keepSlash: true, plusIsSpace: false)).Append('\n');
        AppendQuery(made, target);
        made.Append('\n');
        foreach (var name in signedHeaders)
        {
            made.Append(name).Append(':');
            AppendValues(made, header(name));
            made.Append('\n');
        }
        made.Append('\n').AppendJoin(';', signedHeaders).Append('\n').Append(payload);
        return made.ToString();
    }

    /// <summary>Joins a header's values with commas; spaces at the ends go and sequences of them become one.</summary>
    public static void AppendValues(StringBuilder made, StringValues values)
    {
        for (var at = 0; at < values.Count; at++)
        {
            if (at > 0)
            {
                made.Append(',');
            }
            var start = made.Length;
            var space = false;
            foreach (var letter in values[at] ?? "")
            {
                if (letter is ' ' or '\t')
                {
                    space = made.Length > start;
                    continue;
                }
                if (space)
                {
                    made.Append(' ');
                    space = false;
                }
                made.Append(letter);
            }
        }
    }

    private static void AppendQuery(StringBuilder made, RequestTarget target)
    {
        var pairs = target.Pairs.Where(pair => !pair.Name.Equals(SignatureName, StringComparison.OrdinalIgnoreCase)).ToArray();
        Array.Sort(pairs, static (a, b) => string.CompareOrdinal(a.Name, b.Name) is not 0 and var order ? order : string.CompareOrdinal(a.Value, b.Value));
        for (var at = 0; at < pairs.Length; at++)
        {
            made.Append(at > 0 ? "&" : "").Append(pairs[at].Name).Append('=').Append(pairs[at].Value);
        }
    }
}
