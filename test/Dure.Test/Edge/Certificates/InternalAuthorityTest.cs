using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dure.Edge.Certificates;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Edge.Certificates;

/// <summary>The authority for links between machines, as the <c>openssl</c> program sees it, with the real <c>age</c>.</summary>
public sealed class InternalAuthorityTest : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly SetClock _time = new() { Now = TimeProvider.System.GetUtcNow() };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private InternalAuthority Authority => new(_scratch["ca"], _scratch["age.key"], _time);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_leaf_is_trusted_by_openssl_for_its_names_until_it_is_revoked()
    {
        await InitAsync();
        var issued = await Authority.IssueAsync(["n1.lab.internal", "10.0.0.11"], _scratch["into"], null, Cancel);
        Assert.True(issued.Ok, issued.Ok ? "" : issued.Problem.Detail);
        var leaf = _scratch["into", "n1.lab.internal.pem"];
        Assert.Equal("ok", await VerifyAsync(leaf, "-verify_hostname", "n1.lab.internal"));
        Assert.Equal("ok", await VerifyAsync(leaf, "-verify_ip", "10.0.0.11"));
        Assert.NotEqual("ok", await VerifyAsync(leaf, "-verify_hostname", "n2.lab.internal"));
        Assert.Equal("ok", await VerifyAsync(leaf, "-crl_check", "-CRLfile", Authority.RevocationFile));

        Assert.True((await Authority.RevokeAsync("n1.lab.internal", Cancel)).Ok);
        Assert.Contains("certificate revoked", await VerifyAsync(leaf, "-crl_check", "-CRLfile", Authority.RevocationFile), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_revoked_after_a_renewal_is_not_trusted_with_the_certificate_of_before_either()
    {
        await InitAsync();
        await Authority.IssueAsync(["n1.lab.internal"], _scratch["into"], null, Cancel);
        var before = _scratch["before.pem"];
        File.Copy(_scratch["into", "n1.lab.internal.pem"], before);
        _time.Now += TimeSpan.FromDays(1);
        Assert.Single((await Authority.RenewAsync(all: true, Cancel)).Value);
        var now = _time.Now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        Assert.Equal("ok", await VerifyAsync(before, "-attime", now, "-crl_check", "-CRLfile", Authority.RevocationFile));
        Assert.True((await Authority.RevokeAsync("n1.lab.internal", Cancel)).Ok);
        Assert.Contains("certificate revoked", await VerifyAsync(before, "-attime", now, "-crl_check", "-CRLfile", Authority.RevocationFile), StringComparison.Ordinal);
        Assert.Equal(AuthorityErrors.Unknown, (await Authority.RevokeAsync("n1.lab.internal", Cancel)).Problem!.Kind);
    }

    [Fact]
    public async Task A_name_outside_is_refused_by_us_and_by_openssl_even_when_the_root_signs_it()
    {
        await InitAsync();
        Assert.Equal(AuthorityErrors.Outside, (await Authority.IssueAsync(["bank.example"], _scratch["into"], null, Cancel)).Problem!.Kind);
        Assert.Equal(AuthorityErrors.Outside, (await Authority.IssueAsync(["n1.lab.internal", "192.0.2.1"], _scratch["into"], null, Cancel)).Problem!.Kind);

        // Whoever has the root's key and does not ask us.
        var (code, pem) = await Child.RunAsync(Cancel, ["sh", "-c", "age --decrypt --identity \"$1\" \"$2\"; echo", "sh", _scratch["age.key"], _scratch["ca", "root.key.age"]]);
        Assert.True(code == 0, pem);
        using var key = ECDsa.Create();
        key.ImportFromPem(pem);
        using var root = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Authority.RootFile, Cancel));
        foreach (var name in new[] { "bank.example", "192.0.2.1" })
        {
            using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", own, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            if (IPAddress.TryParse(name, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            using var leaf = request.Create(root.SubjectName, X509SignatureGenerator.CreateForECDsa(key), _time.GetUtcNow(), _time.GetUtcNow().AddDays(1), [1, 2, 3]);
            await File.WriteAllTextAsync(_scratch["forged.pem"], leaf.ExportCertificatePem(), Cancel);
            Assert.Contains("permitted subtree violation", await VerifyAsync(_scratch["forged.pem"]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_leaf_is_given_anew_at_two_thirds_of_its_life_and_who_uses_it_is_told()
    {
        await InitAsync();
        var first = (await Authority.IssueAsync(["n1.lab.internal"], _scratch["into"], $"echo told >>{_scratch["told"]}", Cancel)).Value;
        _time.Now += TimeSpan.FromDays(59.9);
        Assert.Empty((await Authority.RenewAsync(all: false, Cancel)).Value);
        _time.Now += TimeSpan.FromDays(0.2);
        var second = Assert.Single((await Authority.RenewAsync(all: false, Cancel)).Value);
        Assert.NotEqual(first.Serial, second.Serial);
        Assert.Equal("told\ntold\n", await File.ReadAllTextAsync(_scratch["told"], Cancel));
        Assert.Equal(second, Assert.Single((await Authority.ListAsync(Cancel)).Value) with { Names = second.Names });
    }

    [Fact]
    public async Task Of_two_at_once_both_are_remembered_and_a_hook_that_fails_keeps_no_other_from_its_certificate()
    {
        await InitAsync();
        var issued = await Task.WhenAll(Authority.IssueAsync(["n1.lab.internal"], _scratch["into"], $"test ! -e {_scratch["broken"]}", Cancel), Authority.IssueAsync(["n2.lab.internal"], _scratch["into"], null, Cancel));
        Assert.All(issued, one => Assert.True(one.Ok));
        await File.WriteAllTextAsync(_scratch["broken"], "", Cancel);
        _time.Now += TimeSpan.FromDays(61);
        Assert.Equal(AuthorityErrors.Reload, (await Authority.RenewAsync(all: false, Cancel)).Problem!.Kind);
        Assert.Equal(["n1.lab.internal", "n2.lab.internal"], (await Authority.ListAsync(Cancel)).Value.Where(one => one.IssuedAt == issued[0].Value.IssuedAt.AddDays(61)).Select(one => one.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_key_lies_nowhere_in_the_clear_and_without_the_identity_nothing_is_signed()
    {
        await InitAsync();
        Assert.StartsWith("-----BEGIN AGE ENCRYPTED FILE-----", await File.ReadAllTextAsync(_scratch["ca", "root.key.age"], Cancel), StringComparison.Ordinal);
        Assert.All(Directory.GetFiles(_scratch["ca"]), file => Assert.DoesNotContain("PRIVATE KEY", File.ReadAllText(file), StringComparison.Ordinal));
        File.Move(_scratch["age.key"], _scratch["elsewhere.key"]);
        Assert.Equal(AuthorityErrors.Age, (await Authority.IssueAsync(["n1.lab.internal"], _scratch["into"], null, Cancel)).Problem!.Kind);
        Assert.False(Directory.Exists(_scratch["into"]));
    }

    private async Task InitAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/age"), "age is not here.");
        var made = await Authority.InitAsync(NameConstraint.Read(["lab.internal", "10.0.0.0/8"], out _)!, null, Cancel);
        Assert.True(made.Ok, made.Ok ? "" : made.Problem.Detail);
    }

    private async Task<string> VerifyAsync(string leaf, params string[] more)
    {
        var (code, said) = await Child.RunAsync(Cancel, ["openssl", "verify", "-x509_strict", "-CAfile", Authority.RootFile, .. more, leaf]);
        return code == 0 ? "ok" : said;
    }
}
