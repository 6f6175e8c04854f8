using System.Globalization;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Conditions of requests (RFC 9110, 13, in the order that S3 documents for reads and copies).</summary>
internal static class Conditions
{
    private enum Answer
    {
        Go,
        NotModified,
        Failed,
    }

    /// <summary>Whether a read goes on; else 304 or 412.</summary>
    public static S3Error? Read(S3Call call, StoredObject what) =>
        Check(call, what, "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since") switch
        {
            Answer.NotModified => new S3Error("NotModified", StatusCodes.Status304NotModified, "Not Modified"),
            Answer.Failed => S3Errors.PreconditionFailed,
            _ => null,
        };

    /// <summary>Whether a copy goes on; else 412.</summary>
    public static S3Error? Copy(S3Call call, StoredObject source) =>
        Check(call, source, "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match", "x-amz-copy-source-if-unmodified-since", "x-amz-copy-source-if-modified-since") == Answer.Go
            ? null : S3Errors.PreconditionFailed;

    /// <summary>Conditions of a put or a completed upload.</summary>
    public static (WriteConditions Conditions, S3Error? Error) Write(S3Call call)
    {
        var (match, none) = (call.Header("If-Match"), call.Header("If-None-Match"));
        if (match is null && none is null)
            return (WriteConditions.None, null);
        if (none is not null && none != "*")
            return (WriteConditions.None, S3Errors.NotImplemented("If-None-Match with anything but * on a write"));
        return (new WriteConditions(Bare(match), none), null);
    }

    /// <summary>Conditions of a delete.</summary>
    public static (WriteConditions Conditions, S3Error? Error) Delete(S3Call call)
    {
        var (match, time, size) = (call.Header("If-Match"), call.Header("x-amz-if-match-last-modified-time"), call.Header("x-amz-if-match-size"));
        if (match is null && time is null && size is null)
            return (WriteConditions.None, null);
        DateTimeOffset? modified = time is null ? null : Time(time);
        if (time is not null && modified is null)
            return (WriteConditions.None, S3Errors.InvalidArgument("The time is not understood.", "x-amz-if-match-last-modified-time", time));
        long? bytes = size is null ? null : long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
        return (new WriteConditions(Bare(match), null, modified, bytes), null);
    }

    /// <summary>An entity tag without its quotes.</summary>
    public static string? Bare(string? tag)
    {
        if (tag is null)
            return null;
        var text = tag.AsSpan().Trim();
        return text is ['"', .., '"'] ? text[1..^1].ToString() : text.ToString();
    }

    /// <summary>A moment in one of the forms of HTTP, or in ISO 8601; null when it is neither.</summary>
    public static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var time) ? time : null;

    /// <summary>Whether one of the tags of a list is this.</summary>
    public static bool Names(string list, string tag)
    {
        foreach (var range in list.AsSpan().Split(','))
        {
            var one = list.AsSpan(range).Trim();
            if (one.StartsWith("W/"))
                one = one[2..];
            if (one is "*" || one.Trim('"').SequenceEqual(tag))
                return true;
        }
        return false;
    }

    private static Answer Check(S3Call call, StoredObject what, string match, string noneMatch, string unmodified, string modified)
    {
        if (call.Http.Request.Headers.Count == 0)
            return Answer.Go;
        var changed = what.ModifiedAt.ToUnixTimeSeconds();
        if (call.Header(match) is { } wanted)
        {
            if (!Names(wanted, what.ETag))
                return Answer.Failed;
        }
        else if (call.Header(unmodified) is { } until && Time(until) is { } limit && changed > limit.ToUnixTimeSeconds())
        {
            return Answer.Failed;
        }
        if (call.Header(noneMatch) is { } unwanted)
            return Names(unwanted, what.ETag) ? Answer.NotModified : Answer.Go;
        return call.Header(modified) is { } since && Time(since) is { } start && changed <= start.ToUnixTimeSeconds() ? Answer.NotModified : Answer.Go;
    }
}
