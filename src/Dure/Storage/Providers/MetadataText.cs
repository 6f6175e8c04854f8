using System.Globalization;
using System.Text;

namespace Dure.Storage.Providers;

/// <summary>Metadata in a form that HTTP headers carry.</summary>
internal static class MetadataText
{
    /// <summary>The name under which an object's digest is kept.</summary>
    public const string Sha256 = "sha256";

    private const string Before = "=?UTF-8?B?";
    private const string After = "?=";

    /// <summary>What is kept with an object: the caller's, and the digest.</summary>
    public static Dictionary<string, string> Of(PutObject what, string? sha256)
    {
        var all = (what.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal))
            .ToDictionary(pair => pair.Key.ToLowerInvariant(), pair => pair.Value, StringComparer.Ordinal);
        if ((what.Sha256 ?? sha256) is { } digest)
        {
            all[Sha256] = digest;
        }

        return all;
    }

    /// <summary>A value as RFC 2047 writes it when it is not plain ASCII, the way Amazon's store itself shows such values.</summary>
    public static string Write(string value) =>
        value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && value.Trim().Length == value.Length && !value.StartsWith(Before, StringComparison.OrdinalIgnoreCase)
            ? value
            : Before + Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) + After;

    /// <summary>The value again.</summary>
    public static string Read(string text)
    {
        var buffer = new byte[text.Length];
        return text.StartsWith(Before, StringComparison.OrdinalIgnoreCase) && text.EndsWith(After, StringComparison.Ordinal) && text.Length >= Before.Length + After.Length
            && Convert.TryFromBase64Chars(text.AsSpan(Before.Length, text.Length - Before.Length - After.Length), buffer, out var count)
            ? Encoding.UTF8.GetString(buffer, 0, count)
            : text;
    }

    /// <summary>A name as an identifier of C#, which is all that Azure takes: letters and digits stay, others become <c>_</c> and two hex digits.</summary>
    public static string WriteIdentifier(string name)
    {
        var text = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsAsciiLetter(letter) || (char.IsAsciiDigit(letter) && text.Length > 0))
            {
                text.Append(letter);
            }
            else
            {
                text.Append('_').Append(((int)letter).ToString("x2", CultureInfo.InvariantCulture));
            }
        }

        return text.ToString();
    }

    /// <summary>The name again.</summary>
    public static string ReadIdentifier(string text)
    {
        var name = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var letter))
            {
                name.Append((char)letter);
                i += 2;
            }
            else
            {
                name.Append(text[i]);
            }
        }

        return name.ToString().ToLowerInvariant();
    }
}
