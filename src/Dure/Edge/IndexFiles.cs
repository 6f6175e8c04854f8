namespace Dure.Edge;

/// <summary>The page that lists what is published for everybody, as doors show it at the prefix.</summary>
/// <param name="Prefix">With a slash before it and none after it.</param>
/// <param name="Policy">The page's Content-Security-Policy.</param>
/// <param name="Pictures">By file name; a name holds a hash of the content. PNG.</param>
public sealed record IndexFiles(string Prefix, string Page, string Policy, IReadOnlyDictionary<string, byte[]> Pictures)
{
    /// <summary>Where pictures are, below the prefix. No app can have this name.</summary>
    public const string Folder = ".index";

    /// <summary>Where they lie on the edge.</summary>
    public const string EdgeFolder = "/var/lib/dure-apps-index";

    /// <summary>Whether there is anything to show.</summary>
    public bool Empty => Page.Length == 0;

    /// <summary>What nginx reads of it, for inside a <c>server</c>.</summary>
    public string Snippet() =>
        $$"""
        {{NginxSnippet.Mark}}: the index of published apps.
        location = {{Prefix}} {
            absolute_redirect off;
            return 308 {{Prefix}}/;
        }

        location = {{Prefix}}/ {
            rewrite ^ {{Prefix}}/{{Folder}}/index.html last;
        }

        location = {{Prefix}}/{{Folder}}/index.html {
            alias {{EdgeFolder}}/index.html;
            types { }
            default_type "text/html; charset=utf-8";
            add_header Content-Security-Policy "{{Policy}}" always;
            add_header Cache-Control "no-cache" always;
            add_header X-Content-Type-Options "nosniff" always;
            add_header Referrer-Policy "strict-origin-when-cross-origin" always;
        }

        location ^~ {{Prefix}}/{{Folder}}/ {
            alias {{EdgeFolder}}/;
            types { image/png png; }
            default_type application/octet-stream;
            add_header Cache-Control "{{HashedAssets.CacheControl}}";
            add_header X-Content-Type-Options "nosniff" always;
        }

        """;
}
