using System.Security.Cryptography;
using System.Text;

namespace Dure.Storage.Signing;

/// <summary>
/// The chain of signatures over the chunks of a body, each over the one before
/// (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html). Nothing is allocated for a chunk.
/// </summary>
internal sealed class ChunkSignatures : IDisposable
{
    /// <summary>Characters of a signature.</summary>
    public const int SignatureLength = 64;

    private const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _key;
    private readonly string _start;

    // The text that is signed for a chunk; the signature before and the hash of the chunk are written into it.
    private readonly byte[] _text;
    private readonly int _before;

    public ChunkSignatures(ChunkSeed seed)
    {
        _key = seed.SigningKey;
        _start = $"{seed.Timestamp}\n{seed.Scope}\n";
        var head = $"AWS4-HMAC-SHA256-PAYLOAD\n{_start}";
        _before = head.Length;
        _text = Encoding.UTF8.GetBytes($"{head}{seed.Signature.PadRight(SignatureLength)[..SignatureLength]}\n{EmptyHash}\n{EmptyHash}");
    }

    private Span<byte> Before => _text.AsSpan(_before, SignatureLength);

    /// <summary>Goes on with bytes of the present chunk.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Ends the present chunk.</summary>
    /// <returns>Whether the signature is its own.</returns>
    public bool EndChunk(ReadOnlySpan<byte> signature)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetHashAndReset(hash);
        Convert.TryToHexStringLower(hash, _text.AsSpan(_text.Length - SignatureLength), out _);
        return IsSignature(_text, signature);
    }

    /// <summary>Whether a signature is that of the trailers.</summary>
    /// <param name="trailers"><c>name:value</c> and a line feed, for each.</param>
    public bool EndTrailers(string trailers, ReadOnlySpan<byte> signature)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(trailers)));
        return IsSignature(Encoding.UTF8.GetBytes($"AWS4-HMAC-SHA256-TRAILER\n{_start}{Encoding.ASCII.GetString(Before)}\n{hash}"), signature);
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private bool IsSignature(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        Span<byte> made = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, text, made);
        Convert.TryToHexStringLower(made, Before, out _);
        return CryptographicOperations.FixedTimeEquals(Before, signature);
    }
}
