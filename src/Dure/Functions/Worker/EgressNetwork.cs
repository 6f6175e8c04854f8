using System.Globalization;
using System.Text;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>
/// The way out of a sandbox with <see cref="SandboxNetwork.Egress"/>: slirp4netns, a user-mode network in a process outside, which
/// hands nothing to the host's loopback. bubblewrap waits for it before it starts the program.
/// </summary>
internal sealed class EgressNetwork(SandboxHost host, BwrapSandbox sandbox)
{
    public const string Program = "/usr/bin/slirp4netns";
    private readonly StringBuilder _log = new();
    private int _pid;
    private int _pidfd = -1;
    private int _ready = -1;
    private bool _unblocked;

    private string LogFile => sandbox.Folder + "/network.log";

    /// <summary>Attaches a network to the namespaces of <paramref name="init"/>.</summary>
    public unsafe void Attach(int init)
    {
        File.WriteAllText(LogFile, "");
        var ready = stackalloc int[2];
        if (Libc.pipe2(ready, Libc.CloseOnExec) != 0) return;
        var id = init.ToString(CultureInfo.InvariantCulture);
        var arguments = host.SpawnOptions(null);
        arguments.AddRange(["--tun", "1", "--netns", id, "--out", LogFile, "--err", LogFile, "--", Program]);
        arguments.AddRange(["--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=3", "--userns-path=/proc/self/fd/7"]);
        arguments.AddRange(["--netns-type=path", "/proc/self/fd/6", "tap0"]);
        _pid = Spawn.Start(host.SpawnProgram, arguments, [ready[1]]);
        _ = Libc.close(ready[1]);
        _ready = ready[0];
        if (_pid <= 0)
        {
            Fail();
            return;
        }

        _pidfd = Libc.PidfdOpen(_pid);
        host.Reactor.Watch(_pidfd, Libc.EpollIn, _ => OnExit());
        host.Reactor.Watch(_ready, Libc.EpollIn, _ => OnReady());
    }

    /// <summary>Ends the network.</summary>
    public void End()
    {
        if (_pidfd >= 0) _ = Libc.PidfdSendSignal(_pidfd, Libc.SigKill);
        host.Reactor.Close(ref _ready);
    }

    private unsafe void OnReady()
    {
        byte said;
        var got = Libc.read(_ready, &said, 1);
        host.Reactor.Close(ref _ready);
        if (got != 1) return;
        _unblocked = true;
        sandbox.Unblock();
    }

    private unsafe void OnExit()
    {
        int status;
        if (Libc.waitpid(_pid, &status, 1) != _pid) return;
        host.Reactor.Close(ref _pidfd);
        if (!_unblocked) Fail();
    }

    private void Fail()
    {
        _log.Append(File.Exists(LogFile) ? File.ReadAllText(LogFile).Trim().ReplaceLineEndings("; ") : "");
        sandbox.Fail(WorkerErrors.NetworkFailed.With(_log.Length == 0 ? "slirp4netns could not be started" : _log.ToString()));
    }
}
