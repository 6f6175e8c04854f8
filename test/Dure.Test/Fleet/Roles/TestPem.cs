using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dure.Test.Fleet.Roles;

/// <summary>A certificate and its key as the secret <c>tls</c> holds them.</summary>
internal static class TestPem
{
    /// <summary>Signed by itself, for a day.</summary>
    public static string Text { get; } = Make();

    private static string Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=lab.example.org", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
