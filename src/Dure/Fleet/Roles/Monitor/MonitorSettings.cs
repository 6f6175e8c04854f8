using Dure.Host.Configuration;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>What can be set about monitoring, and from when on it alerts.</summary>
internal static class MonitorSettings
{
    public static readonly Setting<TimeSpan> Every = Duration("monitor.every", "2s", "1s", "5m", "Time between two looks at each machine.");

    public static readonly Setting<TimeSpan> Keep = Duration("monitor.keep", "30d", "1d", "3650d", "How long measurements are kept.");

    public static readonly Setting<TimeSpan> DownAfter = Duration("monitor.down_after", "4s", "1s", "1h", "How long a machine must be silent before people hear of it.");

    public static readonly Setting<int> BusyPercent = Number("monitor.busy_percent", 40, 1, 100, "Processor use of a database's machine above which it counts as busy.");

    public static readonly Setting<TimeSpan> BusyAfter = Duration("monitor.busy_after", "5m", "1s", "1d", "How long it must be busy before people hear of it.");

    public static readonly Setting<int> DiskPercent = Number("monitor.disk_percent", 10, 1, 90, "Free space, in percent, under which people hear of it.");

    public static readonly Setting<TimeSpan> CertificateBefore = Duration("monitor.certificate_before", "14d", "1d", "365d", "How long before its end a certificate is mentioned.");

    public static readonly Setting<TimeSpan> QueueAfter = Duration("monitor.queue_after", "10m", "1s", "30d", "How long invocations may wait before people hear of it.");

    public static readonly Setting<long> LagMax = Bytes("monitor.lag_max", "64MiB", "1KiB", "1TiB", "How far a replica of PostgreSQL may be behind.");

    public static readonly Setting<string> SlackChannel = Text("monitor.slack_channel", "", "Channel of Slack that alerts go to; empty leaves it to the webhook.");

    public static IReadOnlyList<Setting> All { get; } = [Every, Keep, DownAfter, BusyPercent, BusyAfter, DiskPercent, CertificateBefore, QueueAfter, LagMax, SlackChannel];
}
