using System.Globalization;

namespace Dure.Edge.Foreign;

/// <summary>What a location does, as far as a snippet of Dure's does the same. Whatever it does beside that would be lost, so it is a reason to leave it alone.</summary>
internal sealed class LocationMeaning(NginxConfiguration configuration)
{
    /// <summary>What a snippet sees to in its own way, or what changes nothing for visitors.</summary>
    private static readonly HashSet<string> Covered = new(StringComparer.Ordinal)
    {
        "proxy_http_version", "proxy_buffering", "proxy_request_buffering", "proxy_read_timeout", "proxy_send_timeout", "proxy_connect_timeout", "send_timeout", "proxy_redirect", "proxy_cache_bypass",
        "client_max_body_size", "client_body_buffer_size", "client_body_timeout", "access_log", "error_log", "log_not_found", "proxy_socket_keepalive", "proxy_buffers", "proxy_buffer_size",
        "proxy_busy_buffers_size", "proxy_max_temp_file_size", "tcp_nodelay", "tcp_nopush", "chunked_transfer_encoding", "keepalive_timeout", "proxy_headers_hash_max_size", "proxy_headers_hash_bucket_size",
        "gzip", "gzip_types", "gzip_proxied", "gzip_vary", "gzip_min_length", "gzip_comp_level",
    };

    private static readonly HashSet<string> Headers = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Upgrade", "Connection", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Port", "X-Forwarded-Server", "X-Scheme",
    };

    private const int IncludesMost = 5;

    /// <summary>What stands before the path (=, ~, ~*, ^~ or nothing), and the path.</summary>
    public static (string Modifier, string Path) Match(NginxDirective location) => location.Words switch
    {
        [var modifier, var path] => (modifier, path),
        [['~', '*', .. var path]] => ("~*", path),
        [['^', '~', .. var path]] => ("^~", path),
        [['~', .. var path]] => ("~", path),
        [['=', .. var path]] => ("=", path),
        [var path] => ("", path),
        _ => ("", ""),
    };

    /// <summary>A location that passes requests on; null for every other.</summary>
    /// <param name="nested">It stands inside another location.</param>
    public ForeignLocation? Of(NginxDirective location, bool nested)
    {
        var inside = Inside(location.Block!, 0).ToList();
        if (inside.FirstOrDefault(one => one is { Name: "proxy_pass", Words.Count: 1 }) is not { } pass)
            return null;
        var (modifier, path) = Match(location);
        var (host, port, rest, upstreams) = Target(pass.Words[0]);
        var refusal = nested ? "it stands inside another location, whose directives hold for it as well"
            : modifier == "=" ? "it serves one address only, not what is below it"
            : modifier is "~" or "~*" ? "it is a regular expression, which may serve other paths as well"
            : host is null ? $"{pass.At}: where {pass.Words[0]} leads cannot be told"
            : upstreams > 1 ? $"{pass.At}: {pass.Words[0]} leads to several servers"
            : rest is not null && rest != path && !(rest == "/" && path.EndsWith('/')) ? $"{pass.At}: it changes the path to {rest}"
            : inside.Select(Lost).FirstOrDefault(lost => lost is not null);
        var body = inside.LastOrDefault(one => one is { Name: "client_max_body_size", Words.Count: 1 })?.Words[0];
        return new(path, location.File, location.Line, location.LastLine, Lines(location), host, port, rest != "/" || path == "/", body is null ? null : Quantity(body), refusal);
    }

    /// <summary>Whether it does nothing but lead to the same path with a slash at its end.</summary>
    public static bool LeadsTo(NginxDirective location, string bare) => Match(location) is ("=", var path) && path == bare
        && location.Block is [{ Name: "return", Words: [var status, var to] }] && status is "301" or "302" or "307" or "308" && to.Contains(bare + "/", StringComparison.Ordinal);

    /// <summary>The lines of a directive as they are written.</summary>
    public string Lines(NginxDirective one)
    {
        var text = configuration.Find(one.File)!.Text;
        var start = text.LastIndexOf('\n', one.Start) + 1;
        return text[(string.IsNullOrWhiteSpace(text[start..one.Start]) ? start : one.Start)..one.End];
    }

    private IEnumerable<NginxDirective> Inside(IEnumerable<NginxDirective> block, int depth)
    {
        foreach (var one in block)
        {
            var files = one.Name == "include" && depth < IncludesMost ? configuration.Included(one).ToList() : [];
            if (files.Count == 0 || files.Any(file => file.Fault is not null))
                yield return one;
            foreach (var inner in files.SelectMany(file => Inside(file.Directives, depth + 1)))
                yield return inner;
        }
    }

    private static string? Lost(NginxDirective one) => one.Name switch
    {
        "proxy_pass" => null,
        "proxy_set_header" when one.Words is [var name, var value] => !Headers.Contains(name) ? $"{one.At}: the app would no longer be told {name}"
            : name.Equals("Host", StringComparison.OrdinalIgnoreCase) && value is not ("$host" or "$http_host" or "$host:$server_port") ? $"{one.At}: the app is told that its host is {value}" : null,
        "add_header" when one.Words is [var name, ..] && SecurityHeaders.All.Any(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) => null,
        "location" or "if" => $"{one.At}: there is a block in it, {one.Name} {string.Join(' ', one.Words)}",
        _ => Covered.Contains(one.Name) ? null : $"{one.At}: {one.Name} would be lost",
    };

    // The host and port, what follows them (null for nothing), and how many servers there are.
    private (string? Host, int? Port, string? Below, int Servers) Target(string url)
    {
        const string scheme = "http://";
        if (!url.StartsWith(scheme, StringComparison.Ordinal))
            return (null, null, null, 0);
        var slash = url.IndexOf('/', scheme.Length);
        var (place, rest) = slash < 0 ? (url[scheme.Length..], null) : (url[scheme.Length..slash], url[slash..]);
        var servers = 1;
        if (configuration.Upstreams.TryGetValue(place, out var upstream))
        {
            var named = upstream.Where(one => one is { Name: "server", Words.Count: > 0 }).Select(one => one.Words[0]).ToList();
            (place, servers) = (named is [var first, ..] ? first : "$", named.Count);
        }

        if (place.Contains('$', StringComparison.Ordinal) || place.StartsWith("unix:", StringComparison.Ordinal) || rest?.Contains('$', StringComparison.Ordinal) == true)
            return (null, null, null, servers);
        var colon = place.LastIndexOf(':');
        if (colon < 0 || place.EndsWith(']'))
            return (place.Trim('[', ']'), 80, rest, servers);
        return int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? (place[..colon].Trim('[', ']'), port, rest, servers) : (null, null, null, servers);
    }

    // As nginx counts: k, m and g of 1024.
    private static long? Quantity(string text) => text is [.. var digits, var unit] && "kKmMgG".Contains(unit, StringComparison.Ordinal)
        ? long.TryParse(digits, CultureInfo.InvariantCulture, out var value) ? value << (char.ToLowerInvariant(unit) switch { 'k' => 10, 'm' => 20, _ => 30 }) : null
        : long.TryParse(text, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
}
