using System.Text.Json.Nodes;
using Dure.Fleet.Lab;
using Dure.Fleet.Roles.Server;
using Dure.Test.Fleet.Apply;
using Dure.Test.Fleet.Lab;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>Two real machines: <c>gpu</c> runs Dure's server under systemd, <c>edge</c> runs an nginx that somebody set up by hand. Skips where there can be none.</summary>
public sealed class EdgeLab : IAsyncLifetime
{
    private const string Prefix = "/opt/dure";

    private static readonly string[] Wanted = ["nginx", "curl", "gcc", "libc6-dev", "bubblewrap", "slirp4netns", "libsqlite3-0", "libargon2-1", "python3", "libssl3", "openssl", "age"];

    private readonly Scratch _scratch = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.Zero });
    private readonly string _name = "apps-" + Path.GetRandomFileName()[..8].ToLowerInvariant();

    /// <summary>Why there is none; null when there is.</summary>
    internal string? Why { get; private set; }

    /// <summary>What the lab itself put on the edge.</summary>
    private HashSet<string> _before = [];

    internal RunningLab Lab { get; private set; } = null!;

    private LabPlaces Places => LabPlaces.Default with { State = _scratch["labs"] };

    internal string Edge => Address("edge");

    public async ValueTask InitializeAsync()
    {
        Why = await TwoMachines.WhyNotAsync(Places);
        if (Why is not null)
            return;
        var spec = new LabSpec(_name, [new("gpu", 11), new("edge", 12)], Wanted);
        Lab = ApplyLab.Value(await RunningLab.UpAsync(Places, spec, TwoMachines.Mirror, line => TestContext.Current.SendDiagnosticMessage(line), CancellationToken.None));
        await Task.WhenAll(PrepareEdgeAsync(), PrepareGpuAsync());
        _before = [.. (await OnEdgeAsync()).Split('\n')];
    }

    public async ValueTask DisposeAsync()
    {
        if (Lab is not null)
            ApplyLab.Value(await RunningLab.DownAsync(Places, _name, CancellationToken.None));
        _http.Dispose();
        _scratch.Dispose();
    }

    internal string Address(string machine) => Lab.Record().Value.AddressOf(Lab.Record().Value.Find(machine).Value).ToString();

    /// <summary>A path inside a machine, as this host sees it.</summary>
    internal string Inside(string machine, string path) => Path.Combine(Lab.Folder.Machine(machine), "root", path.TrimStart('/'));

    internal async Task<(int Code, string Text)> ShellAsync(string machine, string script)
    {
        var ran = ApplyLab.Value(await Lab.ExecAsync(machine, ["sh", "-c", script], TestContext.Current.CancellationToken));
        return (ran.ExitCode, (ran.Output + ran.Error).TrimEnd('\n'));
    }

    internal async Task<string> GoodAsync(string machine, string script)
    {
        var (code, text) = await ShellAsync(machine, script);
        Assert.True(code == 0, $"{machine}: {script}\nended with {code}\n{text}");
        return text;
    }

    /// <summary>Runs <c>dure</c> on gpu and reads its JSON.</summary>
    internal async Task<JsonNode> DureAsync(string words) => JsonNode.Parse(await GoodAsync("gpu", $"dure {words} --format json 2>/run/said || {{ cat /run/said; exit 1; }}"))!;

    /// <summary>Puts <see cref="TestApp"/> into /srv/NAME of gpu.</summary>
    internal void Write(string name, string version, string more = "") => TestApp.Write(Inside("gpu", "/srv/" + name), version, more);

    /// <summary>Skips the test where there can be no such machines.</summary>
    internal void OrSkip()
    {
        if (Why is { } why)
            Assert.Skip(why);
    }

    /// <summary>Where an app is read.</summary>
    internal string Url(string id) => $"http://{Edge}/papers/{id}/";

    internal async Task<string> TextAsync(string url) => await _http.GetStringAsync(new Uri(url), TestContext.Current.CancellationToken);

    /// <summary>What is there once it is.</summary>
    internal async Task<string> UntilAsync(string url)
    {
        while (true)
        {
            try
            {
                return await TextAsync(url);
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until Dure's server on gpu answers.</summary>
    internal Task ServerIsUpAsync() => GoodAsync("gpu", "for i in $(seq 200); do curl -s -o /dev/null --max-time 2 http://127.0.0.1:7070/api/health && exit 0; sleep 0.1; done; journalctl -u dure -n 20 --no-pager; exit 1");

    /// <summary>Ends the connections that Dure keeps for its next command.</summary>
    internal Task HangUpAsync() => GoodAsync("gpu", "for s in /root/.ssh/dure/*; do [ ! -S $s ] || ssh -O exit -o ControlPath=$s any 2>/dev/null; done; [ -z \"$(ls /root/.ssh/dure)\" ]");

    /// <summary>Dure signs in to the edge as somebody else from now on.</summary>
    internal async Task EdgeAsAsync(string user)
    {
        await GoodAsync("gpu", $"sed -i 's/edge: .*@/edge: {user}@/' /etc/dure/dure.yaml; systemctl restart dure");
        await ServerIsUpAsync();
    }

    /// <summary>Apps of gpu listen at another address from now on.</summary>
    internal async Task MoveAppsAsync(string address)
    {
        await GoodAsync("gpu", $"sed -i 's/address: .*/address: {address}/' /etc/dure/dure.yaml; systemctl restart dure");
        await ServerIsUpAsync();
    }

    /// <summary>Runs <c>dure</c> on gpu and kills its server with SIGKILL as soon as something has happened.</summary>
    internal async Task CutAsync(string words, Func<bool> happened)
    {
        var running = ShellAsync("gpu", "dure " + words);
        while (!happened())
        {
            Assert.False(running.IsCompleted, $"dure {words} ended before it could be cut off: {(running.IsCompleted ? (await running).Text : "")}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        ApplyLab.Value(await Lab.KillProcessAsync("gpu", "dure.service", 9, TestContext.Current.CancellationToken));
        await running;
        await ServerIsUpAsync();
    }

    /// <summary>Neither machine has anything of an app any more.</summary>
    internal async Task NothingIsLeftAsync()
    {
        // The index follows within seconds.
        var left = "all";
        for (var look = 0; left.Length > 0 && look < 20; look++)
        {
            await Task.Delay(look == 0 ? 0 : 500, TestContext.Current.CancellationToken);
            left = string.Join('\n', (await OnEdgeAsync()).Split('\n').Except(_before, StringComparer.Ordinal));
        }

        Assert.Equal("", left);
        Assert.Equal("", await GoodAsync("gpu", "ls /var/lib/dure/apps 2>/dev/null; find /etc/systemd /var/lib/private /var/lib/dure-apps 2>/dev/null | grep -E 'paper-|dure-apps' || :; systemctl list-units --all --no-legend 'paper-*'"));
    }

    /// <summary>What has Dure in its name on the edge, but for the lock that its sessions take there.</summary>
    private Task<string> OnEdgeAsync() => GoodAsync("edge", "find /etc /run /var/cache -name '*dure*' ! -name dure-edge.lock; find /etc/dure/nginx.d -mindepth 1");

    private async Task PrepareEdgeAsync()
    {
        await GoodAsync("edge", "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nginx curl >/dev/null 2>&1 && mkdir -p /etc/dure/nginx.d");
        await File.WriteAllTextAsync(Inside("edge", "/etc/nginx/sites-available/default"), """
            server {
                listen 80 default_server;
                location / { return 200 "the lab's own page\n"; }
                location /papers/foreign/ { return 200 "by hand\n"; }
                include /etc/dure/nginx.d/*.conf;
            }

            """);
        await GoodAsync("edge", "systemctl restart nginx");
    }

    private async Task PrepareGpuAsync()
    {
        var build = DureBuild.Of(ProgramUnderTest.Folder);
        Copy(build.Folder, Inside("gpu", Prefix));
        foreach (var (source, path) in build.Runtime)
            Copy(source, Inside("gpu", "/opt/dotnet/" + path));
        Directory.CreateDirectory(Inside("gpu", "/root/.ssh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Copy(Lab.Folder.Key, Inside("gpu", "/root/.ssh/id_ed25519"), overwrite: true);
        File.SetUnixFileMode(Inside("gpu", "/root/.ssh/id_ed25519"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Copy(Lab.Folder.KnownHosts, Inside("gpu", "/root/.ssh/known_hosts"), overwrite: true);
        Directory.CreateDirectory(Inside("gpu", "/etc/dure"));
        await File.WriteAllTextAsync(Inside("gpu", "/etc/dure/dure.yaml"), $"data: /var/lib/dure\napps:\n  edge: root@{Edge}\n  address: {Address("gpu")}\n  public_url: http://{Edge}\n");
        await File.WriteAllTextAsync(Inside("gpu", "/usr/local/bin/dure"), $"#!/bin/sh\nDOTNET_ROOT=/opt/dotnet exec {Prefix}/dure \"$@\"\n");
        File.SetUnixFileMode(Inside("gpu", "/usr/local/bin/dure"), (UnixFileMode)0b111_101_101);
        await File.WriteAllTextAsync(Inside("gpu", "/etc/systemd/system/dure.service"), $"""
            [Service]
            Type=exec
            Environment=DOTNET_ROOT=/opt/dotnet HOME=/root
            ExecStart={Prefix}/dure up --foreground --yes
            KillMode=process
            Restart=on-failure
            RestartSec=200ms
            Delegate=yes
            [Install]
            WantedBy=multi-user.target

            """);
        await GoodAsync("gpu", "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gcc libc6-dev curl bubblewrap slirp4netns libsqlite3-0 libargon2-1 python3 libssl3 openssl age >/dev/null 2>&1");
        await GoodAsync("gpu", "systemctl daemon-reload; systemctl enable -q --now dure; for i in $(seq 100); do dure status >/dev/null 2>&1 && exit 0; sleep 0.3; done; journalctl -u dure -n 20 --no-pager; exit 1");
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)), overwrite: true);
    }
}
