using static System.FormattableString;

namespace Dure.Edge.Waf;

/// <summary>What one location tells nginx of its profile.</summary>
internal static class WafLocation
{
    // Each location has rules of its own; their numbers need not differ between them.
    private const int First = 27100;

    /// <summary>Lines for a location whose requests are looked at.</summary>
    /// <param name="more">Exclusions that hold whatever the profile says.</param>
    public static IEnumerable<string> Lines(WafProfile profile, params IReadOnlyList<WafExclusion> more)
    {
        yield return "modsecurity on;";
        yield return "modsecurity_rules '";
        yield return $"    SecRuleEngine {(profile.Mode == WafMode.Detect ? "DetectionOnly" : "On")}";
        yield return Invariant($"    SecAction \"id:{First},phase:1,pass,nolog,t:none,setvar:tx.paranoia_level={profile.Paranoia},setvar:tx.executing_paranoia_level={profile.Paranoia}\"");
        var id = First;
        foreach (var exclusion in more.Concat(profile.Exclusions))
            yield return Invariant($"    SecRule REQUEST_FILENAME \"@beginsWith {exclusion.Path}\" \"id:{++id},phase:1,pass,nolog,t:none,{Controls(exclusion)}\"");
        yield return "';";
    }

    /// <summary>A line inside <see cref="Lines"/>' location: it holds files whose name holds a hash of their content.</summary>
    public static string Asset => Invariant($"modsecurity_rules 'SecAction \"id:{First - 1},phase:1,pass,nolog,t:none,setvar:tx.dure_asset=1\"';");

    /// <summary>Sends bodies that are not to be held in memory elsewhere. What comes before the body was looked at by then.</summary>
    public static IEnumerable<string> Divert() =>
    [
        $"if ($dure_body = bulk) {{ rewrite ^ {WafNginx.Passing}$uri last; }}",
        $"if ($dure_body = unknown) {{ rewrite ^ {WafNginx.Unknown}$uri last; }}",
    ];

    private static string Controls(WafExclusion exclusion) => exclusion.Targets() is { Count: > 0 } targets
        ? string.Join(',', targets.Select(target => $"ctl:ruleRemoveTargetById={exclusion.Rule};{target}"))
        : $"ctl:ruleRemoveById={exclusion.Rule}";
}
