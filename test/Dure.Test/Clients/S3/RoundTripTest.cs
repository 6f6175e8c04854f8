using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using Xunit;

namespace Dure.Test.Clients.S3;

/// <summary>Real clients bring files of every size to the store and back, byte for byte, over http and https, signed and pre-signed.</summary>
[Trait("speed", "slow")]
public sealed class RoundTripTest(StoreUnderTest store) : IClassFixture<StoreUnderTest>
{
    public static TheoryData<string, string> Clients() => new(
        from client in new[] { "awscli", "rclone", "s3cmd", "curl", "javascript" }
        from scheme in new[] { "http", "https" }
        select (client, scheme));

    [Theory, MemberData(nameof(Clients))]
    public async Task A_program_brings_files_of_every_size_there_and_back(string client, string scheme)
    {
        var cancel = TestContext.Current.CancellationToken;
        var folder = store.Fetched($"{client}-{scheme}");
        var programs = new ClientPrograms(store, scheme, folder);
        foreach (var (name, _) in StoreUnderTest.FilesOver(scheme))
        {
            var (file, key, back) = (Path.Combine(store.Folder, name), $"{client}/{scheme}/{name}", Path.Combine(folder, name));
            await programs.PutAsync(client, file, key, cancel);
            await programs.GetAsync(client, key, back, cancel);
            Assert.True(await StoreUnderTest.IsSameAsync(file, back, cancel), $"{client} over {scheme}: {name} came back changed");
            File.Delete(back);
        }
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task What_a_program_pre_signs_is_fetched_and_sent_by_anyone(string client, string scheme)
    {
        var cancel = TestContext.Current.CancellationToken;
        if (client == "curl")
            return; // It signs requests and makes no addresses.
        var folder = store.Fetched($"presigned-{client}-{scheme}");
        var programs = new ClientPrograms(store, scheme, folder);
        foreach (var (name, _) in StoreUnderTest.FilesOver(scheme).Where(file => file.Length > 0))
        {
            var (file, key, back) = (Path.Combine(store.Folder, name), $"presigned/{client}/{scheme}/{name}", Path.Combine(folder, name));
            if (client == "javascript")
                await programs.SendAsync(await programs.PresignAsync(client, "PUT", key, cancel), file, null, cancel);
            else
                await programs.PutAsync("curl", file, key, cancel);
            await programs.SendAsync(await programs.PresignAsync(client, "GET", key, cancel), null, back, cancel);
            Assert.True(await StoreUnderTest.IsSameAsync(file, back, cancel), $"pre-signed by {client} over {scheme}: {name} came back changed");
            File.Delete(back);
        }
    }

    [Theory, InlineData("http"), InlineData("https")]
    public async Task Restic_backs_a_folder_up_checks_it_and_restores_it(string scheme)
    {
        var cancel = TestContext.Current.CancellationToken;
        var folder = store.Fetched($"restic-{scheme}");
        var programs = new ClientPrograms(store, scheme, folder);
        await programs.ResticAsync(cancel, "init");
        await programs.ResticAsync(cancel, "backup", store.Folder);
        await programs.ResticAsync(cancel, "check");
        await programs.ResticAsync(cancel, "restore", "latest", "--target", folder);
        foreach (var (name, _) in StoreUnderTest.Files)
        {
            Assert.True(await StoreUnderTest.IsSameAsync(Path.Combine(store.Folder, name), folder + Path.Combine(store.Folder, name), cancel), name);
            File.Delete(folder + Path.Combine(store.Folder, name));
        }
    }

    [Theory, InlineData("http"), InlineData("https")]
    public async Task The_SDK_for_NET_brings_files_of_every_size_there_and_back(string scheme)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = Connect(scheme);
        using var transfer = new TransferUtility(client);
        var folder = store.Fetched($"net-{scheme}");
        foreach (var (name, length) in StoreUnderTest.Files)
        {
            var (file, key, back) = (Path.Combine(store.Folder, name), $"net/{scheme}/{name}", Path.Combine(folder, name));
            if (length > 5 << 20)
                await transfer.UploadAsync(file, StoreUnderTest.Bucket, key, cancel);
            else
                await client.PutObjectAsync(new PutObjectRequest { BucketName = StoreUnderTest.Bucket, Key = key, FilePath = file }, cancel);
            using (var got = await client.GetObjectAsync(StoreUnderTest.Bucket, key, cancel))
                await got.WriteResponseStreamToFileAsync(back, append: false, cancel);
            Assert.True(await StoreUnderTest.IsSameAsync(file, back, cancel), $".NET over {scheme}: {name} came back changed");
            File.Delete(back);
        }
    }

    [Theory, InlineData("http"), InlineData("https")]
    public async Task What_the_SDK_for_NET_pre_signs_is_sent_and_fetched_by_anyone(string scheme)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = Connect(scheme);
        var folder = store.Fetched($"net-presigned-{scheme}");
        var programs = new ClientPrograms(store, scheme, folder);
        foreach (var (name, _) in StoreUnderTest.FilesOver(scheme).Where(file => file.Length > 0))
        {
            var (file, key, back) = (Path.Combine(store.Folder, name), $"net-presigned/{scheme}/{name}", Path.Combine(folder, name));
            Task<string> SignAsync(HttpVerb verb) => client.GetPreSignedURLAsync(new GetPreSignedUrlRequest
            {
                BucketName = StoreUnderTest.Bucket,
                Key = key,
                Verb = verb,
                Expires = TimeProvider.System.GetUtcNow().AddHours(1).UtcDateTime,
                Protocol = scheme == "https" ? Protocol.HTTPS : Protocol.HTTP,
            });
            await programs.SendAsync(await SignAsync(HttpVerb.PUT), file, null, cancel);
            await programs.SendAsync(await SignAsync(HttpVerb.GET), null, back, cancel);
            Assert.True(await StoreUnderTest.IsSameAsync(file, back, cancel), $"pre-signed by .NET over {scheme}: {name} came back changed");
            File.Delete(back);
        }
    }

    private AmazonS3Client Connect(string scheme) => new(new BasicAWSCredentials(store.AccessKey, store.SecretKey), new AmazonS3Config
    {
        ServiceURL = store.Endpoint(scheme).GetLeftPart(UriPartial.Authority),
        ForcePathStyle = true,
        AuthenticationRegion = "us-east-1",
        HttpClientFactory = new TrustingFactory(store.Authority),
    });

    private sealed class TrustingFactory(string authority) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var handler = new SocketsHttpHandler { UseProxy = false };
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(authority)));
            return new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(5) };
        }
    }
}
