using System.Text.RegularExpressions;

namespace Dure.Host.Configuration;

/// <summary>Gathers what file, environment and flags say of providers, finding every fault.</summary>
internal sealed partial class ProviderReader(List<Fault> faults)
{
    private static readonly string[] Places = ["endpoint", "region"];
    private static readonly string[] Plain = ["access_key", "secret_key"];

    private readonly SortedDictionary<string, Dictionary<string, SettingValue>> _providers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _wheres = new(StringComparer.Ordinal);

    /// <summary>Every value that was given, for <c>dure config show</c>.</summary>
    public IEnumerable<SettingValue> Values => _providers.Values
        .SelectMany(given => ProviderSettings.Fields.Select(known => given.GetValueOrDefault(known.Setting.Key)).OfType<SettingValue>());

    /// <summary>Takes a value when its key is one of a provider.</summary>
    /// <param name="where">Of the value.</param>
    /// <param name="keyWhere">Of the key.</param>
    public bool Take(string key, string text, SettingOrigin origin, string where, string keyWhere)
    {
        if (!key.StartsWith(ProviderSettings.Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var words = key[ProviderSettings.Prefix.Length..].Split('.');
        if (!ProviderSettings.IsName(words[0]))
        {
            faults.Add(new(keyWhere, $"'{words[0]}' is no name: {ProviderSettings.NameExpected}"));
        }
        else if (words.Length != 2)
        {
            faults.Add(new(keyWhere, words.Length == 1
                ? $"{key} is a section; below it can stand {string.Join(", ", Names())}"
                : $"there is no setting {key}"));
        }
        else
        {
            Put(words[0], words[1], text, origin, where, keyWhere);
        }

        return true;
    }

    /// <summary>Takes every variable that names a provider's setting; a TYPE makes a provider that the file does not have.</summary>
    public void TakeEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (variable, text) in environment.OrderBy(pair => !pair.Key.EndsWith("_TYPE", StringComparison.Ordinal)).ThenBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!variable.StartsWith(ProviderSettings.VariablePrefix, StringComparison.Ordinal))
            {
                continue;
            }

            var field = ProviderSettings.Fields.Select(known => known.Setting.Key).OrderByDescending(known => known.Length)
                .FirstOrDefault(known => variable.EndsWith("_" + known.ToUpperInvariant(), StringComparison.Ordinal) && variable.Length > ProviderSettings.VariablePrefix.Length + known.Length + 1);
            var name = field is null ? "" : variable[ProviderSettings.VariablePrefix.Length..^(field.Length + 1)].Replace('_', '-').ToLowerInvariant();
            if (field is null || !ProviderSettings.IsName(name))
            {
                faults.Add(new(variable, $"there is no such variable; after {ProviderSettings.VariablePrefix} come a provider's name and one of {string.Join(", ", Names().Select(known => known.ToUpperInvariant()))}"));
            }
            else
            {
                Put(name, field, text, SettingOrigin.Environment, variable, variable);
            }
        }
    }

    /// <summary>The providers, checked as wholes.</summary>
    public StorageOptions Build()
    {
        var built = new List<ProviderOptions>();
        foreach (var (name, given) in _providers)
        {
            Check(name, given);
            built.Add(Make(name, given));
        }

        return built.Count == 0 ? StorageOptions.None : new(built);
    }

    private static IEnumerable<string> Names() => ProviderSettings.Fields.Select(field => field.Setting.Key);

    private void Put(string name, string field, string text, SettingOrigin origin, string where, string keyWhere)
    {
        if (!_providers.TryGetValue(name, out var given))
        {
            _providers[name] = given = new(StringComparer.Ordinal);
            _wheres[name] = keyWhere;
        }

        var known = ProviderSettings.Fields.FirstOrDefault(candidate => candidate.Setting.Key == field).Setting;
        if (known is null)
        {
            faults.Add(new(keyWhere, Unknown(name, field)));
            return;
        }

        var setting = ProviderSettings.Of(name, known);
        var read = setting.Read(text);
        if ((read.Error ?? Wrong(field, text)) is { } wrong)
        {
            faults.Add(new(where, $"{setting.Key} is '{text}': {wrong}"));
        }

        // Also when it is wrong, lest it be missed as well.
        given[field] = new(setting, read.Error is null ? read.Value : setting.Read(setting.Default).Value, origin, where);
    }

    private static string Unknown(string name, string field)
    {
        var key = $"{ProviderSettings.Prefix}{name}.{field}";
        if (Plain.Contains(field, StringComparer.Ordinal))
        {
            var variable = new ProviderOptions(name, "").Variable(field.ToUpperInvariant());
            var secret = $"{name.Replace('-', '_')}_{field}".ToUpperInvariant();
            return $"keys do not belong in this file, where backups and colleagues read them; `dure secrets set {secret}` keeps it, then write "
                + $"{field}_secret: {secret} here, or give {variable} in the environment";
        }

        return $"there is no setting {key}" + (Spelling.Nearest(field, Names()) is { } near ? $"; did you mean {near}?" : $"; there are {string.Join(", ", Names())}");
    }

    private static string? Wrong(string field, string text) => field switch
    {
        "endpoint" when text.Length > 0 && !(Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.Query.Length == 0)
            => "expected an address such as https://storage.example.org",
        "access_key_secret" or "secret_key_secret" when text.Length > 0 && !SecretName().IsMatch(text)
            => "expected the name of a secret, capital letters, digits and underscores; the key itself does not belong here",
        "path" when text.Length > 0 && !text.StartsWith('/') => "expected an absolute path",
        _ => null,
    };

    private void Check(string name, Dictionary<string, SettingValue> given)
    {
        if (!given.TryGetValue("type", out var typed))
        {
            faults.Add(new(_wheres[name], $"{ProviderSettings.Prefix}{name}.type is missing: s3, gcs, azure or folder"));
            return;
        }

        var type = (string)typed.Value;
        foreach (var (setting, types) in ProviderSettings.Fields)
        {
            if (given.TryGetValue(setting.Key, out var value) && types.Length > 0 && !types.Contains(type, StringComparer.Ordinal))
            {
                faults.Add(new(value.Where, $"{value.Setting.Key} means nothing to a provider of type {type}, only to {string.Join(", ", types)}"));
            }
        }

        string[] needed = type switch { "azure" => ["account", "container"], "folder" => ["path"], _ => ["bucket"] };
        foreach (var field in needed.Where(field => given.GetValueOrDefault(field)?.Value is not string { Length: > 0 }))
        {
            faults.Add(new(typed.Where, $"{ProviderSettings.Prefix}{name}.{field} is missing"));
        }

        if (type is "s3" && Places.All(field => given.GetValueOrDefault(field)?.Value is not string { Length: > 0 }))
        {
            faults.Add(new(typed.Where, $"{ProviderSettings.Prefix}{name} needs a region (of Amazon) or an endpoint (of another store)"));
        }
    }

    private static ProviderOptions Make(string name, Dictionary<string, SettingValue> given)
    {
        T Get<T>(string field) => (T)(given.GetValueOrDefault(field)?.Value ?? Default(field));
        string? Text(string field) => Get<string>(field) is { Length: > 0 } text ? text : null;
        bool? Maybe(string field) => Get<string>(field) switch { "true" => true, "false" => false, _ => null };

        return new ProviderOptions(name, Get<string>("type"))
        {
            Endpoint = Uri.TryCreate(Get<string>("endpoint"), UriKind.Absolute, out var endpoint) ? endpoint : null,
            Region = Text("region"),
            Bucket = Text("bucket") ?? Text("container"),
            Prefix = Get<string>("prefix"),
            PathStyle = Get<string>("style") switch { "path" => true, "virtual" => false, _ => null },
            Account = Text("account"),
            Path = Text("path"),
            AccessKeySecret = Text("access_key_secret"),
            SecretKeySecret = Text("secret_key_secret"),
            PartSize = Get<long>("part_size"),
            Timeout = Get<TimeSpan>("timeout"),
            ConditionalPut = Maybe("conditional_put"),
            DeleteMany = Maybe("delete_many"),
            Both = Get<string>("mode") is "both",
            Functions = Get<string>("functions") is "true",
        };
    }

    private static object Default(string field)
    {
        var setting = ProviderSettings.Fields.First(known => known.Setting.Key == field).Setting;
        return setting.Read(setting.Default).Value;
    }

    [GeneratedRegex(@"\A[A-Z_][A-Z0-9_]{0,63}\z", RegexOptions.None, 1000)]
    private static partial Regex SecretName();
}
