using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dure.Test.Edge;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>
/// An edge machine in little: the distribution's nginx and OpenSSH server in a file system and a process table of their own, on this machine's network.
/// It is changed over ssh as a machine is. Skips where there can be none.
/// </summary>
internal sealed class LocalEdge : IAsyncDisposable
{
    private readonly Scratch _scratch;
    private readonly Process _process;

    private LocalEdge(Scratch scratch, Process process, int port) => (_scratch, _process, Port) = (scratch, process, port);

    /// <summary>Where its nginx listens.</summary>
    public int Port { get; }

    public string Url => FormattableString.Invariant($"http://127.0.0.1:{Port}");

    /// <summary>Settings of a server whose edge this is.</summary>
    public string[] Settings => ["apps.edge=root@edge", "apps.address=127.0.0.1", $"apps.public_url={Url}", $"apps.ssh_config={_scratch["ssh", "config"]}"];

    public static async Task<LocalEdge> StartAsync(CancellationToken cancel)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounts of one's own, as sshd wants them, need root.");
        var root = await EdgeRoot.Programs.PathAsync();
        var scratch = new Scratch();
        var (http, ssh) = (FreePort(), FreePort());
        Directory.CreateDirectory(scratch["ssh"]);
        Directory.CreateDirectory(scratch["top"]);
        foreach (var key in new[] { "client", "host" })
            await Child.RunAsync(cancel, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch["ssh", key]]);
        await File.WriteAllTextAsync(scratch["ssh", "known"], $"[127.0.0.1]:{ssh} {await File.ReadAllTextAsync(scratch["ssh", "host.pub"], cancel)}", cancel);
        await File.WriteAllTextAsync(scratch["ssh", "config"], $"""
            Host edge
                HostName 127.0.0.1
                Port {ssh}
                User root
                IdentityFile {scratch["ssh", "client"]}
                IdentitiesOnly yes
                UserKnownHostsFile {scratch["ssh", "known"]}

            """, cancel);
        await File.WriteAllTextAsync(scratch["nginx.conf"], Nginx(http), cancel);
        await File.WriteAllTextAsync(scratch["run"], Script, cancel);
        var start = new ProcessStartInfo("unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", scratch["run"], root, scratch["top"], scratch["ssh"], scratch["nginx.conf"], $"{ssh}"])
        {
            UseShellExecute = false, RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync(cancel);
        var edge = new LocalEdge(scratch, process, http);
        while (!await AnswersAsync(http) || !await AnswersAsync(ssh))
        {
            Assert.False(process.HasExited, process.HasExited ? await said : "");
            await Task.Delay(50, cancel);
        }

        return edge;
    }

    /// <summary>Runs a script there over ssh.</summary>
    public async Task<string> ShellAsync(string script)
    {
        var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, ["ssh", "-F", _scratch["ssh", "config"], "edge", script]);
        Assert.True(code == 0, $"{script}\nended with {code}\n{text}");
        return text.TrimEnd('\n');
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _scratch.Dispose();
    }

    private static string Nginx(int port) =>
        $$"""
        user www-data;
        worker_processes 2;
        pid /run/nginx.pid;
        error_log /var/log/nginx/error.log;
        include /etc/nginx/modules-enabled/*.conf;
        events { worker_connections 1024; }
        http {
            include /etc/nginx/mime.types;
            access_log /var/log/nginx/access.log;
            include /etc/nginx/conf.d/*.conf;
            server {
                listen 127.0.0.1:{{port}};
                location / { return 200 "the edge's own page\n"; }
                include /etc/dure/nginx.d/*.conf;
            }
        }

        """;

    private const string Script =
        """
        set -e
        root=$1 top=$2 ssh=$3 nginx=$4 port=$5
        exec >&2
        mkdir -p "$top/keys"
        cp "$ssh/host" "$ssh/client.pub" "$nginx" "$top/keys/"
        mount -t tmpfs none /mnt
        mkdir -p /mnt/up /mnt/work /mnt/root
        mount -t overlay overlay -o "lowerdir=$root,upperdir=/mnt/up,workdir=/mnt/work" /mnt/root
        cd /mnt/root
        mkdir -p proc dev tmp run/sshd etc/dure/nginx.d etc/nginx/conf.d var/log/nginx var/lib/nginx var/cache/nginx root/.ssh
        mount -t proc proc proc
        mount --rbind /dev dev
        cp "$top/keys/host" etc/ssh/host
        chmod 600 etc/ssh/host
        chmod 755 . root
        chmod 700 root/.ssh
        cp "$top/keys/client.pub" root/.ssh/authorized_keys
        cp "$top/keys/nginx.conf" etc/nginx/nginx.conf
        unset TMPDIR
        exec chroot . /bin/sh -c "export PATH=/usr/sbin:/usr/bin:/sbin:/bin; nginx; exec /usr/sbin/sshd -D -e -f /dev/null -p $port -h /etc/ssh/host -o ListenAddress=127.0.0.1 -o UsePAM=no -o StrictModes=no -o MaxStartups=100 -o SetEnv=PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        """;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
