namespace Dure.Host.Live;

/// <summary>
/// Where a stream stands, as the <c>id</c> of its events: marks of the topics, each a short key and value, such as
/// <c>t=1764166000123~3f2k0a1b2c3d4=512</c>. Whoever takes the stream up again, at any server, goes on from there.
/// </summary>
internal static class LiveCursor
{
    private const int LengthMax = 4096;

    /// <summary>Writes marks.</summary>
    public static string Write(IEnumerable<KeyValuePair<string, string>> marks) =>
        string.Join('~', marks.OrderBy(mark => mark.Key, StringComparer.Ordinal).Select(mark => $"{mark.Key}={mark.Value}"));

    /// <summary>Reads what <see cref="Write"/> wrote; what is not understood is left out, and so begins anew.</summary>
    public static Dictionary<string, string> Read(string? text)
    {
        var marks = new Dictionary<string, string>(StringComparer.Ordinal);
        if (text is null or { Length: > LengthMax })
            return marks;
        foreach (var part in text.Split('~'))
        {
            if (part.Split('=') is [{ Length: > 0 } key, var value])
                marks[key] = value;
        }
        return marks;
    }
}
