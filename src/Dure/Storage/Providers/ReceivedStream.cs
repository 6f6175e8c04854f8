using System.Security.Cryptography;
using Dure.Host.Files;

namespace Dure.Storage.Providers;

/// <summary>
/// The bytes of an object on their way in: counted, for a whole object compared with its SHA-256, and given up when the provider falls silent. What is
/// short or wrong throws <see cref="InvalidDataException"/> at the end, so that no reader takes it for the object.
/// </summary>
/// <param name="length">Bytes that have to come.</param>
/// <param name="sha256">Null compares nothing but the length.</param>
internal sealed class ReceivedStream(Stream inner, string what, long length, string? sha256, Silence? silence, TimeSpan limit, params IDisposable[] owned) : ForwardStream
{
    private readonly IncrementalHash? _hash = sha256 is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _received;
    private bool _checked;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _received;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
        {
            return 0;
        }

        int count;
        await using var link = cancellationToken.UnsafeRegister(static stream => ((IDisposable)stream!).Dispose(), inner);
        try
        {
            count = await inner.ReadAsync(buffer, silence?.Token ?? cancellationToken);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception failure) when (silence is { Token.IsCancellationRequested: true })
        {
            throw new IOException($"{what}: nothing came for {limit.TotalSeconds:0.###} s.", failure);
        }
        catch (HttpRequestException failure)
        {
            throw new IOException($"{what}: {failure.Message}", failure);
        }
        catch (HttpIOException failure)
        {
            throw new IOException($"{what}: {failure.Message}", failure);
        }

        silence?.Touch();
        _received += count;
        _hash?.AppendData(buffer.Span[..count]);
        if (count == 0 && !_checked)
        {
            Check();
        }

        return count;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _hash?.Dispose();
            silence?.Dispose();
            foreach (var one in owned)
            {
                one.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private void Check()
    {
        _checked = true;
        if (_received != length)
        {
            throw new InvalidDataException($"{what}: {_received} of {length} bytes came.");
        }

        if (_hash is not null && Convert.ToHexStringLower(_hash.GetHashAndReset()) is var got && got != sha256)
        {
            throw new InvalidDataException($"{what}: the bytes do not match the SHA-256 that was put with them.");
        }
    }
}
