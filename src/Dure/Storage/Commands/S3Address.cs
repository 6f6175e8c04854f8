using System.Text;
using Dure.Host;

namespace Dure.Storage.Commands;

/// <summary>A bucket, or what begins with a key in it, as people write it: <c>s3://bucket/key</c>.</summary>
/// <param name="Key">Empty for the whole bucket. Not escaped: what stands after the slash is the key.</param>
public sealed record S3Address(string Bucket, string Key)
{
    /// <summary>What every address begins with.</summary>
    public const string Scheme = "s3://";

    private const int KeyBytesMax = 1024;

    /// <summary>True when it names many objects: a bucket, or a prefix that ends in a slash.</summary>
    public bool IsFolder => Key.Length == 0 || Key.EndsWith('/');

    /// <summary>The prefix of what lies below this: <c>a</c> and <c>a/</c> both give <c>a/</c>.</summary>
    public string FolderPrefix => IsFolder ? Key : Key + "/";

    /// <summary>The last segment of the key.</summary>
    public string Name => Key[(Key.LastIndexOf('/') + 1)..];

    public override string ToString() => $"{Scheme}{Bucket}/{Key}";

    /// <summary>True when the text means an object rather than a path.</summary>
    public static bool Is(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Reads an address, or says what is wrong with it (DURE0676).</summary>
    public static Outcome<S3Address> Parse(string text)
    {
        if (!Is(text))
        {
            return TransferErrors.BadAddress.With($"'{text}' does not begin with {Scheme}.");
        }

        var rest = text[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (bucket, key) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        return bucket.Length is < 3 or > 63 || bucket.AsSpan().ContainsAnyExcept(BucketCharacters)
            ? TransferErrors.BadAddress.With($"'{bucket}' in '{text}' is not the name of a bucket: 3 to 63 small letters, digits, dots and hyphens.")
            : Encoding.UTF8.GetByteCount(key) > KeyBytesMax
            ? TransferErrors.BadAddress.With($"The key in '{text}' is longer than {KeyBytesMax} bytes.")
            : new S3Address(bucket, key);
    }

    private static readonly System.Buffers.SearchValues<char> BucketCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_");
}
