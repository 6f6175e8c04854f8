using System.Net.Sockets;
using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <summary>One worker process that stands by; it stays as long as this is connected to it (<see cref="StandbyDoor"/>). Used by one thread at a time.</summary>
/// <param name="path">Its socket.</param>
internal sealed class StandbyWorker(int pid, string path, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan SettlesIn = TimeSpan.FromSeconds(1);

    private readonly long _since = time.GetTimestamp();
    private Socket? _door;
    private long _connectedAt;
    private bool _hurried;

    /// <summary>The process.</summary>
    public int Pid => pid;

    /// <summary>When it was started or found; the oldest takes over first.</summary>
    public long Since => _since;

    /// <summary>Whether the process may still be busy with its start.</summary>
    public bool Starts => _door is null || time.GetElapsedTime(_connectedAt) < SettlesIn;

    /// <summary>Whether the process starts, waits, or has taken over and was not heard yet.</summary>
    // Nothing is ever sent: what can be read is the end.
    public bool IsThere => _door is { } door ? !door.Poll(0, SelectMode.SelectRead) : TryConnect() || EndProcess.IsAlive(pid);

    /// <summary>Connects to it.</summary>
    /// <returns>False when it does not listen, or not yet.</returns>
    public bool TryConnect()
    {
        _door = StandbyDoor.Connect(path);
        _connectedAt = time.GetTimestamp();
        return _door is not null;
    }

    /// <summary>It is needed now: one that still starts is given precedence.</summary>
    public void Hurry()
    {
        if (!Starts || !Precedence.IsAllowed)
            return;
        _hurried = true;
        Precedence.Set(pid, Precedence.OfStart);
    }

    /// <summary>It has taken over: precedence that was given is taken back here too, as it may have been given just after it had taken that back itself.</summary>
    public void Arrived()
    {
        if (_hurried)
            Precedence.Set(pid, Precedence.Own);
    }

    /// <summary>Lets it go.</summary>
    public void Dispose() => _door?.Dispose();
}
