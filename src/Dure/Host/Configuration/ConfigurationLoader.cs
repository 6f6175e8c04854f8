using System.Text.RegularExpressions;

namespace Dure.Host.Configuration;

/// <summary>Everything that configuration is read from. A value of this type makes loading a pure function but for the file's content.</summary>
/// <param name="Flags">By key: the text and the flag as typed.</param>
/// <param name="Environment">The environment variables.</param>
/// <param name="File">From <c>--config</c>; null looks at DURE_CONFIG, then ./dure.yaml, then /etc/dure/dure.yaml.</param>
public sealed record ConfigurationSources(
    IReadOnlyDictionary<string, (string Text, string Flag)> Flags,
    IReadOnlyDictionary<string, string> Environment,
    string? File,
    string CurrentDirectory,
    bool IsRoot)
{
    /// <summary>The sources of this process.</summary>
    public static ConfigurationSources OfProcess(IReadOnlyDictionary<string, (string Text, string Flag)>? flags = null, string? file = null) =>
        new(flags ?? new Dictionary<string, (string, string)>(StringComparer.Ordinal), ReadEnvironment(), file, System.Environment.CurrentDirectory, System.Environment.IsPrivilegedProcess);

    private static Dictionary<string, string> ReadEnvironment() =>
        System.Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}

/// <summary>The configuration that holds and where each value came from.</summary>
/// <param name="File">The file that was read; null when there was none.</param>
public sealed record LoadedConfiguration(DureOptions Options, IReadOnlyList<SettingValue> Values, string? File);

/// <summary>Merges flags over environment over file over defaults, and reports every fault at once.</summary>
public static class ConfigurationLoader
{
    /// <summary>Variables that mean something to the command line and are no settings.</summary>
    public static readonly IReadOnlyList<string> OtherVariables = ["DURE_CONFIG", "DURE_URL", "DURE_TOKEN", "DURE_FORMAT"];

    private const string SystemFile = "/etc/dure/dure.yaml";

    /// <returns>The configuration, or DURE0400 with all faults, or DURE0401 when a file that was asked for cannot be read.</returns>
    public static Outcome<LoadedConfiguration> Load(ConfigurationSources sources)
    {
        var content = ReadFile(sources);
        if (!content.Ok)
        {
            return content.Problem;
        }

        var faults = new List<Fault>();
        var (path, text) = content.Value;
        var (providers, oidc) = (new ProviderReader(faults), new OidcReader(faults));
        var values = Resolve(sources, path, text, faults, providers, oidc);
        foreach (var other in new[] { Settings.StorePort, Settings.AppsPort, Settings.AppsGatekeeperPort })
        {
            if (values[Settings.Port.Key].Value is 0 && values[other.Key] is { Origin: SettingOrigin.Default } follows)
            {
                values[other.Key] = follows with { Value = 0 };
            }
        }

        var data = DataFolder(sources, values[Settings.Data.Key]);
        var options = DureOptions.From(setting => values[setting.Key].Value, data) with { Storage = providers.Build() };
        options = options with { Signin = options.Signin with { Providers = oidc.Build() } };
        CheckTogether(options, values, faults);
        return faults.Count > 0
            ? ConfigurationErrors.Invalid.With(faults.Count == 1 ? "There is one fault." : $"There are {faults.Count} faults.", faults)
            : new LoadedConfiguration(options, [.. Settings.All.Select(setting => Show(values[setting.Key], options)), .. providers.Values, .. oidc.Values], path);
    }

    /// <summary>Every fault of a text that is to become a server's configuration file, as that server would find them.</summary>
    /// <param name="file">How places in it are called.</param>
    public static IReadOnlyList<Fault> FaultsOf(string file, string text)
    {
        var faults = new List<Fault>();
        var (providers, oidc) = (new ProviderReader(faults), new OidcReader(faults));
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        var values = Resolve(new(new Dictionary<string, (string, string)>(StringComparer.Ordinal), none, null, "/", IsRoot: true), file, text, faults, providers, oidc);
        var options = DureOptions.From(setting => values[setting.Key].Value, "/") with { Storage = providers.Build() };
        CheckTogether(options with { Signin = options.Signin with { Providers = oidc.Build() } }, values, faults);
        return faults;
    }

    /// <summary>The data folder alone and whether anyone chose it, for clients that must work beside a faulty configuration.</summary>
    public static (string Path, bool IsDefault) DataFolder(ConfigurationSources sources)
    {
        var content = ReadFile(sources);
        var (path, text) = content.Ok ? content.Value : (null, null);
        var value = Resolve(sources, path, text, [], new ProviderReader([]), new OidcReader([]))[Settings.Data.Key];
        return (DataFolder(sources, value), value.Value is "");
    }

    /// <summary>The file that is read: the one that is asked for (null when none is), else dure.yaml here, else the system's. It need not be there.</summary>
    public static (string Path, string? Asked) PathOf(ConfigurationSources sources)
    {
        var asked = sources.File ?? (sources.Environment.TryGetValue("DURE_CONFIG", out var variable) && variable.Length > 0 ? variable : null);
        var path = Path.Combine(sources.CurrentDirectory, asked ?? "dure.yaml");
        return (asked is null && !File.Exists(path) ? SystemFile : path, asked);
    }

    private static Outcome<(string? Path, string? Text)> ReadFile(ConfigurationSources sources)
    {
        var (path, asked) = PathOf(sources);
        if (asked is null && !File.Exists(path))
        {
            return ((string?)null, (string?)null);
        }

        try
        {
            if (new FileInfo(path).Length > ConfigurationFile.LengthMax)
            {
                return ConfigurationErrors.Unreadable.With($"{path} is longer than {Units.WriteBytes(ConfigurationFile.LengthMax)}.");
            }

            return (asked ?? Path.GetRelativePath(sources.CurrentDirectory, path), File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return ConfigurationErrors.Unreadable.With(failure.Message);
        }
    }

    private static Dictionary<string, SettingValue> Resolve(ConfigurationSources sources, string? path, string? content, List<Fault> faults, ProviderReader providers, OidcReader oidc)
    {
        var values = Settings.All.ToDictionary(
            setting => setting.Key,
            setting => new SettingValue(setting, setting.Read(setting.Default).Value, SettingOrigin.Default, "default"),
            StringComparer.Ordinal);
        if (path is not null && content is not null)
        {
            var (entries, fileFaults) = ConfigurationFile.Read(path, content);
            faults.AddRange(fileFaults);
            foreach (var entry in entries)
            {
                if (values.ContainsKey(entry.Key))
                {
                    Put(values, entry.Key, entry.Text, SettingOrigin.File, entry.Where, faults);
                }
                else if (!providers.Take(entry.Key, entry.Text, SettingOrigin.File, entry.Where, entry.KeyWhere)
                    && !oidc.Take(entry.Key, entry.Text, SettingOrigin.File, entry.Where, entry.KeyWhere))
                {
                    faults.Add(new(entry.KeyWhere, UnknownKey(entry.Key)));
                }
            }
        }

        ApplyEnvironment(sources.Environment, values, faults);
        providers.TakeEnvironment(sources.Environment);
        oidc.TakeEnvironment(sources.Environment);
        foreach (var (key, (text, flag)) in sources.Flags)
        {
            if (values.ContainsKey(key))
            {
                Put(values, key, text, SettingOrigin.Flag, flag, faults);
            }
            else if (!providers.Take(key, text, SettingOrigin.Flag, flag, flag) && !oidc.Take(key, text, SettingOrigin.Flag, flag, flag))
            {
                faults.Add(new(flag, UnknownKey(key)));
            }
        }

        return values;
    }

    private static void ApplyEnvironment(IReadOnlyDictionary<string, string> environment, Dictionary<string, SettingValue> values, List<Fault> faults)
    {
        var known = Settings.All.ToDictionary(setting => setting.Variable, StringComparer.Ordinal);
        foreach (var (name, text) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (known.TryGetValue(name, out var setting))
            {
                Put(values, setting.Key, text, SettingOrigin.Environment, name, faults);
            }
            else if (name.StartsWith("DURE_", StringComparison.Ordinal) && !OtherVariables.Contains(name, StringComparer.Ordinal)
                && known.Keys.FirstOrDefault(candidate => Spelling.Distance(candidate, name) <= 2) is { } near)
            {
                faults.Add(new(name, $"there is no such variable; did you mean {near}?"));
            }
        }
    }

    private static void Put(Dictionary<string, SettingValue> values, string key, string text, SettingOrigin origin, string where, List<Fault> faults)
    {
        var setting = values[key].Setting;
        var read = setting.Read(text);
        if (read.Error is null)
        {
            values[key] = new(setting, read.Value, origin, where);
        }
        else
        {
            faults.Add(new(where, $"{key} is {(setting.Secret ? "invalid" : $"'{text}'")}: {read.Error}"));
        }
    }

    private static string UnknownKey(string key)
    {
        var inside = Settings.All.Where(setting => setting.Section == key).Select(setting => setting.Name).ToList();
        if (inside.Count > 0)
        {
            return $"{key} is a section; below it can stand {string.Join(", ", inside)}";
        }

        if (key is "signin.oidc")
        {
            return $"{key} is a section; below {OidcSettings.Prefix}NAME can stand {string.Join(", ", OidcSettings.Fields.Select(field => field.Key))}";
        }

        if (key is "storage" or "storage.providers")
        {
            return $"{key} is a section; below {ProviderSettings.Prefix}NAME can stand {string.Join(", ", ProviderSettings.Fields.Select(field => field.Setting.Key))}";
        }

        var near = key.StartsWith("storage.", StringComparison.Ordinal) ? ProviderSettings.Prefix + "NAME" : Settings.All.FirstOrDefault(setting => setting.Name.Equals(key[(key.LastIndexOf('.') + 1)..], StringComparison.Ordinal))?.Key
            ?? Spelling.Nearest(key, Settings.All.Select(setting => setting.Key));
        return $"there is no setting {key}" + (near is null ? "; `dure config schema` lists them" : $"; did you mean {near}?");
    }

    private static string DataFolder(ConfigurationSources sources, SettingValue value)
    {
        if (value.Value is string { Length: > 0 } given)
        {
            return Path.GetFullPath(given, sources.CurrentDirectory);
        }

        var home = sources.Environment.GetValueOrDefault("HOME", "/");
        var share = sources.Environment.TryGetValue("XDG_DATA_HOME", out var xdg) && xdg.StartsWith('/') ? xdg : Path.Combine(home, ".local/share");
        return sources.IsRoot ? "/var/lib/dure" : Path.Combine(share, "dure");
    }

    private static SettingValue Show(SettingValue value, DureOptions options) =>
        value.Setting == Settings.Data ? value with { Value = options.Data }
        : value.Setting == Settings.BackupDirectory ? value with { Value = options.Backup.Directory }
        : value.Setting == Settings.StoreDirectory ? value with { Value = options.Store.Directory }
        : value;

    private static void CheckTogether(DureOptions options, Dictionary<string, SettingValue> values, List<Fault> faults)
    {
        void Check(bool good, Setting setting, string what)
        {
            if (!good)
            {
                faults.Add(new(values[setting.Key].Where is "default" ? setting.Key : values[setting.Key].Where, what));
            }
        }

        Check(options.Functions.SpoolThreshold <= options.Functions.PayloadLimit, Settings.SpoolThreshold,
            "functions.spool_threshold is above functions.payload_limit");
        Check(options.Signin.PublicUrl is not { } url || (Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && parsed.AbsolutePath is "/" && parsed.Query.Length == 0),
            Settings.SigninPublicUrl, "signin.public_url must be an address without a path, such as https://dure.lab.example");
        Check(options.Signin.Proxies.All(proxy => System.Net.IPAddress.TryParse(proxy, out _)), Settings.SigninProxies, "signin.proxies must be IP addresses, with commas between");
        const long sample = 1L << 40;
        Check(options.Disk.Refuse.Percent is null != options.Disk.Warn.Percent is null || options.Disk.Refuse.On(sample) <= options.Disk.Warn.On(sample),
            Settings.DiskRefuse, "disk.refuse is above disk.warn, so the server would refuse before it warns");
        var store = options.Store;
        Check(!store.Enabled || store.Port == 0 || store.Port != options.Port, Settings.StorePort, "store.port is the server's own port; each needs its own");
        Check(store.HttpsPort == 0 || (store.Certificate is not null && store.CertificateKey is not null), Settings.StoreHttpsPort,
            "store.https_port needs store.certificate and store.certificate_key");
        CheckApps(options.Apps, options.Port, Check);
    }

    private static void CheckApps(AppsOptions apps, int port, Action<bool, Setting, string> check)
    {
        check(apps.Port == 0 || apps.Port != port, Settings.AppsPort, "apps.port is the server's own port; each needs its own");
        check(System.Net.IPAddress.TryParse(apps.Address, out _), Settings.AppsAddress, "apps.address must be an IP address, such as 10.0.0.5");
        check(apps.PortFirst <= apps.PortLast, Settings.AppsPortFirst, "apps.port_first is above apps.port_last");
        check(Regex.IsMatch(apps.Prefix, "^(?:/[A-Za-z0-9._~-]+)+$", RegexOptions.None, TimeSpan.FromSeconds(1)), Settings.AppsPrefix, "apps.prefix must be a path such as /papers: letters, digits, `.`, `_`, `~` and `-` between its slashes");
        check(!apps.Edge?.StartsWith('-') ?? true, Settings.AppsEdge, "apps.edge must be a machine as ssh knows it, such as root@edge.example");
        check(apps.EdgeFolder.StartsWith('/') && apps.EdgeHttpFolder.StartsWith('/'), Settings.AppsEdgeFolder, "apps.edge_folder and apps.edge_http_folder must be absolute");
        check(apps.PublicUrl is not { } url || (Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && parsed.AbsolutePath is "/" && parsed.Query.Length == 0),
            Settings.AppsPublicUrl, "apps.public_url must be an address without a path, such as https://lab.example");
    }
}
