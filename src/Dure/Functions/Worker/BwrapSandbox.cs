using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dure.Functions.Worker.Cgroups;
using Dure.Functions.Worker.Native;
using Dure.Functions.Worker.RuntimeApi;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>
/// A sandbox made by bubblewrap. Two processes are watched: bubblewrap itself (our child, which ends with the command's exit code)
/// and the first process inside (its end is the end of all in there).
/// </summary>
internal sealed class BwrapSandbox : Sandbox
{
    private readonly StringBuilder _status = new();
    private readonly string _readyFile;
    private Reactor.Alarm? _startTimeout;
    private EgressNetwork? _network;
    private RuntimeApiSandbox? _runtimeApi;
    private int _monitor;
    private int _monitorFd = -1;
    private int _init;
    private int _initFd = -1;
    private int _statusFd = -1;
    private int _argumentsFd = -1;
    private int _goFd = -1;
    private int _ioWatch = -1;
    private int _exitStatus;
    private bool _commandRan;

    private BwrapSandbox(SandboxHost host, string name, string readyFile, ControlGroup? group)
        : base(host, name, host.SlotPath(name), group) => _readyFile = readyFile;

    /// <summary>Starts a process that waits in place to become a sandbox.</summary>
    public static Outcome<BwrapSandbox> Park(SandboxHost host, string name, string readyFile = "fn.sock", bool generic = false)
    {
        var sandbox = new BwrapSandbox(host, name, readyFile, host.Groups.CreateGroup(name)) { Generic = generic };
        try
        {
            SlotFolder.Create(sandbox.Folder, host.Uid);
            sandbox.OpenOutputs();
            sandbox.Out.OpenWriteEnd(sandbox.Folder + "/io/raw.out");
            sandbox.Err.OpenWriteEnd(sandbox.Folder + "/io/raw.err");
            if (sandbox.Spawn() is not { } problem) return sandbox;
            sandbox.Discard();
            return problem;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            sandbox.Discard();
            return WorkerErrors.NotStarted.With(e.Message);
        }
    }

    /// <summary>Becomes a sandbox for <paramref name="spec"/>. Limits are the caller's business.</summary>
    /// <param name="mode">The mode for <c>dure-init</c> when it is none of <see cref="SandboxMode"/>.</param>
    public void Launch(SandboxSpec spec, string? mode = null)
    {
        (Spec, State) = (spec, SandboxState.Starting);
        try
        {
            if (spec.Mode == SandboxMode.RuntimeApi) _runtimeApi = Host.ServeRuntimeApi(Folder, RuntimeFunction.Of(spec.Environment));
        }
        catch (SocketException e)
        {
            Fail(WorkerErrors.NotStarted.With(e.Message));
            return;
        }

        if (spec.Mode != SandboxMode.Run) _ioWatch = Host.Reactor.WatchPath(Folder + "/io", Libc.InCreate | Libc.InMovedTo, OnFile);
        var folders = new SandboxFolders(Folder, Host.Runtimes, Host.System);
        var options = BwrapArguments.Encode(BwrapArguments.Options(spec, folders, Host.Gpus.Arguments(spec.Gpus)));
        var payload = BwrapArguments.Encode(BwrapArguments.Payload(spec, mode, Host.Groups.Enforced.Processes ? 0 : spec.Limits.Processes));
        _startTimeout = Host.Reactor.After(Host.Options.StartTimeout, () => Fail(WorkerErrors.StartTimeout.With(
            $"{_readyFile} did not appear within {Host.Options.StartTimeout.TotalSeconds:0} s")));
        if (!Go(spec, options, payload)) Fail(WorkerErrors.NotStarted.With("the process that was to become the sandbox is gone"));
    }

    /// <summary>The network is there: bubblewrap may go on.</summary>
    public unsafe void Unblock()
    {
        byte go = 1;
        if (_goFd >= 0) _ = Libc.write(_goFd, &go, 1);
        Host.Reactor.Close(ref _goFd);
        if (Spec?.Mode == SandboxMode.Run) Ready();
    }

    protected override void KillProcesses()
    {
        if (_initFd >= 0) _ = Libc.PidfdSendSignal(_initFd, Libc.SigKill);
        else if (_monitorFd >= 0) _ = Libc.PidfdSendSignal(_monitorFd, Libc.SigKill);
    }

    protected override bool ProcessesGone()
    {
        if (_monitorFd >= 0) return false;
        if (_initFd >= 0) _ = Libc.PidfdSendSignal(_initFd, Libc.SigKill);
        return _initFd < 0;
    }

    /// <summary>bubblewrap itself is spared: its end would be the end of all, without grace.</summary>
    protected override List<int> Inside()
    {
        if (_init == 0) return [];
        var inside = Group is { Processes: { Count: > 0 } known } ? known.ToList() : Processes.Tree(_init);
        inside.Remove(_monitor);
        return inside;
    }

    protected override FromWorker LastMessage() => SandboxEnd.Describe(
        this, new SandboxEnd(_exitStatus, Breach, StopAsked, State == SandboxState.Started, _commandRan, Fault, LastWords));

    protected override void Discard()
    {
        base.Discard();
        _startTimeout?.Cancel();
        _network?.End();
        _runtimeApi?.Dispose();
        Host.Reactor.ForgetPath(ref _ioWatch);
        Host.Reactor.Close(ref _statusFd);
        Host.Reactor.Close(ref _argumentsFd);
        Host.Reactor.Close(ref _goFd);
    }

    private unsafe Problem? Spawn()
    {
        var status = stackalloc int[2];
        var go = stackalloc int[2];
        if (Libc.pipe2(status, Libc.CloseOnExec) != 0 || Libc.pipe2(go, Libc.CloseOnExec) != 0) return WorkerErrors.NotStarted.With(Libc.Fault("pipe"));
        _argumentsFd = Libc.memfd_create("dure-arguments", 1);
        var arguments = Host.SpawnOptions(Group);
        arguments.AddRange(["--outputs", "1", "--wait", "1"]);
        arguments.AddRange(["--", Host.Bubblewrap, "--args", BwrapArguments.ArgumentsFd, "--"]);
        _monitor = Native.Spawn.Start(Host.SpawnProgram, arguments, [status[1], _argumentsFd, go[0], Out.WriteEnd, Err.WriteEnd]);
        Out.CloseWriteEnd();
        Err.CloseWriteEnd();
        _ = Libc.close(status[1]);
        _ = Libc.close(go[0]);
        (_statusFd, _goFd) = (status[0], go[1]);
        if (_monitor < 0) return WorkerErrors.NotStarted.With($"{Host.SpawnProgram}: error {-_monitor}");
        _monitorFd = Libc.PidfdOpen(_monitor);
        Host.Reactor.Watch(_monitorFd, Libc.EpollIn, _ => OnMonitorExit());
        Host.Reactor.Watch(_statusFd, Libc.EpollIn, _ => ReadStatus());
        return null;
    }

    private unsafe bool Go(SandboxSpec spec, byte[] options, byte[] payload)
    {
        var keep = spec.Network == SandboxNetwork.Egress;
        byte[] line = [.. Encoding.ASCII.GetBytes($"{spec.Limits.OpenFiles} {(keep ? 1 : 0)} {payload.Length}\n"), .. payload];
        bool written;
        fixed (byte* o = options) written = Libc.pwrite(_argumentsFd, o, options.Length, 0) == options.Length;
        fixed (byte* l = line) written = written && Libc.write(_goFd, l, line.Length) == line.Length;
        Host.Reactor.Close(ref _argumentsFd);
        if (keep) _network = new EgressNetwork(Host, this);
        else Host.Reactor.Close(ref _goFd);
        return written;
    }

    private unsafe void ReadStatus()
    {
        var buffer = stackalloc byte[1024];
        var got = _statusFd < 0 ? 0 : Libc.read(_statusFd, buffer, 1024);
        if (got <= 0)
        {
            Host.Reactor.Close(ref _statusFd);
            return;
        }

        _status.Append(Encoding.UTF8.GetString(buffer, (int)got));
        for (var text = _status.ToString(); text.IndexOf('\n', StringComparison.Ordinal) is >= 0 and var end; text = text[(end + 1)..])
        {
            _status.Remove(0, end + 1);
            OnStatus(text[..end]);
        }
    }

    private void OnStatus(string line)
    {
        using var json = JsonDocument.Parse(line);
        if (json.RootElement.TryGetProperty("child-pid", out var pid))
        {
            OnInit(pid.GetInt32());
            if (Spec?.Mode == SandboxMode.Run && _network is null) Ready();
        }

        if (json.RootElement.TryGetProperty("exit-code", out _)) _commandRan = true;
        if (json.RootElement.TryGetProperty("spawn-error", out var error)) Fault ??= WorkerErrors.NotStarted.With(error.GetString() ?? "");
    }

    private void OnInit(int pid)
    {
        var fd = Libc.PidfdOpen(pid);
        if (fd < 0) return;
        // The number may have been given to another process if ours ended meanwhile; its parent tells.
        if (Processes.Parent(pid) != _monitor && !(Group?.Processes.Contains(pid) ?? false))
        {
            _ = Libc.close(fd);
            return;
        }

        (_init, _initFd) = (pid, fd);
        Host.Reactor.Watch(_initFd, Libc.EpollIn, _ =>
        {
            Host.Reactor.Close(ref _initFd);
            TryFinish();
        });
        if (Fault is not null || StopAsked) Kill();
        _network?.Attach(pid);
    }

    private void OnFile(string name)
    {
        if (string.Equals(name, _readyFile, StringComparison.Ordinal)) Ready();
    }

    private void Ready()
    {
        _startTimeout?.Cancel();
        Host.Reactor.ForgetPath(ref _ioWatch);
        Started();
    }

    private unsafe void OnMonitorExit()
    {
        int status;
        if (Libc.waitpid(_monitor, &status, 1) != _monitor) return;
        _exitStatus = status;
        Host.Reactor.Close(ref _monitorFd);
        while (_statusFd >= 0) ReadStatus();
        TryFinish();
    }
}
