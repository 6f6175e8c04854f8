using System.Globalization;
using Dure.Edge.Waf;
using Xunit;

namespace Dure.Test.Edge.Waf;

/// <summary>What a profile, an exclusion, a limit and a large body do to an nginx.</summary>
public sealed class WafProfileTest
{
    private static readonly (string, string)[] NoLimits = [("edge.waf_api", "block"), ("edge.waf_portal", "detect"), ("edge.waf_rate", "0"), ("edge.waf_token_rate", "0")];

    private static readonly WafRequest Attack = Get("/papers/ada/search?q=1%27%20OR%20%271%27=%271");

    [Fact]
    public async Task Each_app_and_each_part_has_a_profile_of_its_own()
    {
        var statuses = await WafNginxRoot.StatusesAsync(NoLimits,
            [WafNginxRoot.App("ada", new(WafMode.Block, 1, [])), WafNginxRoot.App("bob", new(WafMode.Detect, 1, [])), WafNginxRoot.App("eve", WafProfile.Off)],
            [Attack, Get(Attack.Path.Replace("ada", "bob", StringComparison.Ordinal)), Get(Attack.Path.Replace("ada", "eve", StringComparison.Ordinal)), Get("/api/status?q=1%27%20OR%20%271%27=%271"), Get("/?q=1%27%20OR%20%271%27=%271")]);
        Assert.Equal([403, 200, 200, 403, 200], statuses);
    }

    [Fact]
    public async Task An_exclusion_that_the_log_proposes_lets_just_that_pass()
    {
        var (code, text) = await WafNginxRoot.RunAsync(NoLimits, [WafNginxRoot.App("ada", new(WafMode.Block, 1, []))],
            $"curl -s -o /dev/null 'http://127.0.0.1{Attack.Path}'; curl -s -o /dev/null -H 'X-A: ${{jndi:ldap://e/a}}' http://127.0.0.1/papers/ada/; sleep 0.3; cat /var/log/dure/waf.log");
        Assert.True(code == 0, text);
        var entries = text.Split('\n').Select(WafLogEntry.Read).OfType<WafLogEntry>().ToList();
        Assert.True(entries.Count == 2, text);
        Assert.True(entries[0].Refused, text);
        Assert.All(entries[0].Reasons, reason => Assert.Equal(("the parameter q", "SQL injection"), (reason.Where, reason.Attack)));
        Assert.Equal(("the header X-A", "a lookup of Log4j", null), (entries[1].Reasons[0].Where, entries[1].Reasons[0].Attack, entries[1].Reasons[0].Exclusion));

        List<WafExclusion> exclusions = [.. entries[0].Reasons.Select(reason => WafExclusion.TryParse(reason.Exclusion!, "/", out var read) ? read : throw new FormatException(reason.Exclusion))];
        var statuses = await WafNginxRoot.StatusesAsync(NoLimits, [WafNginxRoot.App("ada", new(WafMode.Block, 1, exclusions))],
            [Attack, Get(Attack.Path.Replace("q=", "r=", StringComparison.Ordinal)), Get(Attack.Path.Replace("search", "find", StringComparison.Ordinal))]);
        Assert.Equal([200, 403, 403], statuses);
    }

    [Fact]
    public async Task Large_bodies_pass_as_they_did_and_what_comes_before_them_is_still_looked_at()
    {
        var attack = new string('x', 1_500_000) + "<script>alert(1)</script>";
        WafRequest Upload(string path, string body, params (string, string)[] headers) => new("", "POST", path, [("Content-Type", "application/x-www-form-urlencoded"), .. headers], "x=" + body);
        var statuses = await WafNginxRoot.StatusesAsync(NoLimits, [WafNginxRoot.App("ada", new(WafMode.Block, 1, [])) with { BodyBytes = 2_000_000 }],
        [
            Upload("/papers/ada/form", attack), Upload("/papers/ada/form?x=%3Cscript%3Ealert(1)%3C/script%3E", attack), Upload("/papers/ada/form", attack, ("X-A", "${jndi:ldap://e/a}")),
            Upload("/papers/ada/form", attack + attack), Upload("/api/x", attack), Upload("/papers/ada/form", "<script>alert(1)</script>"),
            Upload("/papers/ada/form?file=../../etc/passwd", attack), Upload("/papers/ada/form?x=%3Bcat%20/etc/passwd", attack), Upload("/papers/ada/form?x=1%27%20OR%20%271%27=%271", attack),
        ]);
        Assert.Equal([200, 403, 403, 413, 200, 403, 403, 403, 403], statuses);
    }

    [Fact]
    public async Task No_way_of_telling_the_length_of_a_body_gets_it_past_the_rules()
    {
        const string form = "x=<script>alert(1)</script>";
        var chunked = FormattableString.Invariant($"{form.Length:x}\r\n{form}\r\n0\r\n\r\n");
        WafRequest Send(string path, string body, params (string, string)[] headers) => new("", "POST", path, [("Content-Type", "application/x-www-form-urlencoded"), .. headers], body);
        WafRequest[] Both(string path) =>
        [
            Send(path, form, ("Content-Length", "00000" + form.Length.ToString(CultureInfo.InvariantCulture))), Send(path + "?x=%3Bcat%20/etc/passwd", "x=1", ("Content-Length", "0000003")),
            Send(path, chunked, ("Transfer-Encoding", "chunked")), Send(path, "x=1", ("Content-Encoding", "gzip")), new("", "POST", path, [("Content-Type", "application/json")], "{\"a\":"),
            Send(path, "3\r\nx=1\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked")),
        ];
        // Who asks for another path than the rules see, or for what exists inside nginx only.
        WafRequest[] ways = [Send("/api//functions/f/versions", form), Send("/api/functions/f/./versions?x=%3Bcat%20/etc/passwd", "x"), Send(WafNginx.Passing + "/papers/ada/form", form), Send(WafNginx.Unknown + "/api/x", form)];
        var statuses = await WafNginxRoot.StatusesAsync(NoLimits, [WafNginxRoot.App("ada", new(WafMode.Block, 1, []))], [.. Both("/papers/ada/form"), .. Both("/api/x"), .. ways]);
        Assert.Equal([403, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 200, 403, 403, 404, 404], statuses);
    }

    [Fact]
    public async Task What_is_long_passes_and_its_beginning_is_looked_at_and_nothing_takes_long()
    {
        var (numbers, text) = (string.Join(',', Enumerable.Range(0, 60_000)), string.Concat(Enumerable.Repeat("where+like+order%3D%28value%29+", 10_000)));
        WafRequest Json(string body) => new("", "POST", "/papers/ada/values", [("Content-Type", "application/json")], body);
        WafRequest Form(string body) => new("", "POST", "/papers/ada/form", [("Content-Type", "application/x-www-form-urlencoded")], body);
        var began = TimeProvider.System.GetTimestamp();
        var statuses = await WafNginxRoot.StatusesAsync(NoLimits, [WafNginxRoot.App("ada", new(WafMode.Block, 1, []))],
        [
            Json($"[{numbers}]"), Json($"[{numbers[..5000]}0]"), Json($"[\"<script>alert(1)</script>\",{numbers}]"), Json($"[{numbers[..5000]}"), Form("x=1&y=" + new string('z', 900_000)),
            Form("x=<script>alert(1)</script>&y=" + text), Form(string.Join('&', Enumerable.Range(0, 5000).Select(at => FormattableString.Invariant($"p{at}=1")))),
        ]);
        Assert.Equal([200, 200, 403, 200, 200, 403, 200], statuses);
        // Without the limits the first alone takes minutes.
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_WebSocket_that_names_its_session_passes_and_hashed_assets_are_asked_for_Log4j_only()
    {
        WafRequest Socket(string query) => new("", "GET", "/papers/ada/ws?" + query, [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")], null);
        const string asset = "/papers/ada/assets/index-BxY3k9zQ.js";
        var statuses = await WafNginxRoot.StatusesAsync(NoLimits, [WafNginxRoot.App("ada", new(WafMode.Block, 1, []))],
        [
            Socket("session_id=s_1"), Socket("phpsessid=s_1"), Socket("session_id=%3Cscript%3Ealert(1)%3C/script%3E"),
            Get(asset + "?q=1%27%20OR%20%271%27=%271"), Get(asset + "?q=%24%7B%24%7Blower:j%7Dndi:ldap://e/a%7D"), Get("/papers/ada/assets/index.js?q=1%27%20OR%20%271%27=%271"),
        ]);
        Assert.Equal([200, 403, 403, 200, 403, 403], statuses);
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_so_by_address_and_by_token()
    {
        async Task<int> RefusedAsync(string rate, string tokenRate, string headers)
        {
            var (code, text) = await WafNginxRoot.RunAsync([("edge.waf_api", "block"), ("edge.waf_rate", rate), ("edge.waf_token_rate", tokenRate)], [],
                $"curl -s -o /dev/null -w '%{{http_code}}\\n' {headers} 'http://127.0.0.1/api/status?[1-40]' | sort | uniq -c");
            Assert.True(code == 0 && text.Contains("200", StringComparison.Ordinal), text);
            return text.Split('\n').Where(line => line.EndsWith("429", StringComparison.Ordinal)).Select(line => int.Parse(line.Trim().Split(' ')[0], CultureInfo.InvariantCulture)).FirstOrDefault();
        }

        Assert.InRange(await RefusedAsync("1", "0", ""), 20, 29);
        Assert.InRange(await RefusedAsync("0", "1", "-H 'Authorization: Bearer dure_x'"), 20, 29);
        Assert.Equal(0, await RefusedAsync("0", "1", ""));
    }

    private static WafRequest Get(string path) => new("", "GET", path, [], null);
}
