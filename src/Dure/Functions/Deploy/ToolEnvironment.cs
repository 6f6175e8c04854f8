using Dure.Functions.Worker;

namespace Dure.Functions.Deploy;

/// <summary>The part of the server's environment that configures a package installer, and the folders that it points to.</summary>
internal static class ToolEnvironment
{
    private static readonly string[] s_always =
    [
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    ];

    private static readonly string[] s_inSandboxAnyway = ["/usr/", "/opt/", "/bin/", "/lib/", "/lib64/", "/sbin/"];

    /// <summary>Variables of <paramref name="names"/> (a name ending in <c>_</c> means all that begin so), proxies and certificates; the files and folders in their values are shown read-only at the same path.</summary>
    public static (Dictionary<string, string> Environment, List<SandboxMount> Mounts) For(IReadOnlyDictionary<string, string> server, params IReadOnlyList<string> names)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        var folders = new SortedSet<string>(StringComparer.Ordinal) { "/etc/ssl/certs", "/usr/local/share/ca-certificates" };
        foreach (var (name, value) in server)
        {
            if (!names.Any(n => n.EndsWith('_') ? name.StartsWith(n, StringComparison.OrdinalIgnoreCase) : name == n) && !s_always.Contains(name, StringComparer.Ordinal))
                continue;
            environment[name] = value;
            foreach (var word in value.Split([' ', ',', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries))
            {
                var path = word.StartsWith("file://", StringComparison.Ordinal) ? word["file://".Length..] : word;
                if (path.StartsWith('/') && FolderOf(path) is { } folder)
                    folders.Add(folder);
            }
        }

        return (environment, [.. folders.Where(f => Directory.Exists(f) && IsNeeded(f)).Select(f => new SandboxMount(f, f, false))]);
    }

    private static string? FolderOf(string path) => Directory.Exists(path) ? Path.GetFullPath(path) : File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path)) : null;

    /// <summary>Never the root, /etc, a home as a whole and the like: too much of the host would be seen for one file's sake.</summary>
    private static bool IsNeeded(string folder)
    {
        var parts = folder.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var slash = folder + "/";
        return parts.Length >= 2
            && !s_inSandboxAnyway.Any(p => slash.StartsWith(p, StringComparison.Ordinal) && !p.Equals("/opt/", StringComparison.Ordinal))
            && parts[0] is not ("proc" or "sys" or "dev");
    }
}
