using System.Text.RegularExpressions;
using Dure.Host.Identity;

namespace Dure.Host.Configuration;

/// <summary>Gathers what file, environment and flags say of identity providers, finding every fault.</summary>
internal sealed partial class OidcReader(List<Fault> faults)
{
    private static readonly string[] Required = ["issuer", "client_id"];

    private readonly SortedDictionary<string, Dictionary<string, SettingValue>> _providers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _wheres = new(StringComparer.Ordinal);

    /// <summary>Every value that was given, for <c>dure config show</c>.</summary>
    public IEnumerable<SettingValue> Values => _providers.Values.SelectMany(given => OidcSettings.Fields.Select(known => given.GetValueOrDefault(known.Key)).OfType<SettingValue>());

    /// <summary>Takes a value when its key is one of an identity provider.</summary>
    public bool Take(string key, string text, SettingOrigin origin, string where, string keyWhere)
    {
        if (!key.StartsWith(OidcSettings.Prefix, StringComparison.Ordinal))
            return false;
        var words = key[OidcSettings.Prefix.Length..].Split('.');
        if (!ProviderSettings.IsName(words[0]))
            faults.Add(new(keyWhere, $"'{words[0]}' is no name: {ProviderSettings.NameExpected}"));
        else if (words.Length != 2)
            faults.Add(new(keyWhere, words.Length == 1 ? $"{key} is a section; below it can stand {Names()}" : $"there is no setting {key}"));
        else
            Put(words[0], words[1], text, origin, where, keyWhere);
        return true;
    }

    /// <summary>Takes every variable that names an identity provider's setting.</summary>
    public void TakeEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (variable, text) in environment.Where(pair => pair.Key.StartsWith(OidcSettings.VariablePrefix, StringComparison.Ordinal)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var field = OidcSettings.Fields.Select(known => known.Key).OrderByDescending(known => known.Length)
                .FirstOrDefault(known => variable.EndsWith("_" + known.ToUpperInvariant(), StringComparison.Ordinal) && variable.Length > OidcSettings.VariablePrefix.Length + known.Length + 1);
            var name = field is null ? "" : variable[OidcSettings.VariablePrefix.Length..^(field.Length + 1)].Replace('_', '-').ToLowerInvariant();
            if (field is null || !ProviderSettings.IsName(name))
                faults.Add(new(variable, $"there is no such variable; after {OidcSettings.VariablePrefix} come a provider's name and one of {Names().ToUpperInvariant()}"));
            else
                Put(name, field, text, SettingOrigin.Environment, variable, variable);
        }
    }

    /// <summary>The providers, checked as wholes.</summary>
    public IReadOnlyList<OidcProviderOptions> Build()
    {
        var built = new List<OidcProviderOptions>();
        foreach (var (name, given) in _providers)
        {
            foreach (var field in Required.Where(field => given.GetValueOrDefault(field)?.Value is not string { Length: > 0 }))
                faults.Add(new(_wheres[name], $"{OidcSettings.Prefix}{name}.{field} is missing"));
            string Get(string field) => (string)(given.GetValueOrDefault(field)?.Value ?? OidcSettings.Fields.First(known => known.Key == field).Default);
            built.Add(new(
                name, Get("issuer"), Get("client_id"), Get("client_secret_secret") is { Length: > 0 } secret ? secret : null, Get("label") is { Length: > 0 } label ? label : name,
                Roles.Parse(Get("role")) ?? Role.Viewer, Split(Get("allow")), Get("scopes")));
        }
        return built;
    }

    private static string Names() => string.Join(", ", OidcSettings.Fields.Select(field => field.Key));

    private static string[] Split(string text) => text.ToLowerInvariant().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private void Put(string name, string field, string text, SettingOrigin origin, string where, string keyWhere)
    {
        if (!_providers.TryGetValue(name, out var given))
        {
            _providers[name] = given = new(StringComparer.Ordinal);
            _wheres[name] = keyWhere;
        }
        if (OidcSettings.Fields.FirstOrDefault(candidate => candidate.Key == field) is not { } known)
        {
            faults.Add(new(keyWhere, field == "client_secret"
                ? $"secrets do not belong in this file, where backups and colleagues read them; `dure secrets set {name.Replace('-', '_').ToUpperInvariant()}_CLIENT_SECRET` keeps it, then write client_secret_secret with that name here"
                : $"there is no setting {OidcSettings.Prefix}{name}.{field}" + (Spelling.Nearest(field, OidcSettings.Fields.Select(candidate => candidate.Key)) is { } near ? $"; did you mean {near}?" : $"; there are {Names()}")));
            return;
        }
        var setting = OidcSettings.Of(name, known);
        var read = setting.Read(text);
        if ((read.Error ?? Wrong(field, text)) is { } wrong)
            faults.Add(new(where, $"{setting.Key} is '{text}': {wrong}"));
        // Also when it is wrong, lest it be missed as well.
        given[field] = new(setting, read.Error is null ? read.Value : setting.Read(setting.Default).Value, origin, where);
    }

    private static string? Wrong(string field, string text) => field switch
    {
        "issuer" when !(Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "https" || (uri.Scheme is "http" && uri.IsLoopback)) && uri.Query.Length == 0 && uri.Fragment.Length == 0)
            => "expected an address such as https://login.lab.example",
        "client_secret_secret" when text.Length > 0 && !SecretName().IsMatch(text) => "expected the name of a secret, capital letters, digits and underscores; the secret itself does not belong here",
        "allow" when Split(text).FirstOrDefault(one => one != "*" && !one.Contains('@', StringComparison.Ordinal)) is { } odd => $"'{odd}' is neither an address, nor a domain as @lab.example, nor *",
        "scopes" when !text.Split(' ').Contains("openid", StringComparer.Ordinal) => "openid must be among them",
        _ => null,
    };

    [GeneratedRegex(@"\A[A-Z_][A-Z0-9_]{0,63}\z", RegexOptions.None, 1000)]
    private static partial Regex SecretName();
}
