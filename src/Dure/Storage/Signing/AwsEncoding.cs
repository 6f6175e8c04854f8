using System.Buffers;
using System.Text;

namespace Dure.Storage.Signing;

/// <summary>Percent encoding as signatures need it: all but unreserved characters, in capital hex digits (RFC 3986, 2.3).</summary>
internal static class AwsEncoding
{
    private const string HexDigits = "0123456789ABCDEF";
    private static readonly SearchValues<char> Unreserved = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");
    private static readonly SearchValues<char> UnreservedOrSlash = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/");

    /// <summary>Encodes a text.</summary>
    /// <param name="keepSlash">Slashes stay, as in paths.</param>
    public static string Encode(string text, bool keepSlash = false)
    {
        if (!text.AsSpan().ContainsAnyExcept(keepSlash ? UnreservedOrSlash : Unreserved))
        {
            return text;
        }
        var made = new StringBuilder(text.Length + 16);
        Append(made, Encoding.UTF8.GetBytes(text), keepSlash);
        return made.ToString();
    }

    /// <summary>Brings a path or a piece of a query that is encoded in whatever way into the one form that is signed: decoded once, encoded anew.</summary>
    public static string Normalize(ReadOnlySpan<char> raw, bool keepSlash, bool plusIsSpace)
    {
        if (!raw.ContainsAnyExcept(keepSlash ? UnreservedOrSlash : Unreserved))
        {
            return raw.ToString();
        }
        var made = new StringBuilder(raw.Length + 16);
        Append(made, DecodeBytes(raw, plusIsSpace), keepSlash);
        return made.ToString();
    }

    /// <summary>Decodes once; a percent sign without two hex digits stays.</summary>
    public static string Decode(ReadOnlySpan<char> raw, bool plusIsSpace) =>
        raw.ContainsAny('%', '+') ? Encoding.UTF8.GetString(DecodeBytes(raw, plusIsSpace)) : raw.ToString();

    private static byte[] DecodeBytes(ReadOnlySpan<char> raw, bool plusIsSpace)
    {
        var bytes = Encoding.UTF8.GetBytes(raw.ToString());
        var to = 0;
        for (var at = 0; at < bytes.Length; at++)
        {
            var value = bytes[at];
            if (value == '%' && at + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[at + 1]) && char.IsAsciiHexDigit((char)bytes[at + 2]))
            {
                value = (byte)((Digit(bytes[at + 1]) << 4) | Digit(bytes[at + 2]));
                at += 2;
            }
            else if (value == '+' && plusIsSpace)
            {
                value = (byte)' ';
            }
            bytes[to++] = value;
        }
        return bytes[..to];
    }

    private static void Append(StringBuilder made, byte[] bytes, bool keepSlash)
    {
        foreach (var value in bytes)
        {
            if ((keepSlash ? UnreservedOrSlash : Unreserved).Contains((char)value))
            {
                made.Append((char)value);
            }
            else
            {
                made.Append('%').Append(HexDigits[value >> 4]).Append(HexDigits[value & 15]);
            }
        }
    }

    private static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
