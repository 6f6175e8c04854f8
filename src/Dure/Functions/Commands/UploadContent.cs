using System.Net;
using System.Net.Http.Headers;

namespace Dure.Functions.Commands;

/// <summary>A file as a request's body that tells how much of it was sent.</summary>
internal sealed class UploadContent : HttpContent
{
    private const int ChunkBytes = 128 * 1024;

    private readonly Stream _source;
    private readonly IProgress<long>? _sent;

    public UploadContent(Stream source, string mediaType, IProgress<long>? sent)
    {
        (_source, _sent) = (source, sent);
        Headers.ContentType = new MediaTypeHeaderValue(mediaType);
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var chunk = new byte[ChunkBytes];
        long total = 0;
        int read;
        while ((read = await _source.ReadAsync(chunk)) > 0)
        {
            await stream.WriteAsync(chunk.AsMemory(0, read));
            total += read;
            _sent?.Report(total);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _source.CanSeek ? _source.Length : 0;
        return _source.CanSeek;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _source.Dispose();
        }

        base.Dispose(disposing);
    }
}
