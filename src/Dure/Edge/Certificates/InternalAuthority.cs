using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Programs;

namespace Dure.Edge.Certificates;

/// <summary>
/// The authority for links between machines: a folder with a root that may vouch for certain names only, and its key, encrypted with <c>age</c>. The key is in memory while something is
/// signed, and nowhere else in the clear.
/// </summary>
internal sealed class InternalAuthority(string folder, string identity, TimeProvider time)
{
    public static readonly TimeSpan LeafLife = TimeSpan.FromDays(90);

    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everybodys = Mine | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // Clocks differ a little.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    public string RootFile => Path.Combine(folder, "root.pem");

    public string RevocationFile => Path.Combine(folder, "revoked.pem");

    private string KeyFile => Path.Combine(folder, "root.key.age");

    private string Book => Path.Combine(folder, "issued.json");

    /// <summary>Makes the root. Without a recipient, an identity of age is made, too.</summary>
    public async Task<Outcome<string>> InitAsync(NameConstraint names, string? recipient, CancellationToken cancel)
    {
        if (File.Exists(RootFile) || File.Exists(KeyFile))
            return AuthorityErrors.Exists.With(folder);
        Directory.CreateDirectory(folder, Mine | UnixFileMode.UserExecute);
        if (recipient is null)
        {
            var made = File.Exists(identity) ? await HostProgram.RunAsync(["age-keygen", "-y", identity], cancel) : await MakeIdentityAsync(cancel);
            if (made.ExitCode != 0)
                return Unopened(made);
            recipient = made.Output.Trim();
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Dure internal {string.Join(' ', names.Domains.Take(1))} {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(names.Encode());
        using var root = request.CreateSelfSigned(time.GetUtcNow() - Skew, time.GetUtcNow().AddYears(10));
        var sealedKey = await HostProgram.RunAsync(["age", "--encrypt", "--armor", "--recipient", recipient], cancel, key.ExportPkcs8PrivateKeyPem());
        if (sealedKey.ExitCode != 0)
            return Unopened(sealedKey);
        await WriteAsync(KeyFile, sealedKey.Output, Mine, cancel);
        await WriteAsync(RootFile, root.ExportCertificatePem() + "\n", Everybodys, cancel);
        await SaveAsync([], root, key, cancel);
        return RootFile;
    }

    /// <summary>What it gave, without what was replaced since.</summary>
    public async Task<Outcome<List<IssuedCertificate>>> ListAsync(CancellationToken cancel)
    {
        var book = await ReadAsync(cancel);
        return book.Ok ? book.Value.Where(known => known.ReplacedAt is null).ToList() : book.Problem;
    }

    /// <summary>Gives a certificate; one of the same name is replaced.</summary>
    public Task<Outcome<IssuedCertificate>> IssueAsync(IReadOnlyList<string> names, string into, string? reload, CancellationToken cancel) => SigningAsync<IssuedCertificate>(async (root, key, book) =>
    {
        var permitted = NameConstraint.Of(root);
        if (names.FirstOrDefault(name => !permitted.Permits(name)) is { } outside)
            return AuthorityErrors.Outside.With($"{outside} is not below {string.Join(", ", [.. permitted.Domains, .. permitted.Networks.Select(network => network.ToString())])}.");
        return await GiveAsync(root, key, book, names, into, reload, cancel);
    }, cancel);

    /// <summary>Gives those anew whose time has come, or all.</summary>
    public Task<Outcome<List<IssuedCertificate>>> RenewAsync(bool all, CancellationToken cancel) => SigningAsync<List<IssuedCertificate>>(async (root, key, book) =>
    {
        var given = new List<IssuedCertificate>();
        Problem? first = null;
        foreach (var due in book.Where(known => known.Holds && (all || known.DueAt <= time.GetUtcNow())).ToList())
        {
            // One whose hook fails keeps no other from its certificate.
            var renewed = await GiveAsync(root, key, book, due.Names, due.Folder, due.Reload, cancel);
            if (renewed.Ok)
                given.Add(renewed.Value);
            else
                first ??= renewed.Problem;
        }

        return first is null ? given : first;
    }, cancel);

    /// <summary>Takes the trust from a certificate, and from those before it that have not ended: their serials stand in the list of revoked ones from now on.</summary>
    public Task<Outcome<IssuedCertificate>> RevokeAsync(string name, CancellationToken cancel) => SigningAsync<IssuedCertificate>((_, _, book) =>
    {
        var at = book.FindLastIndex(known => known.Name == name && known.Holds);
        if (at < 0)
            return Task.FromResult<Outcome<IssuedCertificate>>(AuthorityErrors.Unknown.With($"'{name}'"));
        Mark(book, known => known.Name == name && known.RevokedAt is null, known => known with { RevokedAt = time.GetUtcNow() });
        return Task.FromResult<Outcome<IssuedCertificate>>(book[at]);
    }, cancel);

    private async Task<Outcome<IssuedCertificate>> GiveAsync(X509Certificate2 root, ECDsa key, List<IssuedCertificate> book, IReadOnlyList<string> names, string into, string? reload, CancellationToken cancel)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", own, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, true, false));
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        serial[0] |= 0x40;
        using var leaf = request.Create(root.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - Skew, now + LeafLife, serial);
        Directory.CreateDirectory(into);
        await WriteAsync(Path.Combine(into, names[0] + ".key"), own.ExportPkcs8PrivateKeyPem() + "\n", Mine, cancel);
        await WriteAsync(Path.Combine(into, names[0] + ".pem"), leaf.ExportCertificatePem() + "\n", Everybodys, cancel);
        await WriteAsync(Path.Combine(into, "root.pem"), root.ExportCertificatePem() + "\n", Everybodys, cancel);
        var issued = new IssuedCertificate(names[0], names, Convert.ToHexString(serial), now, now + LeafLife, Path.GetFullPath(into), reload, null);
        Mark(book, known => known.Name == issued.Name && known.Holds, known => known with { ReplacedAt = now });
        // What has ended needs nobody's distrust.
        book.RemoveAll(known => known.ReplacedAt is not null && known.ExpiresAt <= now);
        book.Add(issued);
        if (reload is null)
            return issued;
        var ran = await HostProgram.RunAsync(["sh", "-c", reload], cancel);
        return ran.ExitCode == 0 ? issued : AuthorityErrors.Reload.With(FormattableString.Invariant($"{issued.Name}: `{reload}` ended with {ran.ExitCode}: {ran.Why}"));
    }

    private async Task<Outcome<T>> SigningAsync<T>(Func<X509Certificate2, ECDsa, List<IssuedCertificate>, Task<Outcome<T>>> sign, CancellationToken cancel)
    {
        if (!File.Exists(Book))
            return AuthorityErrors.Missing.With(folder);
        // Of two at once, one would forget what the other gave.
        await using var held = await HoldAsync(cancel);
        var book = await ReadAsync(cancel);
        if (!book.Ok)
            return book.Problem;
        var opened = await HostProgram.RunAsync(["age", "--decrypt", "--identity", identity, KeyFile], cancel);
        if (opened.ExitCode != 0)
            return Unopened(opened);
        using var key = ECDsa.Create();
        key.ImportFromPem(opened.Output);
        using var root = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(RootFile, cancel));
        var done = await sign(root, key, book.Value);
        // What was written before a failure is in the book as well.
        await SaveAsync(book.Value, root, key, cancel);
        return done;
    }

    private async Task<Outcome<List<IssuedCertificate>>> ReadAsync(CancellationToken cancel) =>
        File.Exists(Book) ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(Book, cancel), IssuedJson.Default.ListIssuedCertificate)! : AuthorityErrors.Missing.With(folder);

    private static void Mark(List<IssuedCertificate> book, Predicate<IssuedCertificate> which, Func<IssuedCertificate, IssuedCertificate> how)
    {
        for (var at = 0; at < book.Count; at++)
        {
            if (which(book[at]))
                book[at] = how(book[at]);
        }
    }

    private async Task<FileStream> HoldAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancel);
            }
        }
    }

    // Its last words ask for a report to its makers.
    private static Problem Unopened(Ran age) => AuthorityErrors.Age.With(age.Why.Split("; age: report")[0]);

    private async Task SaveAsync(List<IssuedCertificate> book, X509Certificate2 root, ECDsa key, CancellationToken cancel)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var revoked in book.Where(known => known.RevokedAt is not null && known.ExpiresAt > time.GetUtcNow()))
            list.AddEntry(Convert.FromHexString(revoked.Serial), revoked.RevokedAt);
        var number = new BigInteger(time.GetUtcNow().ToUnixTimeMilliseconds());
        var signer = X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, true, false);
        var text = PemEncoding.WriteString("X509 CRL", list.Build(root.SubjectName, X509SignatureGenerator.CreateForECDsa(key), number, time.GetUtcNow() + LeafLife, HashAlgorithmName.SHA256, signer, time.GetUtcNow() - Skew));
        await WriteAsync(RevocationFile, text + "\n", Everybodys, cancel);
        await WriteAsync(Book, JsonSerializer.Serialize(book, IssuedJson.Default.ListIssuedCertificate) + "\n", Mine, cancel);
    }

    private async Task<Ran> MakeIdentityAsync(CancellationToken cancel)
    {
        var made = await HostProgram.RunAsync(["age-keygen"], cancel);
        if (made.ExitCode != 0)
            return made;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(identity))!);
        await WriteAsync(identity, made.Output, Mine, cancel);
        return await HostProgram.RunAsync(["age-keygen", "-y", identity], cancel);
    }

    private static async Task WriteAsync(string path, string text, UnixFileMode mode, CancellationToken cancel)
    {
        var beside = path + ".dure-new";
        File.Delete(beside);
        await using (var file = new FileStream(beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            await using var writer = new StreamWriter(file);
            await writer.WriteAsync(text.AsMemory(), cancel);
        }

        File.Move(beside, path, overwrite: true);
    }
}
