using System.Buffers;
using System.Security.Cryptography;
using Dure.Host;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage;

/// <summary>Finds a blob's digest while its content passes by, in pooled buffers.</summary>
internal static class Hashing
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>Copies a stream to the start of a file and hashes it on the way.</summary>
    public static Task<Outcome<BlobInfo>> CopyAsync(
        Stream content,
        SafeFileHandle file,
        long maxLength,
        CancellationToken cancel) =>
        PassAsync(
            (buffer, _) => content.ReadAsync(buffer, cancel),
            (piece, offset) => RandomAccess.WriteAsync(file, piece, offset, cancel),
            maxLength);

    /// <summary>Hashes a whole file.</summary>
    public static Task<Outcome<BlobInfo>> ReadAsync(SafeFileHandle file, long maxLength, CancellationToken cancel) =>
        PassAsync(
            (buffer, offset) => RandomAccess.ReadAsync(file, buffer, offset, cancel),
            (_, _) => ValueTask.CompletedTask,
            maxLength);

    private static async Task<Outcome<BlobInfo>> PassAsync(
        Func<Memory<byte>, long, ValueTask<int>> read,
        Func<ReadOnlyMemory<byte>, long, ValueTask> write,
        long maxLength)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = 0L;
            while (await read(buffer, length) is var count and > 0)
            {
                if (length + count > maxLength)
                {
                    return BlobErrors.TooLarge.With($"More than {maxLength} bytes.");
                }
                hash.AppendData(buffer, 0, count);
                await write(buffer.AsMemory(0, count), length);
                length += count;
            }
            return new BlobInfo(Convert.ToHexStringLower(hash.GetHashAndReset()), length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
