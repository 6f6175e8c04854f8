using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Host.Configuration;

/// <summary>
/// Everything that can be configured: the one source for parsing, checking, <c>dure config</c>, dure.example.yaml and the
/// reference page. To add a setting, add a line here and a property in <see cref="DureOptions"/>.
/// </summary>
public static class Settings
{
    private static readonly List<Setting> Table = [];

    public static readonly Setting<string> Data = Add(Folder("data", "",
        "Folder of everything Dure keeps; empty means /var/lib/dure for root and ~/.local/share/dure for others."), "--data");

    public static readonly Setting<string> Listen = Add(Address("listen", "127.0.0.1",
        "Address that the server listens on; it speaks plain HTTP, so keep it on loopback unless something in front of it does TLS."), "--listen");

    public static readonly Setting<int> Port = Add(Number("port", 7070, 0, 65535, "Port that the server listens on; 0 takes any free one."), "--port");

    public static readonly Setting<string> DatabaseUrl = Add(Text("database.url", "",
        "PostgreSQL connection string; empty uses the SQLite file in the data folder.", secret: true));

    public static readonly Setting<bool> DatabaseExclusive = Add(Switch("database.exclusive", true,
        "Whether the SQLite file is the server's alone while it runs. If not, other programs may look into it, and each call takes some 6 % longer."));

    public static readonly Setting<long> PayloadLimit = Add(Bytes("functions.payload_limit", "1GiB", "1KiB", "1TiB",
        "Largest event that is accepted and largest result that is kept."));

    public static readonly Setting<long> UploadLimit = Add(Bytes("functions.upload_limit", "4GiB", "1KiB", "1TiB",
        "Largest packed function that may be deployed."));

    public static readonly Setting<long> SpoolThreshold = Add(Bytes("functions.spool_threshold", "256KiB", "1KiB", "512KiB",
        "Events and results above this are kept as files instead of in the database."));

    public static readonly Setting<string> BuildNetwork = Add(Choice("functions.build_network", "egress",
        "Network of compilers and dependency installs: egress (user-mode network, no view of this machine) or host.", "egress", "host"));

    public static readonly Setting<long> BuildMemory = Add(Bytes("functions.build_memory", "4GiB", "64MiB", "1TiB",
        "Memory of one build command."));

    public static readonly Setting<TimeSpan> BuildTimeout = Add(Duration("functions.build_timeout", "30m", "1s", "24h",
        "Time of one build command."));

    public static readonly Setting<int> MaxDeaths = Add(Number("functions.max_deaths", 5, 1, 1000,
        "An invocation whose worker died this often ends FAILED instead of being tried again."));

    public static readonly Setting<TimeSpan> IdleTimeout = Add(Duration("functions.idle_timeout", "10m", "1s", "30d",
        "A warm process without work for this long is ended; function.yaml can say otherwise."));

    public static readonly Setting<long> WorkerMemory = Add(Bytes("worker.memory", "0", "0", "1024TiB",
        "Memory for functions on this machine; 0 means all of it."));

    public static readonly Setting<int> WorkerSlots = Add(Number("worker.slots", 64, 1, 10000,
        "Sandboxes on this machine at most, pre-started ones included."));

    public static readonly Setting<int> PrewarmPython = Add(Number("worker.prewarm_python", 2, 0, 100, "Python processes kept started once there is a Python function."));

    public static readonly Setting<int> PrewarmNode = Add(Number("worker.prewarm_node", 2, 0, 100, "Node.js processes kept started once there is a Node.js function."));

    public static readonly Setting<int> PrewarmPlain = Add(Number("worker.prewarm_plain", 2, 0, 100, "Sandboxes kept ready once there is a function that is a plain program."));

    public static readonly Setting<int> SandboxUid = Add(Number("worker.sandbox_uid", 61870, 1, 2147483646,
        "User id that functions run as when Dure runs as root; no person or service should have it."));

    public static readonly Setting<string> Gpus = Add(GpuList("worker.gpu_devices", "all",
        "GPUs that functions may use: all, none, or indices such as 0,1."));

    public static readonly Setting<TimeSpan> LeaseDuration = Add(Duration("lease.duration", "5s", "1s", "10m",
        "A worker that was not heard of for this long counts as lost."));

    public static readonly Setting<long> LogLimit = Add(Bytes("logs.limit_per_attempt", "256MiB", "64KiB", "1TiB",
        "Log text kept of one attempt; what is beyond is counted and dropped, and the log says so."));

    public static readonly Setting<TimeSpan> KeepInvocations = Add(Duration("retention.invocations", "90d", "1m", "36500d",
        "How long finished invocations stay listed."));

    public static readonly Setting<TimeSpan> KeepResults = Add(Duration("retention.results", "30d", "1m", "36500d",
        "How long results and events are kept after the end."));

    public static readonly Setting<TimeSpan> KeepLogs = Add(Duration("retention.logs", "30d", "1m", "36500d", "How long logs are kept after the end."));

    public static readonly Setting<TimeSpan> KeepAudit = Add(Duration("retention.audit", "365d", "1d", "36500d", "How long lines of the audit trail are kept."));

    public static readonly Setting<int> KeepVersions = Add(Number("retention.versions", 20, 1, 100000,
        "Versions kept of each function; the live one, the canary and those in use are always kept."));

    public static readonly Setting<TimeSpan> SigninSession = Add(Duration("signin.session", "8h", "1m", "30d", "How long somebody stays signed in to the portal."));

    public static readonly Setting<string> SigninPublicUrl = Add(Text("signin.public_url", "",
        "Where browsers find this server when something stands in front of it, such as https://dure.lab.example; with https, cookies are sent over https only."));

    public static readonly Setting<string> SigninProxies = Add(Text("signin.proxies", "",
        "Addresses, with commas, of proxies in front of this server whose X-Forwarded-For is believed when tries to sign in are counted and changes are written down."));

    public static readonly Setting<DiskAmount> DiskWarn = Add(Disk("disk.warn", "10%", "Free space under which the server warns."));

    public static readonly Setting<DiskAmount> DiskRefuse = Add(Disk("disk.refuse", "2%",
        "Free space under which deploys and invocations are refused, before anything is half written."));

    public static readonly Setting<string> LogLevel = Add(Choice("log.level", "info", "What the server writes to its own log.",
        "trace", "debug", "info", "warning", "error", "none"), "--log-level");

    public static readonly Setting<string> LogFormat = Add(Choice("log.format", "text", "Lines for people, or one JSON object a line.", "text", "json"));

    public static readonly Setting<int> CallbackAttempts = Add(Number("callback.attempts", 10, 1, 1000,
        "How often a callback is tried before it is given up."));

    public static readonly Setting<TimeSpan> CallbackTimeout = Add(Duration("callback.timeout", "10s", "100ms", "10m",
        "How long a callback's receiver may take to answer."));

    public static readonly Setting<string> BackupDirectory = Add(Folder("backup.directory", "",
        "Where `dure backup create` puts backups; empty means the folder `backups` in the data folder."));

    public static readonly Setting<int> BackupKeep = Add(Number("backup.keep", 7, 1, 100000,
        "Backups kept; the oldest beyond this are removed after a new one is verified."));

    public static readonly Setting<string> PortalEnabled = Add(Choice("portal.enabled", "true", "Whether this server serves the web portal.", "true", "false"));

    public static readonly Setting<string> StoreEnabled = Add(Choice("store.enabled", "true", "Whether this machine serves the embedded S3 endpoint.", "true", "false"));

    public static readonly Setting<string> StoreListen = Add(Address("store.listen", "127.0.0.1", "Address that the S3 endpoint listens on; requests are signed, bytes are in the clear unless HTTPS is used."));

    public static readonly Setting<int> StorePort = Add(Number("store.port", 7071, 0, 65535,
        "Port of the S3 endpoint over plain HTTP; 0 takes any free one, which is also the default where port is 0."));

    public static readonly Setting<int> StoreHttpsPort = Add(Number("store.https_port", 0, 0, 65535, "Port of the S3 endpoint over HTTPS; 0 means none."));

    public static readonly Setting<string> StoreCertificate = Add(Folder("store.certificate", "", "PEM file with the certificate, and the chain below it, for HTTPS."));

    public static readonly Setting<string> StoreCertificateKey = Add(Folder("store.certificate_key", "", "PEM file with the certificate's private key."));

    public static readonly Setting<string> StoreDirectory = Add(Folder("store.directory", "", "Folder of buckets and objects; empty means the folder `store` in the data folder."));

    public static readonly Setting<string> StoreRegion = Add(Text("store.region", "us-east-1", "Region that clients sign for."));

    public static readonly Setting<string> StoreDomain = Add(Text("store.domain", "", "Domain below which each bucket is a host (BUCKET.domain); empty for addresses with the bucket in the path only."));

    public static readonly Setting<long> StoreInlineMax = Add(Bytes("store.inline_max", "16KiB", "0", "1MiB",
        "Objects of at most this size are kept in the store's database, where many share one flush to the disk."));

    public static readonly Setting<long> StoreUploadLimit = Add(Bytes("store.upload_limit", "5TiB", "1MiB", "5TiB", "Largest object."));

    public static readonly Setting<TimeSpan> StoreAbandonedUploads = Add(Duration("store.abandoned_uploads", "7d", "1m", "3650d",
        "Multipart uploads that nobody touched for this long are removed."));

    public static readonly Setting<TimeSpan> StoreScrubEvery = Add(Duration("store.scrub_every", "7d", "1m", "3650d",
        "Time from one scrub to the next: everything is read, compared with its checksums, and mended from a second provider."));

    public static readonly Setting<long> StoreScrubRate = Add(Bytes("store.scrub_rate", "20MiB", "0", "1TiB", "Bytes that a scrub reads a second at most; 0 is without limit."));

    public static readonly Setting<string> AppsPrefix = Add(Text("apps.prefix", "/papers", "Path below which published apps live: the app ID is at PREFIX/ID/."));

    public static readonly Setting<int> AppsPort = Add(Number("apps.port", 7072, 0, 65535,
        "Port of published apps on this machine, an origin of its own beside the portal's; 0 takes any free one, which is also the default where port is 0."));

    public static readonly Setting<int> AppsPortFirst = Add(Number("apps.port_first", 27000, 1024, 65535, "First port that published apps listen on."));

    public static readonly Setting<int> AppsPortLast = Add(Number("apps.port_last", 27999, 1024, 65535, "Last port that published apps listen on."));

    public static readonly Setting<int> AppsWakePort = Add(Number("apps.wake_port", 7074, 1, 65535,
        "Port on apps.address where the edge has apps woken that sleep; listened on only while an app with sleep_after is published."));

    public static readonly Setting<int> AppsKeep = Add(Number("apps.keep", 5, 1, 1000, "Versions kept of each app, the live one among them."));

    public static readonly Setting<long> AppsUploadLimit = Add(Bytes("apps.upload_limit", "1GiB", "1KiB", "1TiB", "Largest folder that may be published."));

    public static readonly Setting<string> AppsEdge = Add(Text("apps.edge", "",
        "The edge machine as ssh knows it, user@host; it shows what is published here. Empty shows it on this machine only."));

    public static readonly Setting<string> AppsEdgeFolder = Add(Text("apps.edge_folder", "/etc/dure/nginx.d", "Folder on the edge that its nginx includes inside the server block that faces the world."));

    public static readonly Setting<string> AppsEdgeHttpFolder = Add(Text("apps.edge_http_folder", "/etc/nginx/conf.d", "Folder on the edge that its nginx includes inside http; one file that all apps share is put there."));

    public static readonly Setting<string> AppsAddress = Add(Text("apps.address", "",
        "This machine's address as the edge reaches it; apps listen there. Empty means 127.0.0.1, which only serves without an edge or with a tunnel."));

    public static readonly Setting<int> AppsGatekeeperPort = Add(Number("apps.gatekeeper_port", 7073, 0, 65535,
        "Port at apps.address where the edge asks who may enter apps that are not for everybody; 0 takes any free one, which is also the default where port is 0."));

    public static readonly Setting<string> AppsPublicUrl = Add(Text("apps.public_url", "", "What people open, such as https://lab.example; probed after each change."));

    public static readonly Setting<string> AppsSshConfig = Add(Folder("apps.ssh_config", "", "Configuration of ssh for the edge; empty takes that of the user whom the server runs as."));

    public static readonly Setting<string> AppsWaf = Add(Choice("apps.waf", "off",
        "The web application firewall of the edge, before every app that says nothing else: block refuses attacks, detect only writes them down.", "off", "detect", "block"));

    public static readonly Setting<int> AppsWafParanoia = Add(Number("apps.waf_paranoia", 1, 1, 4, "How many of the firewall's rules are asked; 1 refuses next to nobody who means well."));

    public static readonly Setting<IReadOnlyList<string>> AppsWafExclude = Add(Words("apps.waf_exclude", "", "What the firewall does not ask of whom: what `dure waf log` proposes.", WafWords.Is, WafWords.Form));

    public static readonly Setting<int> AppsWafRate = Add(Number("apps.waf_rate", 100, 0, 1_000_000, "Requests a second that the edge answers one address, with bursts of ten times as many; 0 is without limit. Holds where the firewall is not off."));

    public static readonly Setting<int> AppsWafTokenRate = Add(Number("apps.waf_token_rate", 200, 0, 1_000_000, "Requests a second that the edge answers one token or session, with bursts of ten times as many; 0 is without limit."));

    public static readonly Setting<string> NotifyBaseUrl = Add(Text("notify.base_url", "", "Where people open the portal, for links in messages, such as https://dure.example.org; empty takes listen and port."));

    public static readonly Setting<TimeSpan> NotifyGather = Add(Duration("notify.gather", "1m", "0", "1d",
        "Failures of one function within this time become one message with their number; e-mail and webhooks wait as long. 0 sends each at once."));

    public static readonly Setting<TimeSpan> NotifyBehindAfter = Add(Duration("notify.behind_after", "15m", "1s", "365d",
        "A second provider is behind when the oldest object that waits for it waits longer than this."));

    public static readonly Setting<string> NotifySmtpHost = Add(Text("notify.smtp_host", "", "Server that takes e-mail; empty sends none."));

    public static readonly Setting<int> NotifySmtpPort = Add(Number("notify.smtp_port", 25, 1, 65535, "Its port; 587 where it wants a password."));

    public static readonly Setting<string> NotifySmtpFrom = Add(Text("notify.smtp_from", "", "Sender of e-mail, such as dure@example.org."));

    public static readonly Setting<string> NotifySmtpUser = Add(Text("notify.smtp_user", "", "User that signs in at the e-mail server; empty for none."));

    public static readonly Setting<string> NotifySmtpPasswordFile = Add(Folder("notify.smtp_password_file", "", "File with that user's password, which only the server may read."));

    public static readonly Setting<string> NotifySmtpTls = Add(Choice("notify.smtp_tls", "starttls",
        "Whether e-mail is sent through TLS: starttls refuses a server that has none; none is for a server on this machine.", "starttls", "none"));

    /// <summary>All of them, in the order of the documentation.</summary>
    public static IReadOnlyList<Setting> All => Table;

    private static Setting<T> Add<T>(Setting<T> setting, string? flag = null)
        where T : notnull
    {
        setting = setting with { Flag = flag };
        Table.Add(setting);
        return setting;
    }
}
