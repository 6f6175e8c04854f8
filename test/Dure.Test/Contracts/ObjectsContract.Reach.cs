using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Dure.Host;
using Dure.Storage.Providers;
using Xunit;

namespace Dure.Test.Contracts;

/// <summary>The promises about who reaches a provider: by signed addresses, not at all, or without leave.</summary>
public abstract partial class ObjectsContract
{
    private static readonly HttpClient Web = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1), UseProxy = false });

    [Fact]
    public async Task Whoever_has_a_signed_address_may_get_and_put()
    {
        await using var objects = Open();
        const string key = "signed/with space+ä";
        if (objects.Presign("PUT", key, TimeSpan.FromMinutes(5)) is not { } put)
        {
            Assert.Null(objects.Presign("GET", key, TimeSpan.FromMinutes(5)));
            return;
        }

        using var sent = await Web.SendAsync(Upload(put, "by hand"u8.ToArray()), Cancel);
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("by hand", await Web.GetStringAsync(objects.Presign("GET", key, TimeSpan.FromMinutes(5)), Cancel));
        using var twisted = await Web.GetAsync(new Uri(objects.Presign("GET", key, TimeSpan.FromMinutes(5))!.AbsoluteUri.Replace("signed", "other", StringComparison.Ordinal)), Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, twisted.StatusCode);
    }

    [Fact]
    public async Task Parts_that_others_put_become_an_object()
    {
        await using var objects = Open();
        var what = new PutObject("parts", Stream.Null, PartBytes + 3, ContentType: "text/plain");
        var begun = await objects.BeginPartsAsync(what, Cancel);
        if (begun.Problem?.Kind == ProviderErrors.NotSupported)
        {
            Assert.Null(objects.PresignPart("parts", "x", 1, TimeSpan.FromMinutes(5)));
            return;
        }

        var content = RandomNumberGenerator.GetBytes(PartBytes + 3);
        var etags = new List<string>();
        foreach (var (number, part) in new[] { content[..PartBytes], content[PartBytes..] }.Index())
        {
            using var sent = await Web.SendAsync(Upload(objects.PresignPart("parts", Good(begun), number + 1, TimeSpan.FromMinutes(5))!, part), Cancel);
            Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync(Cancel));
            etags.Add(sent.Headers.ETag?.Tag ?? "");
        }

        Assert.Equal(content.Length, Good(await objects.CompletePartsAsync(what, Good(begun), etags, Cancel)).Length);
        Same(content, await ReadAsync(objects, "parts"));
        Assert.True(Good(await objects.AbortPartsAsync("parts", Good(await objects.BeginPartsAsync(what, Cancel)), Cancel)));
    }

    [Fact]
    public async Task A_provider_that_is_silent_is_named_once_its_time_is_over()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var port = ((IPEndPoint)mute.LocalEndpoint).Port;
        await using var objects = Open(options => options with
        {
            Name = "far-away",
            Endpoint = new Uri($"http://127.0.0.1:{port}/account"),
            Path = options.Path + "-not-mounted",
            Timeout = TimeSpan.FromMilliseconds(300),
        });
        var begun = TimeProvider.System.GetTimestamp();
        Problem?[] problems =
        [
            (await objects.HeadAsync("a", Cancel)).Problem, (await objects.GetAsync("a", 0, null, Cancel)).Problem, (await objects.ListAsync("", null, 1, Cancel)).Problem,
            (await objects.PutAsync(new PutObject("a", new MemoryStream(new byte[9]), 9), Cancel)).Problem, (await objects.DeleteAsync(["a"], Cancel)).Problem,
        ];
        Assert.All(problems, problem => Assert.Equal(ProviderErrors.Unreachable, problem?.Kind));
        Assert.All(problems, problem => Assert.Contains("far-away", problem!.Detail, StringComparison.Ordinal));
        Assert.InRange(TimeProvider.System.GetElapsedTime(begun), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_provider_that_is_not_there_is_named()
    {
        await using var objects = Open(options => options with
        {
            Name = "gone-away",
            Endpoint = new Uri($"http://127.0.0.1:1/account"),
            Path = options.Path + "-not-mounted",
            Timeout = TimeSpan.FromSeconds(2),
        });
        var problem = (await objects.HeadAsync("a", Cancel)).Problem;
        Assert.Equal(ProviderErrors.Unreachable, problem?.Kind);
        Assert.Contains("gone-away", problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_that_are_not_known_are_refused()
    {
        if (OpenAsStranger() is { } objects)
        {
            Assert.Equal(ProviderErrors.Refused, (await objects.PutAsync(new PutObject("a", new MemoryStream([1]), 1), Cancel)).Problem?.Kind);
            Assert.Equal(ProviderErrors.Refused, (await objects.ListAsync("", null, 1, Cancel)).Problem?.Kind);
            Assert.Equal(ProviderErrors.Refused, (await objects.GetAsync("a", 0, null, Cancel)).Problem?.Kind);
            await objects.DisposeAsync();
        }
    }

    private static HttpRequestMessage Upload(Uri to, byte[] content)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, to) { Content = new ByteArrayContent(content) { Headers = { ContentMD5 = MD5.HashData(content) } } };
        request.Headers.TryAddWithoutValidation("x-ms-blob-type", "BlockBlob");
        return request;
    }

    private static async Task PutWithOtherDigestAsync(IObjects objects, string key)
    {
        var what = new PutObject(key, Stream.Null, 5, new string('0', 64));
        var upload = Good(await objects.BeginPartsAsync(what, Cancel));
        using var sent = await Web.SendAsync(Upload(objects.PresignPart(key, upload, 1, TimeSpan.FromMinutes(1))!, "wrong"u8.ToArray()), Cancel);
        Good(await objects.CompletePartsAsync(what, upload, [sent.Headers.ETag?.Tag ?? ""], Cancel));
    }
}
