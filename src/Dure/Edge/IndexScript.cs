using System.Text;
using Dure.Host.Ssh;

namespace Dure.Edge;

/// <summary>What is run as root on the edge for the index, as POSIX shell. A visitor sees the page before or the page after, with its pictures.</summary>
internal static class IndexScript
{
    /// <summary>An app cannot have this id, so its file is nobody else's.</summary>
    public const string Id = "_index";

    /// <summary>Prints the pictures that are there.</summary>
    public const string List = $"ls {IndexFiles.EdgeFolder} 2>/dev/null || :\n";

    /// <param name="begin">Takes the lock and defines <c>conf</c>, <c>undo</c>, <c>forget</c> and <c>reload</c>.</param>
    public static string Of(string begin, IndexFiles index, IReadOnlyCollection<string> there)
    {
        var script = new StringBuilder(begin);
        void Put(string line) => script.Append(line);
        Put($"at={IndexFiles.EdgeFolder}\nmkdir -p $at\n");
        foreach (var (name, bytes) in index.Pictures.Where(picture => !there.Contains(picture.Key, StringComparer.Ordinal)))
            Put($"base64 -d >$at/.new <<'E'\n{Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\nE\nmv $at/.new $at/{name}\n");
        Put($"base64 -d >$at/.new {Shell.Input(index.Page)}mv $at/.new $at/index.html\n");
        foreach (var name in there.Where(name => name.EndsWith(".png", StringComparison.Ordinal) && !index.Pictures.ContainsKey(name)))
            Put($"rm -f -- $at/{Shell.Word(name)}\n");
        Put($"base64 -d >\"$conf.dure-new\" {Shell.Input(index.Snippet())}");
        script.Append("""
            if cmp -s "$conf.dure-new" "$conf"; then rm "$conf.dure-new"; exit 0; fi
            if [ -e "$conf" ]; then ln -f "$conf" "$conf.dure-old"; else : >"$conf.dure-none"; fi
            mv "$conf.dure-new" "$conf"
            said=$(nginx -t -q 2>&1) || { echo "$said"; undo; exit 1; }
            reload
            rm -f "$conf.dure-old" "$conf.dure-none"

            """);
        return script.ToString();
    }

    public static string Remove(string begin) => begin +
        $$"""
        if [ -e "$conf" ]; then
            rm -f "$conf" "$conf.dure-old" "$conf.dure-none"
            forget
            if command -v nginx >/dev/null && nginx -t -q 2>/dev/null; then reload; fi
        fi
        rm -rf {{IndexFiles.EdgeFolder}}

        """;
}
