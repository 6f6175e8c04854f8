using System.Globalization;
using System.Security.Cryptography;
using Dure.Host;

namespace Dure.Functions.Api;

/// <summary>How the caller of an invocation wants its answer (RFC 7240's Prefer header).</summary>
/// <param name="Async">Answer 202 at once.</param>
/// <param name="Stream">Send pieces of the result as they come.</param>
/// <param name="LongestWait">Answer 202 after this; null to wait however long it takes.</param>
internal readonly record struct Preference(bool Async, bool Stream, TimeSpan? LongestWait)
{
    /// <summary>Reads the header; unknown words are ignored, as the RFC says.</summary>
    public static Preference Read(HttpRequest request)
    {
        string? prefer = request.Headers["Prefer"];
        if (prefer is null)
            return default;
        var result = new Preference();
        foreach (var part in prefer.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Equals("respond-async", StringComparison.OrdinalIgnoreCase))
                result = result with { Async = true };
            else if (part.Equals("stream", StringComparison.OrdinalIgnoreCase))
                result = result with { Stream = true };
            else if (part.StartsWith("wait=", StringComparison.OrdinalIgnoreCase) && double.TryParse(part.AsSpan(5), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 1e9)
                result = result with { LongestWait = TimeSpan.FromSeconds(seconds) };
        }
        return result;
    }
}

/// <summary>Reads the event of a request: small ones into memory, large ones straight into a blob.</summary>
internal static class InvokeRequest
{
    private const int ReadBytes = 64 << 10;

    /// <summary>Reads the whole body.</summary>
    public static async ValueTask<Outcome<Payload>> ReadPayloadAsync(HttpRequest request, FunctionsContext context, CancellationToken cancel)
    {
        var length = request.ContentLength;
        if (length > context.Limits.PayloadBytes)
            return TooLarge(context);
        if (length == 0)
            return Payload.Of(default);
        if (length is { } known && known <= context.Limits.SpoolAboveBytes)
        {
            var bytes = new byte[known];
            await request.Body.ReadExactlyAsync(bytes, cancel);
            return Payload.Of(bytes);
        }
        return await ReadLongAsync(request, context, cancel);
    }

    /// <summary>Keeps bytes that are in memory the way their size asks for.</summary>
    public static async ValueTask<Outcome<Payload>> StoreAsync(byte[] bytes, FunctionsContext context, CancellationToken cancel)
    {
        if (bytes.Length <= context.Limits.SpoolAboveBytes)
            return Payload.Of(bytes);
        var blob = await context.Blobs.PutAsync(new MemoryStream(bytes), context.Limits.PayloadBytes, cancel);
        return blob.Ok ? new Payload(default, blob.Value.Digest, blob.Value.Length) : blob.Problem;
    }

    /// <summary>What an idempotency key stands for: the function and the payload.</summary>
    public static byte[] Hash(string function, Payload payload)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(function + "\n" + payload.Blob));
        hash.AppendData(payload.Inline.Span);
        return hash.GetHashAndReset();
    }

    private static async ValueTask<Outcome<Payload>> ReadLongAsync(HttpRequest request, FunctionsContext context, CancellationToken cancel)
    {
        var head = new byte[context.Limits.SpoolAboveBytes + 1];
        var filled = 0;
        int count;
        while (filled < head.Length && (count = await request.Body.ReadAsync(head.AsMemory(filled, Math.Min(ReadBytes, head.Length - filled)), cancel)) > 0)
            filled += count;
        if (filled < head.Length)
            return Payload.Of(head.AsMemory(0, filled));
        await using var whole = new JoinedStream(head, request.Body);
        var blob = await context.Blobs.PutAsync(whole, context.Limits.PayloadBytes, cancel);
        if (!blob.Ok)
            return blob.Problem.Kind.Status == StatusCodes.Status413PayloadTooLarge ? TooLarge(context) : blob.Problem;
        return new Payload(default, blob.Value.Digest, blob.Value.Length);
    }

    private static Problem TooLarge(FunctionsContext context) =>
        FunctionErrors.PayloadTooLarge.With($"The limit is {context.Limits.PayloadBytes} bytes.");
}
