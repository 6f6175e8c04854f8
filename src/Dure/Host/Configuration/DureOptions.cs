using System.Globalization;

namespace Dure.Host.Configuration;

/// <summary>The configuration that holds, typed and checked. Made by <see cref="ConfigurationLoader"/>; the units and ranges stand in <see cref="Settings"/>.</summary>
public sealed record DureOptions
{
    /// <summary>Absolute path of the data folder.</summary>
    public required string Data { get; init; }

    public required string Listen { get; init; }

    public required int Port { get; init; }

    /// <summary>PostgreSQL connection string; null for the embedded database.</summary>
    public required string? DatabaseUrl { get; init; }

    /// <summary>Whether other programs are kept from the embedded database's file.</summary>
    public required bool DatabaseExclusive { get; init; }

    public required FunctionsOptions Functions { get; init; }

    public required WorkerOptions Worker { get; init; }

    public required TimeSpan LeaseDuration { get; init; }

    /// <summary>Bytes of log kept per attempt.</summary>
    public required long LogLimitPerAttempt { get; init; }

    public required RetentionOptions Retention { get; init; }

    public required SigninOptions Signin { get; init; }

    public required DiskOptions Disk { get; init; }

    public required LogOptions Log { get; init; }

    public required CallbackOptions Callback { get; init; }

    public required BackupOptions Backup { get; init; }

    public required StoreSettings Store { get; init; }

    public required AppsOptions Apps { get; init; }

    public required NotifyOptions Notify { get; init; }

    public required PortalOptions Portal { get; init; }

    /// <summary>Object storage beyond this machine's own disk.</summary>
    public StorageOptions Storage { get; init; } = StorageOptions.None;

    /// <summary>The defaults with this data folder.</summary>
    public static DureOptions Defaults(string data) => From(setting => setting.Read(setting.Default).Value, data);

    internal static DureOptions From(Func<Setting, object> value, string data)
    {
        T Get<T>(Setting<T> setting)
            where T : notnull => (T)value(setting);
        string? OrNull(Setting<string> setting) => Get(setting) is { Length: > 0 } text ? text : null;

        return new DureOptions
        {
            Data = data,
            Listen = Get(Settings.Listen),
            Port = Get(Settings.Port),
            DatabaseUrl = OrNull(Settings.DatabaseUrl),
            DatabaseExclusive = Get(Settings.DatabaseExclusive),
            Functions = new(Get(Settings.PayloadLimit), Get(Settings.UploadLimit), Get(Settings.SpoolThreshold),
                Get(Settings.BuildNetwork) is "host", Get(Settings.MaxDeaths), Get(Settings.IdleTimeout),
                Get(Settings.BuildMemory), Get(Settings.BuildTimeout)),
            Worker = new(Get(Settings.WorkerMemory), Get(Settings.WorkerSlots), Get(Settings.PrewarmPython), Get(Settings.PrewarmNode), Get(Settings.PrewarmPlain),
                Get(Settings.SandboxUid), ReadGpus(Get(Settings.Gpus))),
            LeaseDuration = Get(Settings.LeaseDuration),
            LogLimitPerAttempt = Get(Settings.LogLimit),
            Retention = new(Get(Settings.KeepInvocations), Get(Settings.KeepResults), Get(Settings.KeepLogs), Get(Settings.KeepVersions)),
            Signin = new(Get(Settings.SigninSession), OrNull(Settings.SigninPublicUrl)?.TrimEnd('/'),
                Get(Settings.SigninProxies).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), Get(Settings.KeepAudit)),
            Disk = new(Get(Settings.DiskWarn), Get(Settings.DiskRefuse)),
            Log = new(Get(Settings.LogLevel), Get(Settings.LogFormat) is "json"),
            Callback = new(Get(Settings.CallbackAttempts), Get(Settings.CallbackTimeout)),
            Backup = new(OrNull(Settings.BackupDirectory) ?? Path.Combine(data, "backups"), Get(Settings.BackupKeep)),
            Apps = new("/" + Get(Settings.AppsPrefix).Trim('/'), Get(Settings.AppsPort), Get(Settings.AppsPortFirst), Get(Settings.AppsPortLast), Get(Settings.AppsKeep), Get(Settings.AppsUploadLimit),
                OrNull(Settings.AppsAddress) ?? "127.0.0.1", OrNull(Settings.AppsEdge), Get(Settings.AppsEdgeFolder).TrimEnd('/'), Get(Settings.AppsEdgeHttpFolder).TrimEnd('/'),
                OrNull(Settings.AppsPublicUrl)?.TrimEnd('/'), OrNull(Settings.AppsSshConfig) ?? "")
            {
                GatekeeperPort = Get(Settings.AppsGatekeeperPort),
                WakePort = Get(Settings.AppsWakePort),
                Waf = new(Get(Settings.AppsWaf), Get(Settings.AppsWafParanoia), Get(Settings.AppsWafExclude), Get(Settings.AppsWafRate), Get(Settings.AppsWafTokenRate)),
            },
            Notify = new(OrNull(Settings.NotifyBaseUrl), Get(Settings.NotifyGather), Get(Settings.NotifyBehindAfter), OrNull(Settings.NotifySmtpHost), Get(Settings.NotifySmtpPort), OrNull(Settings.NotifySmtpFrom),
                OrNull(Settings.NotifySmtpUser), Within(data, OrNull(Settings.NotifySmtpPasswordFile)), Get(Settings.NotifySmtpTls) is "starttls"),
            Portal = new(Get(Settings.PortalEnabled) is "true"),
            Store = new(Get(Settings.StoreEnabled) is "true", Get(Settings.StoreListen), Get(Settings.StorePort), Get(Settings.StoreHttpsPort),
                Within(data, OrNull(Settings.StoreCertificate)), Within(data, OrNull(Settings.StoreCertificateKey)), Path.Combine(data, OrNull(Settings.StoreDirectory) ?? "store"),
                Get(Settings.StoreRegion), OrNull(Settings.StoreDomain)?.Trim('.').ToLowerInvariant(), (int)Get(Settings.StoreInlineMax), Get(Settings.StoreUploadLimit), Get(Settings.StoreAbandonedUploads), Get(Settings.StoreScrubEvery), Get(Settings.StoreScrubRate)),
        };
    }

    private static string? Within(string data, string? path) => path is null ? null : Path.Combine(data, path);

    private static int[]? ReadGpus(string text) => text switch
    {
        "all" => null,
        "none" => [],
        _ => [.. text.Split(',').Select(part => int.Parse(part, CultureInfo.InvariantCulture)).Distinct().Order()],
    };
}

/// <summary>Limits and defaults of functions.</summary>
/// <param name="PayloadLimit">Bytes.</param>
/// <param name="UploadLimit">Bytes.</param>
/// <param name="SpoolThreshold">Bytes.</param>
/// <param name="BuildOnHostNetwork">Compilers and installs see this machine's network instead of a user-mode one.</param>
public sealed record FunctionsOptions(long PayloadLimit, long UploadLimit, long SpoolThreshold, bool BuildOnHostNetwork, int MaxDeaths, TimeSpan IdleTimeout,
    long BuildMemory, TimeSpan BuildTimeout);

/// <summary>What this machine gives to functions.</summary>
/// <param name="MemoryBytes">0 means all of the machine's.</param>
/// <param name="Gpus">Indices; null means every GPU that is found.</param>
public sealed record WorkerOptions(long MemoryBytes, int Slots, int PrewarmPython, int PrewarmNode, int PrewarmPlain, int SandboxUid, IReadOnlyList<int>? Gpus);

/// <summary>How long what is finished is kept.</summary>
/// <param name="Versions">Versions per function.</param>
public sealed record RetentionOptions(TimeSpan Invocations, TimeSpan Results, TimeSpan Logs, int Versions);

/// <summary>Free space under which the server warns, and under which it refuses.</summary>
public sealed record DiskOptions(DiskAmount Warn, DiskAmount Refuse);

/// <summary>The server's own log.</summary>
/// <param name="Level">trace, debug, info, warning, error or none.</param>
public sealed record LogOptions(string Level, bool Json);

/// <summary>Delivery of callbacks.</summary>
public sealed record CallbackOptions(int Attempts, TimeSpan Timeout);

/// <summary>Where backups go and how many are kept.</summary>
public sealed record BackupOptions(string Directory, int Keep);

/// <summary>The web portal.</summary>
public sealed record PortalOptions(bool Enabled);

/// <summary>The embedded S3 endpoint.</summary>
/// <param name="HttpsPort">0 for none.</param>
/// <param name="Certificate">PEM file; null for none.</param>
/// <param name="Directory">Absolute.</param>
/// <param name="Domain">Lower case, without a dot before it; null for none.</param>
/// <param name="InlineMax">Bytes.</param>
/// <param name="UploadLimit">Bytes of an object.</param>
public sealed record StoreSettings(bool Enabled, string Listen, int Port, int HttpsPort, string? Certificate, string? CertificateKey, string Directory, string Region, string? Domain,
    int InlineMax, long UploadLimit, TimeSpan AbandonedUploads, TimeSpan ScrubEvery, long ScrubRate);

/// <summary>Published apps.</summary>
/// <param name="Prefix">With a slash before it and none after it.</param>
/// <param name="Port">Of the door on this machine; 0 for any.</param>
/// <param name="UploadLimit">Bytes.</param>
/// <param name="Address">Where apps listen, and where the edge finds them.</param>
/// <param name="Edge">As ssh knows it; null for none.</param>
/// <param name="PublicUrl">Without a slash at its end; null when there is none.</param>
/// <param name="SshConfig">Empty for the user's own.</param>
public sealed record AppsOptions(string Prefix, int Port, int PortFirst, int PortLast, int Keep, long UploadLimit, string Address, string? Edge, string EdgeFolder, string EdgeHttpFolder,
    string? PublicUrl, string SshConfig)
{
    /// <summary>Where the edge asks who may enter; 0 for any.</summary>
    public int GatekeeperPort { get; init; }

    /// <summary>Where the edge has apps woken that sleep.</summary>
    public int WakePort { get; init; }

    /// <summary>The web application firewall of the edge, before published apps.</summary>
    public required AppsWafOptions Waf { get; init; }
}

/// <summary>The web application firewall of the edge, before published apps.</summary>
/// <param name="Mode">off, detect, block.</param>
public sealed record AppsWafOptions(string Mode, int Paranoia, IReadOnlyList<string> Exclude, int AddressRate, int TokenRate);

/// <summary>Notifications.</summary>
/// <param name="BaseUrl">Of links; null takes the server's own address.</param>
/// <param name="Gather">Failures of one function within this time are one message.</param>
/// <param name="SmtpHost">Null sends no e-mail.</param>
/// <param name="SmtpPasswordFile">Absolute; null for none.</param>
public sealed record NotifyOptions(string? BaseUrl, TimeSpan Gather, TimeSpan BehindAfter, string? SmtpHost, int SmtpPort, string? SmtpFrom, string? SmtpUser, string? SmtpPasswordFile, bool SmtpTls);
