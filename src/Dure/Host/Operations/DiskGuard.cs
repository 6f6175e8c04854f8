using System.Diagnostics.Metrics;
using Dure.Host.Configuration;

namespace Dure.Host.Operations;

/// <summary>How much room the data folder's disk has left.</summary>
public enum DiskState
{
    Ok,

    /// <summary>Under <c>disk.warn</c>.</summary>
    Warning,

    /// <summary>Under <c>disk.refuse</c>: what runs goes on, new work is refused.</summary>
    Refusing,
}

/// <summary>A look at the disk.</summary>
public sealed record DiskReading(long FreeBytes, long TotalBytes, DiskState State);

/// <summary>Watches the free space of the data folder's disk every second, so that new work is refused before anything is half written.</summary>
public sealed partial class DiskGuard : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Meter _meter = new("Dure.Disk");
    private readonly string _folder;
    private readonly DiskOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private DiskReading _last;

    /// <param name="folder">Any folder on the disk.</param>
    public DiskGuard(string folder, DiskOptions options, TimeProvider time, ILogger<DiskGuard> logger)
    {
        (_folder, _options, _time, _logger) = (folder, options, time, logger);
        _last = Read();
        _meter.CreateObservableGauge("dure_disk_free_bytes", () => Now.FreeBytes, "By", "Free space of the data folder's disk.");
        _meter.CreateObservableGauge("dure_disk_total_bytes", () => Now.TotalBytes, "By", "Size of the data folder's disk.");
        _meter.CreateObservableGauge("dure_disk_state", () => (int)Now.State, null, "0 enough room, 1 under disk.warn, 2 under disk.refuse.");
    }

    /// <summary>The last look, at most a second old.</summary>
    public DiskReading Now => Volatile.Read(ref _last);

    /// <summary>The word for a state in the API.</summary>
    public static string NameOf(DiskState state) => state switch { DiskState.Ok => "ok", DiskState.Warning => "warning", _ => "refusing" };

    /// <summary>Why new work must be refused now, or null.</summary>
    public string? Refusal() => Now is { State: DiskState.Refusing } now
        ? $"{Units.WriteBytes(now.FreeBytes)} are free of {Units.WriteBytes(now.TotalBytes)}; under {Units.WriteDiskAmount(_options.Refuse)} (disk.refuse) nothing new is accepted."
        : null;

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(LookEvery, _time);
        while (await timer.WaitForNextTickAsync(cancel))
            Look();
    }

    /// <summary>Looks once.</summary>
    public void Look()
    {
        var before = Now;
        DiskReading now;
        try
        {
            now = Read();
        }
        catch (IOException error)
        {
            LogUnreadable(_folder, error.Message);
            return;
        }
        Volatile.Write(ref _last, now);
        if (now.State == before.State)
            return;
        if (now.State == DiskState.Ok)
            LogEnough(now.FreeBytes);
        else if (now.State == DiskState.Warning)
            LogLow(now.FreeBytes, Units.WriteDiskAmount(_options.Warn));
        else
            LogRefusing(now.FreeBytes, Units.WriteDiskAmount(_options.Refuse));
    }

    public void Dispose() => _meter.Dispose();

    private DiskReading Read()
    {
        var drive = new DriveInfo(_folder);
        var (free, total) = (drive.AvailableFreeSpace, drive.TotalSize);
        var state = free < _options.Refuse.On(total) ? DiskState.Refusing : free < _options.Warn.On(total) ? DiskState.Warning : DiskState.Ok;
        return new DiskReading(free, total, state);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The disk has enough room again: {Free} bytes are free")]
    private partial void LogEnough(long free);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The disk is getting full: {Free} bytes are free, disk.warn is {Limit}")]
    private partial void LogLow(long free, string limit);

    [LoggerMessage(Level = LogLevel.Error, Message = "The disk is nearly full: {Free} bytes are free, disk.refuse is {Limit}; new work is refused, what runs goes on")]
    private partial void LogRefusing(long free, string limit);

    [LoggerMessage(Level = LogLevel.Error, Message = "The free space of {Folder} cannot be read: {Why}")]
    private partial void LogUnreadable(string folder, string why);
}
