using Microsoft.AspNetCore.Http.Features;

namespace Dure.Storage.Signing;

/// <summary>A pair of the query, in the one form that is signed.</summary>
internal readonly record struct QueryPair(string Name, string Value);

/// <summary>What the request line asks for, as the client wrote it: signatures are of this and not of what a router makes of it.</summary>
/// <param name="Path">Encoded, with <c>..</c> and double slashes as they were.</param>
/// <param name="Pairs">Of the query, encoded, in the order in which they came.</param>
internal sealed record RequestTarget(string Path, IReadOnlyList<QueryPair> Pairs)
{
    /// <summary>Reads the target of a request.</summary>
    public static RequestTarget Of(HttpRequest request)
    {
        var raw = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget;
        return Parse(string.IsNullOrEmpty(raw) || raw == "*" ? request.PathBase.ToUriComponent() + request.Path.ToUriComponent() + request.QueryString.ToUriComponent() : raw);
    }

    /// <summary>Reads a target, also one in the absolute form that proxies get.</summary>
    public static RequestTarget Parse(string raw)
    {
        var rest = raw.AsSpan();
        if (!rest.StartsWith('/') && rest.IndexOf("://") is > 0 and var scheme)
        {
            rest = rest[(scheme + 3)..];
            var slash = rest.IndexOfAny('/', '?');
            rest = slash < 0 ? "/" : rest[slash..];
        }
        var mark = rest.IndexOf('?');
        var path = mark < 0 ? rest : rest[..mark];
        var pairs = new List<QueryPair>();
        if (mark >= 0)
        {
            var query = rest[(mark + 1)..];
            foreach (var range in query.Split('&'))
            {
                var piece = query[range];
                if (piece.IsEmpty)
                {
                    continue;
                }
                var equals = piece.IndexOf('=');
                pairs.Add(new(
                    AwsEncoding.Normalize(equals < 0 ? piece : piece[..equals], keepSlash: false, plusIsSpace: true),
                    equals < 0 ? "" : AwsEncoding.Normalize(piece[(equals + 1)..], keepSlash: false, plusIsSpace: true)));
            }
        }
        return new RequestTarget(path.IsEmpty ? "/" : path.ToString(), pairs);
    }

    /// <summary>The first value of a name, decoded; null when it is not there. Names that are asked for hold nothing that is encoded.</summary>
    public string? Find(string name)
    {
        foreach (var pair in Pairs)
        {
            if (pair.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return AwsEncoding.Decode(pair.Value, plusIsSpace: false);
            }
        }
        return null;
    }
}
