using System.Net.Sockets;
using System.Runtime.InteropServices;
using Dure.Functions.Worker.Cgroups;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Warm;

/// <summary>A sandbox that a <see cref="Zygote"/> forked. It is not our child: the zygote says how it ended.</summary>
internal sealed class ForkedSandbox : Sandbox
{
    private const int SolSocket = 1;
    private const int PeerCredentials = 17;
    private int _pid;
    private int _pidfd = -1;
    private int? _code;
    private int _signal;

    private ForkedSandbox(SandboxHost host, string name, string folder, ControlGroup? group)
        : base(host, name, folder, group) => (Generic, State) = (true, SandboxState.Starting);

    /// <summary>Asks the zygote for one.</summary>
    public static ForkedSandbox? Begin(SandboxHost host, Zygote zygote, SandboxLimits shape, bool patient)
    {
        var name = host.NextName("f");
        var folder = zygote.SlotsFolder + "/" + name;
        var sandbox = new ForkedSandbox(host, name, folder, host.Groups.CreateGroup(name));
        try
        {
            SlotFolder.Create(folder, host.Uid);
            sandbox.OpenOutputs();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            sandbox.Discard();
            return null;
        }

        host.Own(sandbox);
        zygote.Fork(name, shape, patient, sandbox);
        return sandbox;
    }

    /// <summary>It exists and listens.</summary>
    public void OnForked()
    {
        if (Locate() is not { } pid)
        {
            Fail(WorkerErrors.NotStarted.With("the forked process is gone"));
            return;
        }

        (_pid, _pidfd) = (pid, Libc.PidfdOpen(pid));
        if (StopAsked || Fault is not null) KillProcesses();
        // Joining takes milliseconds when the kernel has to wait for all processors: not on the reactor's thread.
        _ = JoinAsync(pid);
    }

    /// <summary>It could not be made.</summary>
    public void OnFailed(string detail) => Fault ??= WorkerErrors.NotStarted.With(detail);

    /// <summary>Everything in it is gone.</summary>
    public void OnExited(int code, int signal)
    {
        (_code, _signal) = (code, signal);
        TryFinish();
    }

    protected override void KillProcesses()
    {
        if (_pidfd >= 0) _ = Libc.PidfdSendSignal(_pidfd, Libc.SigKill);
    }

    protected override bool ProcessesGone() => _code is not null;

    protected override List<int> Inside()
    {
        if (_pid == 0) return [];
        return Group is { Processes: { Count: > 0 } known } ? known.ToList() : Processes.Tree(_pid);
    }

    protected override FromWorker LastMessage()
    {
        var status = _signal > 0 ? _signal : (_code ?? 0) << 8;
        return SandboxEnd.Describe(this, new SandboxEnd(status, Breach, StopAsked, State == SandboxState.Started, CommandRan: true, Fault, LastWords));
    }

    protected override void Discard()
    {
        base.Discard();
        Host.Reactor.Close(ref _pidfd);
    }

    /// <summary>The process id outside: the kernel notes who listens on a socket.</summary>
    private int? Locate()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Folder + "/io/fn.sock"));
            Span<byte> credentials = stackalloc byte[12];
            socket.GetRawSocketOption(SolSocket, PeerCredentials, credentials);
            return MemoryMarshal.Read<int>(credentials) is > 0 and var pid ? pid : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private async Task JoinAsync(int pid)
    {
        var joined = await Task.Run(() => Group?.Join(pid) ?? true);
        await Host.Reactor.PostAsync(() =>
        {
            if (State == SandboxState.Gone) return;
            if (!joined) Fail(WorkerErrors.NotStarted.With("the process could not be put into its control group"));
            else Started();
        }, CancellationToken.None);
    }
}
