using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Dure.Host.Configuration;

namespace Dure.Host.Identity.Oidc;

/// <summary>What a provider tells of itself.</summary>
internal sealed record OidcPlaces(string Authorize, string Token, string? UserInfo, string Keys);

/// <summary>Speaks with one identity provider: where its pages are, its keys, codes for tokens. What it says of itself is kept for an hour.</summary>
internal sealed class OidcProvider(OidcProviderOptions options, HttpClient http, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeysAgain = TimeSpan.FromSeconds(30);

    private (OidcPlaces Places, DateTimeOffset At)? _places;
    private (IReadOnlyList<JsonElement> Keys, DateTimeOffset At)? _keys;

    public OidcProviderOptions Options => options;

    /// <summary>Where its pages are.</summary>
    public async ValueTask<Outcome<OidcPlaces>> PlacesAsync(CancellationToken cancel)
    {
        if (_places is { } known && time.GetUtcNow() - known.At < Fresh)
            return known.Places;
        using var request = new HttpRequestMessage(HttpMethod.Get, options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration");
        var told = await AskAsync(request, cancel);
        if (!told.Ok)
            return told.Problem;
        var document = told.Value;
        // Else somebody who can answer here could stand in for another provider.
        if (IdToken.Text(document, "issuer") != options.Issuer)
            return SigninErrors.ProviderUnreachable.With($"{options.Name} calls itself '{IdToken.Text(document, "issuer")}', not '{options.Issuer}'.");
        if (IdToken.Text(document, "authorization_endpoint") is not { } authorize || IdToken.Text(document, "token_endpoint") is not { } token || IdToken.Text(document, "jwks_uri") is not { } keys)
            return SigninErrors.ProviderUnreachable.With($"{options.Name} does not tell where its pages are.");
        var places = new OidcPlaces(authorize, token, IdToken.Text(document, "userinfo_endpoint"), keys);
        _places = (places, time.GetUtcNow());
        return places;
    }

    /// <summary>Its keys; asked for again when one is wanted that is not among those known.</summary>
    public async ValueTask<Outcome<IReadOnlyList<JsonElement>>> KeysAsync(OidcPlaces places, string wanted, CancellationToken cancel)
    {
        if (_keys is { } known && time.GetUtcNow() - known.At is var age && age < Fresh
            && (age < KeysAgain || known.Keys.Any(key => wanted.Length == 0 || IdToken.Text(key, "kid") == wanted)))
        {
            return new Outcome<IReadOnlyList<JsonElement>>(known.Keys);
        }
        using var request = new HttpRequestMessage(HttpMethod.Get, places.Keys);
        var told = await AskAsync(request, cancel);
        if (!told.Ok)
            return told.Problem;
        IReadOnlyList<JsonElement> keys = told.Value.TryGetProperty("keys", out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];
        _keys = (keys, time.GetUtcNow());
        return new Outcome<IReadOnlyList<JsonElement>>(keys);
    }

    /// <summary>Exchanges a code for tokens.</summary>
    /// <param name="secret">Null for a client without one.</param>
    public async ValueTask<Outcome<(string IdToken, string? AccessToken)>> ExchangeAsync(OidcPlaces places, string code, string verifier, string redirect, string? secret, CancellationToken cancel)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["code_verifier"] = verifier,
            ["redirect_uri"] = redirect,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, places.Token);
        if (secret is null)
            form["client_id"] = options.ClientId;
        else
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(options.ClientId)}:{Uri.EscapeDataString(secret)}")));
        request.Content = new FormUrlEncodedContent(form);
        var told = await AskAsync(request, cancel);
        if (!told.Ok)
            return told.Problem;
        return IdToken.Text(told.Value, "id_token") is { } token ? (token, IdToken.Text(told.Value, "access_token"))
            : SigninErrors.AnswerRefused.With($"{options.Name} gave no identity token.");
    }

    /// <summary>What the provider says of the one whom an access token is for.</summary>
    public async ValueTask<Outcome<JsonElement>> UserAsync(string address, string accessToken, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await AskAsync(request, cancel);
    }

    private async ValueTask<Outcome<JsonElement>> AskAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var place = request.RequestUri!.GetLeftPart(UriPartial.Path);
        try
        {
            using var response = await http.SendAsync(request, cancel);
            var text = await response.Content.ReadAsStringAsync(cancel);
            if (!response.IsSuccessStatusCode)
            {
                // Only the word that the protocol has for it: an answer may repeat what was sent.
                return SigninErrors.ProviderUnreachable.With($"{place} answered {(int)response.StatusCode} {ErrorOf(text)}".TrimEnd() + ".");
            }
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return SigninErrors.ProviderUnreachable.With($"{place}: {(error is OperationCanceledException ? "no answer in time" : error.Message)}");
        }
    }

    private static string? ErrorOf(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return IdToken.Text(document.RootElement, "error");
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
