using System.Globalization;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Certificates that clients will refuse, now or soon.</summary>
internal static class CertificateRules
{
    /// <summary>A certificate that ends within so many days should have been renewed.</summary>
    public const int NearDays = 21;

    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        if (scope.Facts.Certificates is not { } certificates)
            yield break;
        foreach (var certificate in certificates)
        {
            var days = (certificate.NotAfter - scope.Facts.Now).TotalDays;
            var date = certificate.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            if (days < 0)
                yield return CheckRules.CertificateExpired.At(scope.Top, $"The certificate {certificate.Where} expired on {date}.");
            else if (days < NearDays)
                yield return CheckRules.CertificateNear.At(scope.Top, $"The certificate {certificate.Where} expires on {date}, in {Words.Count((int)days, "day")}.");
        }
        if (scope.Fleet.Domain is { Length: > 0 } domain && certificates.Count > 0 && !certificates.Any(certificate => certificate.Names.Any(name => Covers(name, domain))))
            yield return CheckRules.CertificateNames.At(scope.Top, $"No certificate is valid for {domain}; there {(certificates.Count == 1 ? "is one" : "are some")} for {Words.List([.. certificates.SelectMany(certificate => certificate.Names).Distinct(StringComparer.Ordinal)])}.");
    }

    /// <summary>Whether a certificate's name is valid for a host: the same, or a star for exactly one label (RFC 6125, 6.4.3).</summary>
    public static bool Covers(string name, string host) =>
        name.Equals(host, StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("*.", StringComparison.Ordinal) && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && name[1..].Equals(host[dot..], StringComparison.OrdinalIgnoreCase);
}
