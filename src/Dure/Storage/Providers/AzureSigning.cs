using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Storage.Providers;

/// <summary>
/// Signs requests and addresses with an account's key, as Microsoft's pages "Authorize with Shared Key" and "Create a service SAS" describe for versions
/// from 2020-12-06 on.
/// </summary>
internal sealed class AzureSigning(string account, byte[] key)
{
    /// <summary>Of the protocol.</summary>
    public const string Version = "2021-12-02";

    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>Adds the date and the signature to a request that is otherwise complete.</summary>
    public void Sign(HttpRequestMessage request, DateTimeOffset now)
    {
        request.Headers.Remove("x-ms-date");
        request.Headers.TryAddWithoutValidation("x-ms-date", now.UtcDateTime.ToString("R", CultureInfo.InvariantCulture));
        var content = request.Content?.Headers;
        string Of(string name) => request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : "";
        var text = new StringBuilder().Append(request.Method.Method).Append("\n\n\n")
            .Append(content?.ContentLength is > 0 and var length ? length.ToString(CultureInfo.InvariantCulture) : "").Append('\n')
            .Append(content?.ContentMD5 is { } md5 ? Convert.ToBase64String(md5) : "").Append('\n')
            .Append(content?.ContentType?.ToString() ?? "").Append("\n\n\n")
            .Append(Of("If-Match")).Append('\n').Append(Of("If-None-Match")).Append("\n\n\n");
        foreach (var (name, values) in request.Headers.NonValidated.Where(header => header.Key.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase))
            .OrderBy(header => header.Key.ToLowerInvariant(), StringComparer.Ordinal))
        {
            text.Append(name.ToLowerInvariant()).Append(':').Append(values.ToString().Trim()).Append('\n');
        }

        text.Append('/').Append(account).Append(request.RequestUri!.AbsolutePath);
        foreach (var (name, value) in Query(request.RequestUri).OrderBy(pair => pair.Name, StringComparer.Ordinal))
        {
            text.Append('\n').Append(name).Append(':').Append(value);
        }

        request.Headers.Remove("Authorization");
        request.Headers.TryAddWithoutValidation("Authorization", $"SharedKey {account}:{Hmac(text.ToString())}");
    }

    /// <summary>The query that lets anyone do to one blob what the letters say (r, w, c, d) until a time.</summary>
    public string Sas(string container, string blob, string permissions, DateTimeOffset until, bool onlyTls)
    {
        var end = until.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture);
        var protocol = onlyTls ? "https" : "https,http";
        string[] fields = [permissions, "", end, $"/blob/{account}/{container}/{blob}", "", "", protocol, Version, "b", "", "", "", "", "", "", ""];
        return $"sv={Version}&sr=b&sp={permissions}&se={Uri.EscapeDataString(end)}&spr={Uri.EscapeDataString(protocol)}&sig={Uri.EscapeDataString(Hmac(string.Join('\n', fields)))}";
    }

    private static IEnumerable<(string Name, string Value)> Query(Uri uri) => uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .Select(pair => (Uri.UnescapeDataString(pair[0]).ToLowerInvariant(), pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : ""));

    private string Hmac(string text) => Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
}
