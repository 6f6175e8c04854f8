using Dure.Apps.Running;
using Dure.Host.Programs;

namespace Dure.Apps.Index;

/// <summary>Takes a picture of a page with the machine's own Chromium, as a user without rights, which sees no files of this machine and, under systemd, no other machine.</summary>
internal static class Preview
{
    private const int SizeMax = 4 << 20;
    private const int Nobody = 65534;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(45);
    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>Whether this machine has one.</summary>
    public static string? Program => Programs.FirstOrDefault(File.Exists);

    // The page gets ten seconds of its own time: notebooks draw late.
    private const string Script =
        """
        set -e
        at=$(mktemp -d)
        trap 'rm -rf "$at"' EXIT
        HOME=$at XDG_CONFIG_HOME=$at XDG_CACHE_HOME=$at timeout 40 "$1" --headless=new $3 --disable-dev-shm-usage --disable-gpu --disable-extensions --no-first-run --hide-scrollbars --mute-audio \
            --user-data-dir="$at/profile" --window-size=1280,800 --force-device-scale-factor=0.5 --virtual-time-budget=10000 --screenshot="$at/picture.png" "$2" >/dev/null 2>&1
        base64 -w 0 "$at/picture.png"
        """;

    /// <summary>A PNG of 640 by 400; null when there is no Chromium or it did not manage.</summary>
    public static async Task<byte[]?> TakeAsync(Uri address, CancellationToken cancel)
    {
        if (Program is not { } program)
            return null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Within);
        try
        {
            var ran = await HostProgram.RunAsync(Words(program, address), patience.Token);
            var picture = ran.ExitCode == 0 ? Convert.FromBase64String(ran.Output.Trim()) : [];
            return picture.Length is > 0 and <= SizeMax ? picture : null;
        }
        catch (Exception failed) when (failed is FormatException || failed is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    internal static IReadOnlyList<string> Words(string program, Uri address)
    {
        string[] run = ["sh", "-c", Script, "sh", program, address.AbsoluteUri];
        if (!Environment.IsPrivilegedProcess)
            return [.. run, ""];
        // As root, Chromium's own sandbox does not work; a user of its own, seeing nothing, stands in for it.
        if (!SystemdUnits.IsThere)
            return ["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--no-new-privs", .. run, "--no-sandbox"];
        string[] cage =
        [
            "DynamicUser=yes", "PrivateTmp=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateDevices=yes", "ProtectProc=invisible", "NoNewPrivileges=yes", "CapabilityBoundingSet=",
            "IPAddressDeny=any", "IPAddressAllow=localhost", "MemoryMax=2G", "CPUQuota=200%", "RuntimeMaxSec=45", "InaccessiblePaths=-/etc/dure -/var/lib/dure",
        ];
        return ["systemd-run", "--quiet", "--wait", "--collect", "--pipe", .. cage.SelectMany(line => new[] { "-p", line }), .. run, "--no-sandbox"];
    }
}
