using System.Text.Json;
using Dure.Test.Portal.Source;
using Microsoft.Playwright;

namespace Dure.Test.Portal.Browser;

/// <summary>axe-core: what keeps people with other eyes, hands or ears from using a page.</summary>
internal static class Axe
{
    private static readonly Lazy<string> Script = new(() => File.ReadAllText(Path.Combine(WebSource.Root, "node_modules", "axe-core", "axe.min.js")));

    /// <summary>The serious and critical findings on what is shown now.</summary>
    public static async Task<IReadOnlyList<string>> FindAsync(IPage page)
    {
        await page.EvaluateAsync(Script.Value + "; undefined");
        var found = await page.EvaluateAsync<JsonElement>("""
            async () => (await axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })).violations
              .filter((v) => v.impact === 'serious' || v.impact === 'critical')
              .flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id} (${v.impact}): ${n.target.join(' ')} ${n.html.slice(0, 160)} ${n.failureSummary.split('\n').slice(1, 2).join('').trim()}`))
            """);
        return [.. found.EnumerateArray().Select(text => text.GetString()!)];
    }
}
