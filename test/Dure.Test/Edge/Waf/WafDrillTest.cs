using System.Runtime.CompilerServices;
using Dure.Edge.Waf;
using Xunit;

namespace Dure.Test.Edge.Waf;

/// <summary>Attacks and honest requests against a real nginx with the rules of the distribution, blocking.</summary>
public sealed class WafDrillTest
{
    private static readonly (string, string)[] Blocking = [("edge.waf_api", "block"), ("edge.waf_portal", "block"), ("edge.waf_rate", "0"), ("edge.waf_token_rate", "0")];

    private static readonly WafProfile Block = new(WafMode.Block, 1, []);

    [Fact]
    public async Task Attacks_are_refused_and_nobody_who_means_well_is()
    {
        List<WafRequest> attacks = [.. WafRequest.Everywhere(Text("attacks")), .. WafRequest.Read(Text("attacks-raw"))];
        List<WafRequest> benign = [.. WafRequest.Read(Text("benign"))];
        var statuses = await WafNginxRoot.StatusesAsync(Blocking, [.. new[] { "ada", "jup", "shiny" }.Select(id => WafNginxRoot.App(id, Block))], [.. attacks, .. benign]);

        var passed = attacks.Where((_, index) => statuses[index] is not (400 or 403 or 405 or 413 or 415)).ToList();
        var refused = benign.Where((_, index) => statuses[attacks.Count + index] is not (200 or 405)).Select((request, _) => request.ToString()).ToList();
        TestContext.Current.SendDiagnosticMessage($"{attacks.Count - passed.Count} of {attacks.Count} attacks refused, {refused.Count} of {benign.Count} honest requests");
        Assert.True(refused.Count == 0, $"{refused.Count} of {benign.Count} honest requests were refused:\n{string.Join('\n', refused)}");
        // At paranoia 1 the packaged rules know neither OGNL, nor Java's objects in Base64, nor each scanner's name.
        Assert.True(attacks.Count > 300 && passed.Count <= 7, $"{passed.Count} of {attacks.Count} attacks passed:\n{string.Join('\n', passed)}");
        Assert.DoesNotContain(passed, request => request.ToString().Contains("ndi", StringComparison.OrdinalIgnoreCase) && request.ToString().Contains('{', StringComparison.Ordinal) && request.Class is "log4j" or "headers");
    }

    private static string Text(string name, [CallerFilePath] string caller = "") => File.ReadAllText(Path.Combine(Path.GetDirectoryName(caller)!, name + ".txt"));
}
