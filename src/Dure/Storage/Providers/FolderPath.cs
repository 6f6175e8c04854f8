using System.Buffers;
using System.Globalization;
using System.Text;

namespace Dure.Storage.Providers;

/// <summary>
/// Where an object lies below its folder: plain names stay readable, all other bytes become <c>%xx</c>; an object's file ends in <c>.object</c>, so that
/// <c>a</c> and <c>a/b</c> can both be objects; a segment of 80 bytes or more goes on in a folder within, since names of files end at 255. Every key has
/// one path and every path one key, and the order of keys can be told folder by folder.
/// </summary>
internal static class FolderPath
{
    /// <summary>Ends the name of every object's file.</summary>
    public const string Suffix = ".object";

    /// <summary>Ends the name of a folder in which a segment goes on.</summary>
    private const string GoesOn = "%+";

    /// <summary>Stands for nothing at all, which cannot be a name.</summary>
    private const string Empty = "%_";

    private const int ChunkBytes = 80;

    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=,@"u8);

    /// <summary>The path of a key, relative to the folder.</summary>
    public static string Of(string key)
    {
        var path = new StringBuilder();
        var segments = key.Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            var rest = Encoding.UTF8.GetBytes(segments[i]).AsSpan();
            while (rest.Length >= ChunkBytes)
            {
                Append(path, rest[..ChunkBytes]);
                path.Append(GoesOn).Append('/');
                rest = rest[ChunkBytes..];
            }

            Append(path, rest);
            path.Append(i < segments.Length - 1 ? "/" : Suffix);
        }

        return path.ToString();
    }

    /// <summary>The bytes that a file's or folder's name adds to the key; null when it is none of ours.</summary>
    public static byte[]? Read(string name, bool isFolder)
    {
        if (!isFolder)
        {
            return name.EndsWith(Suffix, StringComparison.Ordinal) ? Decode(name[..^Suffix.Length]) : null;
        }

        return name.EndsWith(GoesOn, StringComparison.Ordinal) ? Decode(name[..^GoesOn.Length])
            : Decode(name) is { } segment ? [.. segment, (byte)'/']
            : null;
    }

    private static void Append(StringBuilder path, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            path.Append(Empty);
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            // A dot in front would hide it or mean the folder above.
            if (Plain.Contains(bytes[i]) && !(i == 0 && bytes[i] == '.'))
            {
                path.Append((char)bytes[i]);
            }
            else
            {
                path.Append('%').Append(bytes[i].ToString("x2", CultureInfo.InvariantCulture));
            }
        }
    }

    private static byte[]? Decode(string name)
    {
        if (name == Empty)
        {
            return [];
        }

        var bytes = new byte[name.Length];
        var count = 0;
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] != '%' && name[i] < 0x80)
            {
                bytes[count++] = (byte)name[i];
            }
            else if (name[i] == '%' && i + 2 < name.Length && byte.TryParse(name.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes[count++] = value;
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return count == 0 ? null : bytes[..count];
    }
}
