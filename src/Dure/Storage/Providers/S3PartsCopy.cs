using Amazon.S3.Model;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>Copies within a bucket what is too large for one request.</summary>
internal sealed class S3PartsCopy(S3Connection s3, ObjectFacts source, string to, long partBytes)
{
    /// <summary>Copies it, whole or not at all.</summary>
    public async Task<Outcome<bool>> RunAsync(CancellationToken cancel)
    {
        var upload = new S3Upload(s3, new PutObject(to, Stream.Null, source.Length, null, source.ContentType, source.Metadata));
        var begun = await upload.BeginAsync(null, cancel);
        if (!begun.Ok)
        {
            return begun.Problem;
        }

        var isDone = false;
        try
        {
            var parts = new List<PartETag>();
            for (var offset = 0L; offset < source.Length; offset += partBytes)
            {
                var part = await CopyAsync(begun.Value, parts.Count + 1, offset, cancel);
                if (!part.Ok)
                {
                    return part.Problem;
                }

                parts.Add(part.Value);
            }

            var completed = await upload.CompleteAsync(begun.Value, parts, cancel);
            isDone = completed.Ok;
            return completed.Ok ? true : completed.Problem;
        }
        finally
        {
            if (!isDone)
            {
                await upload.AbortAsync(begun.Value);
            }
        }
    }

    private Task<Outcome<PartETag>> CopyAsync(string upload, int number, long offset, CancellationToken cancel) =>
        s3.CallAsync($"copy part {number} of {source.Key}", async silence =>
        {
            var copied = await s3.Client.CopyPartAsync(
                new CopyPartRequest
                {
                    SourceBucket = s3.Bucket,
                    SourceKey = s3.Key(source.Key),
                    DestinationBucket = s3.Bucket,
                    DestinationKey = s3.Key(to),
                    UploadId = upload,
                    PartNumber = number,
                    FirstByte = offset,
                    LastByte = Math.Min(offset + partBytes, source.Length) - 1,
                },
                silence.Token);
            return new PartETag(number, copied.ETag);
        }, cancel);
}
