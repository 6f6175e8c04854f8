using System.Text.RegularExpressions;
using Dure.Test.Processes;
using Dure.Test.Storage.Providers;
using Xunit;

namespace Dure.Test.Host.Identity;

/// <summary>A real OpenID provider (the package oidc-provider) on loopback, and the steps that a person takes on its pages.</summary>
internal sealed partial class OidcProviderProcess : IAsyncDisposable
{
    /// <summary>What its client's secret is.</summary>
    public const string ClientSecret = "not a secret: %&+";

    private readonly Child _child;

    private OidcProviderProcess(Child child, string issuer) => (_child, Issuer) = (child, issuer);

    public string Issuer { get; }

    public static async Task<OidcProviderProcess> StartAsync(string redirect, string algorithm)
    {
        var folder = await ClientPackages.FolderAsync(TestContext.Current.CancellationToken);
        var child = Child.Start("node", Path.Combine(folder, "oidc.mjs"), redirect, algorithm);
        const string says = "listens on ";
        for (var lines = 1; ; lines++)
        {
            await child.LinesAsync(lines, TestContext.Current.CancellationToken);
            if (child.Lines.FirstOrDefault(line => line.StartsWith(says, StringComparison.Ordinal)) is { } line)
                return new OidcProviderProcess(child, line[says.Length..].Trim());
        }
    }

    /// <summary>Goes to the provider, signs in there and agrees.</summary>
    /// <returns>Where the provider sends the browser back to.</returns>
    public async Task<Uri> AgreeAsync(Browser browser, Uri authorize, string who)
    {
        var at = authorize;
        HttpContent? body = null;
        for (var steps = 0; steps < 20; steps++)
        {
            using var answer = await browser.RequestAsync(body is null ? HttpMethod.Get : HttpMethod.Post, at, body);
            if (answer.Headers.Location is { } next)
            {
                at = new Uri(at, next);
                body = null;
                if (at.GetLeftPart(UriPartial.Authority) != Issuer)
                    return at;
                continue;
            }
            var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var form = Form().Match(page);
            Assert.True(form.Success, $"{at}: {page}");
            at = new Uri(at, form.Groups["to"].Value);
            body = new FormUrlEncodedContent(page.Contains("name=\"login\"", StringComparison.Ordinal)
                ? new Dictionary<string, string>(StringComparer.Ordinal) { ["prompt"] = "login", ["login"] = who, ["password"] = "any" }
                : new Dictionary<string, string>(StringComparer.Ordinal) { ["prompt"] = "consent" });
        }
        throw new InvalidOperationException("The provider goes round in circles.");
    }

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    [GeneratedRegex("""<form[^>]*action="(?<to>[^"]+)[^>]*method="post""", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Form();
}
