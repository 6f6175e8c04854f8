using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>Puts one blob: small ones with Put Blob, larger ones with Put Block and Put Block List. Blocks that no list names are dropped by Azure after a week and are never seen.</summary>
internal sealed class AzureUpload(AzureConnection azure, PutObject what)
{
    /// <summary>Puts it.</summary>
    public async Task<Outcome<ObjectFacts>> RunAsync(CancellationToken cancel)
    {
        var pieceBytes = PieceReader.PieceBytes(azure.Options.PartSize, what.Length);
        if (what.Length is { } known && known < pieceBytes)
        {
            pieceBytes = (int)Math.Max(known, 1);
        }

        using var pieces = new PieceReader(azure.Name, what, pieceBytes);
        var first = await pieces.NextAsync(cancel);
        if (!first.Ok)
        {
            return first.Problem;
        }

        if (pieces.Ended)
        {
            using var only = first.Value;
            return await PutAsync(only, pieces.Sha256!, cancel);
        }

        var upload = NewUpload();
        var blocks = 0;
        var sent = await PiecesUnderWay.SendAsync(pieces, first.Value, pieceBytes, async (piece, token) =>
        {
            Interlocked.Increment(ref blocks);
            return (await PutBlockAsync(piece, BlockId(upload, piece.Number), token)).Problem;
        }, cancel);
        return sent.Ok ? await CompleteAsync(upload, blocks, sent.Value, pieces.Sha256, cancel) : sent.Problem;
    }

    /// <summary>An upload's id, which makes those of its blocks.</summary>
    public static string NewUpload() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    /// <summary>The id of a block; within a blob all have the same length.</summary>
    public static string BlockId(string upload, int number) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{upload}-{number:D5}")));

    /// <summary>Makes the blob of its blocks.</summary>
    /// <param name="length">Bytes of all blocks together.</param>
    public async Task<Outcome<ObjectFacts>> CompleteAsync(string upload, int blocks, long length, string? sha256, CancellationToken cancel)
    {
        var list = new StringBuilder("""<?xml version="1.0" encoding="utf-8"?><BlockList>""");
        for (var number = 1; number <= blocks; number++)
        {
            list.Append("<Uncommitted>").Append(BlockId(upload, number)).Append("</Uncommitted>");
        }

        var body = Encoding.UTF8.GetBytes(list.Append("</BlockList>").ToString());
        return await azure.CallAsync("complete " + what.Key, _ =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, azure.At(what.Key, "comp=blocklist"))
            {
                Content = new ByteArrayContent(body) { Headers = { ContentMD5 = Piece.Md5Of(body), ContentType = new MediaTypeHeaderValue("application/xml") } },
            };
            AzureConnection.Describe(request, what, sha256);
            return request;
        }, (response, _) => Task.FromResult(Facts(response, length, sha256)), cancel);
    }

    private Task<Outcome<ObjectFacts>> PutAsync(Piece piece, string sha256, CancellationToken cancel)
    {
        var md5 = piece.Md5();
        return azure.CallAsync("put " + what.Key, silence =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, azure.At(what.Key)) { Content = AzureConnection.Body(piece, md5, silence) };
            request.Headers.TryAddWithoutValidation("x-ms-blob-type", "BlockBlob");
            AzureConnection.Describe(request, what, sha256);
            return request;
        }, (response, _) => Task.FromResult(Facts(response, piece.Count, sha256)), cancel);
    }

    private Task<Outcome<bool>> PutBlockAsync(Piece piece, string id, CancellationToken cancel)
    {
        var md5 = piece.Md5();
        return azure.CallAsync($"put block {piece.Number} of {what.Key}", silence => new HttpRequestMessage(
            HttpMethod.Put,
            azure.At(what.Key, "comp=block&blockid=" + Uri.EscapeDataString(id))) { Content = AzureConnection.Body(piece, md5, silence) }, (_, _) => Task.FromResult(true), cancel);
    }

    private ObjectFacts Facts(HttpResponseMessage response, long length, string? sha256) => new(
        what.Key, length, response.Headers.ETag?.Tag, response.Content.Headers.LastModified ?? azure.Time.GetUtcNow(), what.ContentType, MetadataText.Of(what, sha256));
}
