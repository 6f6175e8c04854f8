using System.Text;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>The names of objects: which are allowed, and how the configured prefix stands before them.</summary>
internal static class ObjectKey
{
    /// <summary>UTF-8 bytes of a key, as in Amazon's documentation of object keys.</summary>
    public const int BytesMax = 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What is wrong with a key; null when nothing is.</summary>
    /// <param name="prefix">Stands before it at the provider.</param>
    public static Problem? Check(string provider, string key, string prefix = "")
    {
        try
        {
            var bytes = Strict.GetByteCount(key);
            var prefixBytes = Encoding.UTF8.GetByteCount(prefix);
            return bytes == 0 ? ProviderErrors.BadKey.With($"{provider}: the name is empty.")
                : bytes + prefixBytes > BytesMax ? ProviderErrors.BadKey.With($"{provider}: the name has {bytes + prefixBytes} bytes; {BytesMax} are the most.")
                : key.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0 ? ProviderErrors.BadKey.With($"{provider}: the name has a control character.")
                : null;
        }
        catch (EncoderFallbackException)
        {
            return ProviderErrors.BadKey.With($"{provider}: the name is not valid Unicode.");
        }
    }

    /// <summary>The order of listings: by UTF-8 bytes, which differs from that of .NET's characters beyond the basic plane.</summary>
    public static int Compare(string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
