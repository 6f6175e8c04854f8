using Dure.Edge.Waf;
using Dure.Host.Configuration;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Fleet.Roles.Web;

/// <summary>What can be set about the web application firewall of a role's nginx. Published apps bring profiles of their own.</summary>
/// <param name="role">Whose keys these are.</param>
internal sealed class WafSettings(string role)
{
    private const string Modes = "block refuses attacks, detect only writes them down, off does not look.";

    private readonly Setting<string> _api = Choice(role + ".waf_api", "off", "The web application firewall before the API: " + Modes, "off", "detect", "block");
    private readonly Setting<int> _apiParanoia = Number(role + ".waf_api_paranoia", 1, 1, 4, "How many of its rules are asked before the API; 1 refuses next to nobody who means well.");
    private readonly Setting<string> _portal = Choice(role + ".waf_portal", "off", "The web application firewall before the portal and everything else: " + Modes, "off", "detect", "block");
    private readonly Setting<int> _portalParanoia = Number(role + ".waf_portal_paranoia", 1, 1, 4, "How many of its rules are asked before the portal.");
    private readonly Setting<IReadOnlyList<string>> _exclude = Words(role + ".waf_exclude", "", "What the firewall does not ask of whom: what `dure waf log` proposes.", WafWords.Is, WafWords.Form);
    private readonly Setting<int> _rate = Number(role + ".waf_rate", 100, 0, 1_000_000, "Requests a second that one address is answered where the firewall is not off, with bursts of ten times as many; 0 is without limit.");
    private readonly Setting<int> _tokenRate = Number(role + ".waf_token_rate", 200, 0, 1_000_000, "Requests a second that one token or session is answered, with bursts of ten times as many; 0 is without limit.");

    public IReadOnlyList<Setting> All => [_api, _apiParanoia, _portal, _portalParanoia, _exclude, _rate, _tokenRate];

    public SiteWaf Of(RoleScope scope)
    {
        var exclusions = scope.Get(_exclude).Select(text => WafExclusion.TryParse(text, "/", out var exclusion) ? exclusion : null).OfType<WafExclusion>().ToList();
        WafProfile Profile(Setting<string> mode, Setting<int> paranoia) => new(Enum.Parse<WafMode>(scope.Get(mode), ignoreCase: true), scope.Get(paranoia), exclusions);
        return new(Profile(_api, _apiParanoia), Profile(_portal, _portalParanoia), new(scope.Get(_rate), scope.Get(_tokenRate)));
    }
}

/// <summary>The firewall of one nginx.</summary>
internal sealed record SiteWaf(WafProfile Api, WafProfile Portal, RateLimits Rates)
{
    /// <summary>Whether anybody looks at anything.</summary>
    public bool Looks => Api.Looks || Portal.Looks;
}
