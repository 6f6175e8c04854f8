using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Apps.Index;

/// <summary>One app, as the index shows it.</summary>
/// <param name="Path">Where it is read, with a slash at both ends.</param>
/// <param name="Picture">Address of its picture; null for none.</param>
internal sealed record IndexEntry(string Id, string Path, AppAbout About, DateTimeOffset PublishedAt, string? Picture)
{
    public string Title => About.Title is { Length: > 0 } title ? title : Id;

    public string Date => About.Date ?? PublishedAt.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>The page that lists what is published: one file without anything from elsewhere. It is a plain list; where scripts run, it can be searched.</summary>
internal static class IndexPage
{
    /// <summary>Nothing runs but the one script that is written here, whatever an author wrote.</summary>
    public static readonly string Policy = $"default-src 'none'; img-src 'self'; style-src 'sha256-{Hash(Style)}'; script-src 'sha256-{Hash(Script)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

    /// <summary>The newest first; empty when there is nothing to list.</summary>
    public static string Of(IReadOnlyList<IndexEntry> entries)
    {
        if (entries.Count == 0)
            return "";
        var text = new StringBuilder();
        void Put(string part) => text.Append(part);
        Put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n");
        Put($"<title>Papers</title>\n<style>{Style}</style>\n</head>\n<body>\n<header>\n<h1>Papers</h1>\n");
        Put("<form role=\"search\" hidden><input type=\"search\" aria-label=\"Search the papers\" placeholder=\"Search\" autocomplete=\"off\"><span role=\"status\"></span></form>\n</header>\n<main>\n<ul>\n");
        foreach (var entry in entries.OrderByDescending(entry => entry.Date, StringComparer.Ordinal).ThenBy(entry => entry.Id, StringComparer.Ordinal))
            Append(Put, entry);
        Put("</ul>\n<p class=\"none\" hidden>Nothing here is about that.</p>\n</main>\n");
        Put($"<script>{Script}</script>\n</body>\n</html>\n");
        return text.ToString();
    }

    private static void Append(Action<string> put, IndexEntry entry)
    {
        var (about, to) = (entry.About, Html(entry.Path));
        put("<li><article>\n");
        put(entry.Picture is { } picture
            ? $"<a class=\"picture\" href=\"{to}\" tabindex=\"-1\" aria-hidden=\"true\"><img src=\"{Html(picture)}\" alt=\"\" width=\"640\" height=\"400\" loading=\"lazy\"></a>\n"
            : $"<a class=\"picture\" href=\"{to}\" tabindex=\"-1\" aria-hidden=\"true\"><span>{Html(System.Globalization.StringInfo.GetNextTextElement(entry.Title).ToUpperInvariant())}</span></a>\n");
        put($"<div>\n<h2><a href=\"{to}\">{Html(entry.Title)}</a></h2>\n<p class=\"by\">");
        if (about.Authors is { Count: > 0 })
            put($"{Html(string.Join(", ", about.Authors))} <span aria-hidden=\"true\">·</span> ");
        put($"<time datetime=\"{Html(entry.Date)}\">{Html(entry.Date)}</time></p>\n");
        foreach (var paragraph in (about.Abstract ?? "").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            put($"<p>{Html(paragraph)}</p>\n");
        if (about.Tags is { Count: > 0 })
            put($"<p class=\"tags\">{string.Join(' ', about.Tags.Select(tag => $"<span>{Html(tag)}</span>"))}</p>\n");
        put("</div>\n</article></li>\n");
    }

    private static string Html(string text) => WebUtility.HtmlEncode(text);

    private static string Hash(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private const string Style =
        """
        :root{--ink:#1b1f24;--quiet:#59636e;--line:#d7dce2;--paper:#fff;--ground:#f5f6f8;--link:#0b57b7;--tag:#e8eef7}
        @media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--quiet:#a0a9b4;--line:#343a42;--paper:#1c2026;--ground:#14171b;--link:#8bbcff;--tag:#28323f}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
        header,main{max-width:60rem;margin:0 auto;padding:0 1.25rem}
        header{display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:center;justify-content:space-between;padding-top:2.5rem}
        h1{font-size:1.9rem;margin:0}
        form{display:flex;align-items:center;flex:1 1 16rem;max-width:26rem}
        form[hidden]{display:none}
        input{flex:1;min-width:0;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem}
        input:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
        [role=status]{color:var(--quiet);white-space:nowrap}
        [role=status]:not(:empty){margin-left:.75rem}
        ul{list-style:none;margin:1.5rem 0 3rem;padding:0;display:grid;gap:1rem}
        article{display:grid;grid-template-columns:14rem 1fr;gap:1.25rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:1rem;overflow-wrap:anywhere}
        .picture{display:block;border:1px solid var(--line);border-radius:.5rem;overflow:hidden;aspect-ratio:16/10;background:var(--tag);text-decoration:none}
        .picture img{display:block;width:100%;height:100%;object-fit:cover;object-position:top}
        .picture span{display:grid;place-items:center;height:100%;font-size:3rem;color:var(--quiet)}
        h2{font-size:1.2rem;line-height:1.3;margin:0}
        h2 a{color:var(--link);text-decoration:none}
        h2 a:hover{text-decoration:underline}
        p{margin:.5rem 0 0;max-width:65ch}
        .by{color:var(--quiet);margin-top:.25rem}
        .tags{display:flex;flex-wrap:wrap;gap:.4rem}
        .tags span{background:var(--tag);border-radius:1rem;padding:.05rem .65rem;font-size:.875rem}
        .none{text-align:center;color:var(--quiet);padding:2rem}
        li[hidden],.none[hidden]{display:none}
        @media (max-width:40rem){article{grid-template-columns:1fr}.picture{aspect-ratio:16/9}header{padding-top:1.5rem}}
        """;

    private const string Script =
        """
        (function(){var form=document.forms[0],box=form.elements[0],told=form.lastChild,none=document.querySelector('.none'),
        all=[].map.call(document.querySelectorAll('li'),function(li){return{li:li,text:li.textContent.toLowerCase()}});
        function look(){var words=box.value.toLowerCase().split(/\s+/).filter(Boolean),n=0;
        all.forEach(function(e){var yes=words.every(function(w){return e.text.indexOf(w)>=0});e.li.hidden=!yes;if(yes)n++});
        told.textContent=words.length?n+' of '+all.length:'';none.hidden=n>0}
        form.hidden=false;form.addEventListener('submit',function(e){e.preventDefault()});box.addEventListener('input',look);look()})();
        """;
}
