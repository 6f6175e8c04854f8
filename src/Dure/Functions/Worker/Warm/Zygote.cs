using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Warm;

/// <summary>What is asked of the interpreter that forks.</summary>
internal sealed record ForkRequest(string Fork, long TmpBytes, int OpenFiles, bool Patient);

/// <summary>What it says: one of the three names is set.</summary>
internal sealed record ForkReport(string? Forked, string? Failed, string? Exited, int Pid, int Code, int Signal, string? Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ForkRequest))]
[JsonSerializable(typeof(ForkReport))]
internal sealed partial class ZygoteJson : JsonSerializerContext;

/// <summary>A sandbox with a Python interpreter that has its modules loaded and forks on request. Belongs to the reactor's thread.</summary>
internal sealed class Zygote : IDisposable
{
    private static readonly string[] Command = ["/usr/bin/python3", "-I", "-S", "-X", "utf8", "/dure/rt/python/zygote.py"];
    private readonly SandboxHost _host;
    private readonly BwrapSandbox _sandbox;
    private readonly Dictionary<string, ForkedSandbox> _forks = new(StringComparer.Ordinal);
    private readonly List<ForkRequest> _early = [];
    private readonly byte[] _buffer = new byte[64 << 10];
    private bool _ending;
    private int _used;
    private Socket? _socket;

    private Zygote(SandboxHost host, BwrapSandbox sandbox, string slots) => (_host, _sandbox, SlotsFolder) = (host, sandbox, slots);

    /// <summary>Host folder of its forks' slots.</summary>
    public string SlotsFolder { get; }

    /// <summary>Whether it takes requests.</summary>
    public bool IsReady => _socket is not null && !Gone;

    /// <summary>Whether it ended.</summary>
    public bool Gone { get; private set; }

    /// <summary>Raised when <see cref="IsReady"/> became true, and when it ended.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Starts one.</summary>
    /// <param name="deps">Host folder shown at <c>/deps</c>.</param>
    /// <param name="preload">Modules to load before forking, separated by commas.</param>
    public static Zygote? Start(SandboxHost host, string? deps, string preload)
    {
        var name = host.NextName("z");
        var slots = host.ZygotePath(name);
        SlotFolder.CreatePassable(Path.GetDirectoryName(slots)!);
        SlotFolder.CreatePassable(slots);
        var parked = BwrapSandbox.Park(host, name, "zygote.sock");
        if (!parked.Ok) return null;
        host.Own(parked.Value);
        var zygote = new Zygote(host, parked.Value, slots);
        parked.Value.Changed = _ => zygote.OnChanged();
        IReadOnlyList<string> command = preload.Length == 0 ? Command : [.. Command, "--preload", preload];
        var shape = new SandboxLimits(0, 0, 0, 16 << 20, 4096);
        parked.Value.Launch(GenericPool.Spec(SandboxMode.Shim, command, shape, deps, [new SandboxMount(slots, "/dure/slots", Writable: true)]), "zygote");
        parked.Value.Listen(discard: true);
        return zygote;
    }

    /// <summary>Asks for a fork, which will report to <paramref name="fork"/>; one that is asked for early is made when the interpreter is ready.</summary>
    /// <param name="patient">Nobody waits for it: it comes when the interpreter has imported everything.</param>
    public void Fork(string name, SandboxLimits shape, bool patient, ForkedSandbox fork)
    {
        _forks[name] = fork;
        var request = new ForkRequest(name, shape.TmpBytes, shape.OpenFiles, patient);
        if (IsReady) Ask(request);
        else _early.Add(request);
    }

    private void Ask(ForkRequest request) => Send(JsonSerializer.SerializeToUtf8Bytes(request, ZygoteJson.Default.ForkRequest));

    /// <summary>Ends it; forks that were given out keep it alive until they end themselves.</summary>
    public void End()
    {
        _ending = true;
        EndWhenUnused();
    }

    private void EndWhenUnused()
    {
        if (_ending && _forks.Count == 0) _sandbox.Stop(TimeSpan.Zero);
    }

    private void OnChanged()
    {
        if (_sandbox.State == SandboxState.Started) Connect();
        if (_sandbox.State != SandboxState.Gone) return;
        Gone = true;
        Disconnect();
        foreach (var fork in _forks.Values.ToArray()) fork.OnExited(0, Libc.SigKill);
        _forks.Clear();
        _ = SlotFolder.RemoveAsync(Path.GetDirectoryName(SlotsFolder)!, CancellationToken.None);
        Changed();
    }

    private void Connect()
    {
        try
        {
            _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _socket.Connect(new UnixDomainSocketEndPoint(_sandbox.Folder + "/io/zygote.sock"));
        }
        catch (SocketException)
        {
            _sandbox.Stop(TimeSpan.Zero);
            return;
        }

        _socket.Blocking = false;
        _host.Reactor.Watch((int)_socket.Handle, Libc.EpollIn, _ => Receive());
        _early.ForEach(Ask);
        _early.Clear();
        Changed();
    }

    public void Dispose() => Disconnect();

    private void Disconnect()
    {
        if (_socket is null) return;
        _host.Reactor.Forget((int)_socket.Handle);
        _socket.Dispose();
        _socket = null;
    }

    private void Send(byte[] line)
    {
        byte[] all = [.. line, (byte)'\n'];
        if (_socket?.Send(all, 0, all.Length, SocketFlags.None, out _) == all.Length) return;
        // It does not keep up with a few hundred bytes: something is wrong with it, and a new one will be made.
        _sandbox.Stop(TimeSpan.Zero);
    }

    private void Receive()
    {
        var got = _socket!.Receive(_buffer.AsSpan(_used), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return;
        if (error != SocketError.Success || got == 0 || _used + got == _buffer.Length)
        {
            Disconnect();
            _sandbox.Stop(TimeSpan.Zero);
            return;
        }

        _used += got;
        for (var end = Line(); end >= 0; end = Line())
        {
            var report = JsonSerializer.Deserialize(_buffer.AsSpan(0, end), ZygoteJson.Default.ForkReport)!;
            _buffer.AsSpan(end + 1, _used - end - 1).CopyTo(_buffer);
            _used -= end + 1;
            Take(report);
        }
    }

    private int Line() => _buffer.AsSpan(0, _used).IndexOf((byte)'\n');

    private void Take(ForkReport report)
    {
        var name = report.Forked ?? report.Failed ?? report.Exited;
        if (name is null || !_forks.TryGetValue(name, out var fork)) return;
        if (report.Forked is not null) fork.OnForked();
        else if (report.Failed is not null) fork.OnFailed(report.Detail ?? "");
        if (report.Exited is null) return;
        _forks.Remove(name);
        fork.OnExited(report.Code, report.Signal);
        EndWhenUnused();
    }
}
