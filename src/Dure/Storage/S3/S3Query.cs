using System.Buffers;
using System.Globalization;
using System.Text;

namespace Dure.Storage.S3;

/// <summary>The query of a request, in the order in which it came.</summary>
internal readonly struct S3Query(IReadOnlyList<(string Name, string Value)> pairs)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static readonly S3Query Empty = new([]);

    public IReadOnlyList<(string Name, string Value)> Pairs { get; } = pairs;

    /// <summary>The first value of a name; null when it is not there.</summary>
    public string? this[string name]
    {
        get
        {
            for (var i = 0; i < Pairs.Count; i++)
            {
                if (Pairs[i].Name == name)
                    return Pairs[i].Value;
            }
            return null;
        }
    }

    public bool Has(string name) => this[name] is not null;

    /// <summary>Reads what stands after the question mark; null when it is no UTF-8.</summary>
    public static S3Query? Parse(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return Empty;
        var pairs = new List<(string, string)>();
        foreach (var range in text.Split('&'))
        {
            var pair = text[range];
            if (pair.IsEmpty)
                continue;
            var equals = pair.IndexOf('=');
            var name = Decode(equals < 0 ? pair : pair[..equals], plusIsSpace: true);
            var value = equals < 0 ? "" : Decode(pair[(equals + 1)..], plusIsSpace: true);
            if (name is null || value is null)
                return null;
            pairs.Add((name, value));
        }
        return new S3Query(pairs);
    }

    /// <summary>Takes off percent signs; one that is followed by no hex digits stays. Null when the result is no UTF-8.</summary>
    public static string? Decode(ReadOnlySpan<char> text, bool plusIsSpace)
    {
        if (text.IndexOfAnyExceptInRange('!', '~') < 0 && text.IndexOfAny('%', '+') < 0)
            return text.ToString();
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = 0;
            for (var i = 0; i < text.Length; i++)
            {
                if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var one))
                {
                    bytes[length++] = one;
                    i += 2;
                }
                else if (text[i] == '+' && plusIsSpace)
                {
                    bytes[length++] = (byte)' ';
                }
                else if (text[i] < 0x80)
                {
                    bytes[length++] = (byte)text[i];
                }
                else
                {
                    var width = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                    length += Encoding.UTF8.GetBytes(text.Slice(i, width), bytes.AsSpan(length));
                    i += width - 1;
                }
            }
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>A key as listings with <c>encoding-type=url</c> tell it: RFC 3986, slashes as they are.</summary>
    public static string Encode(string text) => Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal);
}
