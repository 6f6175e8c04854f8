using System.Text;

namespace Dure.Storage.Store;

/// <summary>Keys in the order of their UTF-8 bytes, which is the order of their code points.</summary>
internal static class KeyOrder
{
    /// <summary>The least text that is greater than everything that begins with a prefix; null when there is none.</summary>
    public static string? After(string prefix)
    {
        var runes = prefix.EnumerateRunes().ToList();
        while (runes.Count > 0)
        {
            var last = runes[^1].Value;
            runes.RemoveAt(runes.Count - 1);
            if (last == 0x10FFFF)
                continue;
            // Between these two are the surrogates, which are no code points of their own.
            runes.Add(new Rune(last == 0xD7FF ? 0xE000 : last + 1));
            var text = new StringBuilder(prefix.Length);
            foreach (var rune in runes)
                text.Append(rune.ToString());
            return text.ToString();
        }
        return null;
    }

    /// <summary>The common prefix that a key belongs to; null when it stands for itself.</summary>
    public static string? CommonPrefix(string key, string prefix, string delimiter)
    {
        if (delimiter.Length == 0)
            return null;
        var at = key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
        return at < 0 ? null : key[..(at + delimiter.Length)];
    }

    /// <summary>Compares by UTF-8 bytes.</summary>
    public static int Compare(string one, string other)
    {
        var length = Math.Min(one.Length, other.Length);
        for (var i = 0; i < length; i++)
        {
            var (a, b) = (one[i], other[i]);
            if (a == b)
                continue;
            // A surrogate stands for a code point above all others.
            return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
        }
        return one.Length.CompareTo(other.Length);
    }
}
