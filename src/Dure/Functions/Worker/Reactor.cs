using System.Threading.Channels;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>
/// One thread that waits for everything the worker has to do with: descriptors, files, the passing of time, work from other
/// threads. All state of sandboxes belongs to this thread, so there are no locks.
/// </summary>
internal sealed class Reactor : IDisposable
{
    private const int PostedMost = 4096;
    private readonly int _epoll = Libc.epoll_create1(Libc.CloseOnExec);
    private readonly int _wake = Libc.eventfd(0, Libc.CloseOnExec | Libc.NonBlocking);
    private readonly int _inotify = Libc.inotify_init1(Libc.CloseOnExec | Libc.NonBlocking);
    private readonly Dictionary<int, Action<uint>> _descriptors = [];
    private readonly Dictionary<int, Action<string>> _paths = [];
    private readonly PriorityQueue<Alarm, long> _alarms = new();
    private readonly Channel<Action> _posted = Channel.CreateBounded<Action>(PostedMost);
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFault;
    private bool _stopped;

    /// <param name="onFault">Hears of a handler's exception: a bug, which must not end every other sandbox.</param>
    public Reactor(TimeProvider time, Action<Exception> onFault)
    {
        (_time, _onFault) = (time, onFault);
        Watch(_wake, Libc.EpollIn, _ => RunPosted());
        Watch(_inotify, Libc.EpollIn, _ => ReadPaths());
    }

    /// <summary>Unix milliseconds.</summary>
    public long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Calls <paramref name="handler"/> with what happened as long as a descriptor is ready.</summary>
    public void Watch(int fd, uint events, Action<uint> handler)
    {
        _descriptors[fd] = handler;
        Control(Libc.EpollAdd, fd, events);
    }

    /// <summary>Changes what is waited for; 0 waits for errors and hang-ups only.</summary>
    public void Rearm(int fd, uint events) => Control(Libc.EpollModify, fd, events);

    /// <summary>Forgets a descriptor; does not close it.</summary>
    public void Forget(int fd)
    {
        if (_descriptors.Remove(fd)) Control(Libc.EpollDelete, fd, 0);
    }

    /// <summary>Forgets and closes a descriptor and makes the variable -1.</summary>
    public void Close(ref int fd)
    {
        if (fd < 0) return;
        Forget(fd);
        _ = Libc.close(fd);
        fd = -1;
    }

    /// <summary>Calls <paramref name="handler"/> with a file's name (empty when <paramref name="path"/> is a file itself) on inotify events.</summary>
    /// <returns>A number for <see cref="ForgetPath"/>, or -1.</returns>
    public int WatchPath(string path, uint mask, Action<string> handler)
    {
        var watch = Libc.inotify_add_watch(_inotify, path, mask);
        if (watch >= 0) _paths[watch] = handler;
        return watch;
    }

    public void ForgetPath(ref int watch)
    {
        if (watch >= 0 && _paths.Remove(watch)) _ = Libc.inotify_rm_watch(_inotify, watch);
        watch = -1;
    }

    /// <summary>Runs <paramref name="action"/> once on this thread after a while, unless cancelled before.</summary>
    public Alarm After(TimeSpan delay, Action action)
    {
        var alarm = new Alarm(action);
        _alarms.Enqueue(alarm, Stamp + (long)(delay.TotalSeconds * _time.TimestampFrequency));
        return alarm;
    }

    /// <summary>Runs <paramref name="action"/> on this thread soon. From any thread.</summary>
    public async ValueTask PostAsync(Action action, CancellationToken cancel)
    {
        await _posted.Writer.WriteAsync(action, cancel);
        Wake();
    }

    /// <summary>Ends <see cref="Run"/> after the present event. From any thread.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopped, true);
        Wake();
    }

    /// <summary>Handles events until <see cref="Stop"/>. Blocks; meant for a thread of its own.</summary>
    public unsafe void Run()
    {
        const int Most = 64;
        var (size, at) = EventLayout;
        var happened = stackalloc byte[Most * 16];
        while (!Volatile.Read(ref _stopped))
        {
            var count = Libc.epoll_wait(_epoll, happened, Most, MillisecondsToNextAlarm());
            for (var i = 0; i < count; i++)
            {
                var e = happened + (i * size);
                if (_descriptors.TryGetValue(*(int*)(e + at), out var handler)) Guard(handler, *(uint*)e);
            }

            RingAlarms();
        }
    }

    public void Dispose()
    {
        _ = Libc.close(_inotify);
        _ = Libc.close(_wake);
        _ = Libc.close(_epoll);
    }

    private long Stamp => _time.GetTimestamp();

    /// <summary>The kernel packs <c>epoll_event</c> on x86-64 only.</summary>
    private static (int Size, int DataAt) EventLayout =>
        System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? (12, 4) : (16, 8);

    private void Guard<T>(Action<T> action, T argument)
    {
        try
        {
            action(argument);
        }
        catch (Exception e)
        {
            _onFault(e);
        }
    }

    private unsafe void Control(int operation, int fd, uint events)
    {
        var change = stackalloc byte[16];
        *(uint*)change = events;
        *(long*)(change + EventLayout.DataAt) = fd;
        _ = Libc.epoll_ctl(_epoll, operation, fd, change);
    }

    private unsafe void Wake()
    {
        long one = 1;
        _ = Libc.write(_wake, (byte*)&one, 8);
    }

    private int MillisecondsToNextAlarm()
    {
        while (_alarms.TryPeek(out var alarm, out var due))
        {
            if (!alarm.Cancelled) return (int)Math.Clamp(((due - Stamp) * 1000 / _time.TimestampFrequency) + 1, 0, 60_000);
            _alarms.Dequeue();
        }

        return 60_000;
    }

    private void RingAlarms()
    {
        while (_alarms.TryPeek(out var alarm, out var due) && (alarm.Cancelled || due <= Stamp))
        {
            _alarms.Dequeue();
            if (!alarm.Cancelled) Guard(static a => a.Ring(), alarm);
        }
    }

    private unsafe void RunPosted()
    {
        long ignored;
        _ = Libc.read(_wake, (byte*)&ignored, 8);
        while (_posted.Reader.TryRead(out var action)) Guard(static a => a(), action);
    }

    private unsafe void ReadPaths()
    {
        const int Length = 16 * 1024;
        var buffer = stackalloc byte[Length];
        var got = Libc.read(_inotify, buffer, Length);
        for (nint at = 0; at < got;)
        {
            var watch = *(int*)(buffer + at);
            var nameLength = *(int*)(buffer + at + 12);
            var name = new ReadOnlySpan<byte>(buffer + at + 16, nameLength);
            var end = name.IndexOf((byte)0);
            if (_paths.TryGetValue(watch, out var handler))
                Guard(handler, System.Text.Encoding.UTF8.GetString(end < 0 ? name : name[..end]));
            at += 16 + nameLength;
        }
    }

    /// <summary>Something that will happen once.</summary>
    internal sealed class Alarm(Action action)
    {
        public bool Cancelled { get; private set; }

        public void Cancel() => Cancelled = true;

        public void Ring()
        {
            Cancelled = true;
            action();
        }
    }
}
