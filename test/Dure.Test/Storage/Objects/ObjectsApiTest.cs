using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Objects;

/// <summary>The API of objects of a real server, beside its S3 endpoint.</summary>
public sealed class ObjectsApiTest(ObjectsApiTest.Server server) : IClassFixture<ObjectsApiTest.Server>
{
    private static readonly HttpClient Plain = new(new SocketsHttpHandler { UseProxy = false });
    private static int _buckets;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private RunningDure Dure => server.Dure;

    [Fact(Timeout = 180_000)]
    public async Task A_folder_is_listed_page_after_page_and_each_object_once()
    {
        var bucket = await BucketAsync();
        string[] keys = ["a.txt", "dir/1", "dir/2", "dir/sub/3", "z"];
        foreach (var key in keys)
            Assert.Equal(HttpStatusCode.Created, (await PutAsync(bucket, key, key)).StatusCode);
        var seen = new List<string>();
        var cursor = "";
        do
        {
            var page = await Dure.GetAsync($"/api/storage/buckets/{bucket}/objects?delimiter=/&limit=1{cursor}", Cancel);
            seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["key"]!));
            seen.AddRange(page["prefixes"]!.AsArray().Select(prefix => (string)prefix!));
            cursor = page["next"] is { } next ? "&cursor=" + Uri.EscapeDataString((string)next!) : "";
        }
        while (cursor.Length > 0);
        Assert.Equal(["a.txt", "dir/", "z"], seen);
        var inside = await Dure.GetAsync($"/api/storage/buckets/{bucket}/objects?delimiter=/&prefix=dir/", Cancel);
        Assert.Equal(["dir/1", "dir/2"], inside["items"]!.AsArray().Select(item => (string)item!["key"]!));
        Assert.Equal(["dir/sub/"], inside["prefixes"]!.AsArray().Select(prefix => (string)prefix!));
    }

    [Theory(Timeout = 180_000)]
    [InlineData("a//b")]
    [InlineData("../up/./x")]
    [InlineData("한글 %2F+&?#.html")]
    [InlineData("\"quoted\\name\"")]
    public async Task Any_key_comes_back_as_it_was(string key)
    {
        var bucket = await BucketAsync();
        Assert.Equal(HttpStatusCode.Created, (await PutAsync(bucket, key, "bytes", "text/html; charset=utf-8")).StatusCode);
        using var got = await GetAsync(bucket, key, "&download=true");
        Assert.Equal("bytes", await got.Content.ReadAsStringAsync(Cancel));
        Assert.StartsWith("attachment;", got.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
        var listed = await Dure.GetAsync($"/api/storage/buckets/{bucket}/objects", Cancel);
        Assert.Equal(key, (string?)listed["items"]![0]!["key"]);
    }

    [Fact(Timeout = 180_000)]
    public async Task What_is_stored_may_be_looked_at_and_never_runs()
    {
        var bucket = await BucketAsync();
        await PutAsync(bucket, "page.html", "<script>alert(1)</script>", "text/html");
        using var got = await GetAsync(bucket, "page.html");
        Assert.StartsWith("sandbox;", string.Join(';', got.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.DoesNotContain("allow-", string.Join(';', got.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(got.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("same-origin", Assert.Single(got.Headers.GetValues("Cross-Origin-Resource-Policy")));
        foreach (var use in new[] { "script", "serviceworker", "style", "embed" })
        {
            using var used = await GetAsync(bucket, "page.html", "", ("Sec-Fetch-Dest", use));
            Assert.Equal(HttpStatusCode.Forbidden, used.StatusCode);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task A_range_is_served_alone_and_one_beyond_the_end_is_refused()
    {
        var bucket = await BucketAsync();
        await PutAsync(bucket, "n", "0123456789");
        using var some = await GetAsync(bucket, "n", "", ("Range", "bytes=2-4"));
        Assert.Equal((HttpStatusCode.PartialContent, "234"), (some.StatusCode, await some.Content.ReadAsStringAsync(Cancel)));
        using var beyond = await GetAsync(bucket, "n", "", ("Range", "bytes=20-"));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        Assert.Equal("DURE0699", (string?)JsonNode.Parse(await beyond.Content.ReadAsStringAsync(Cancel))!["id"]);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_deleted_object_is_among_its_versions_and_comes_back()
    {
        var bucket = await BucketAsync("\"versioning\":\"enabled\"");
        await PutAsync(bucket, "v", "one");
        await PutAsync(bucket, "v", "two");
        Assert.Equal(1, (int)(await PostAsync(bucket, "delete", """{"keys":[{"key":"v"}]}"""))!["deleted"]!);
        using (var gone = await GetAsync(bucket, "v"))
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        var versions = (await Dure.GetAsync($"/api/storage/buckets/{bucket}/versions?key=v", Cancel))["items"]!.AsArray();
        Assert.Equal([true, false, false], versions.Select(version => (bool)version!["delete_marker"]!));
        var oldest = (string)versions[2]!["version_id"]!;
        using (var old = await GetAsync(bucket, "v", "&version=" + oldest))
            Assert.Equal("one", await old.Content.ReadAsStringAsync(Cancel));
        await PostAsync(bucket, "copy", $$"""{"from":"v","to":"v","version_id":"{{oldest}}","overwrite":true}""");
        using var back = await GetAsync(bucket, "v");
        Assert.Equal("one", await back.Content.ReadAsStringAsync(Cancel));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_new_name_takes_the_object_along_and_replaces_nothing_unasked()
    {
        var bucket = await BucketAsync();
        await PutAsync(bucket, "old", "bytes", "text/x-mine");
        await PutAsync(bucket, "taken", "other");
        Assert.Equal("DURE0698", (string?)(await PostAsync(bucket, "copy", """{"from":"old","to":"taken","move":true}"""))!["id"]);
        Assert.Equal("text/x-mine", (string?)(await PostAsync(bucket, "copy", """{"from":"old","to":"dir/new","move":true}"""))!["content_type"]);
        Assert.Equal(["dir/new", "taken"], await KeysAsync(bucket));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_folder_is_deleted_with_all_that_is_in_it_and_nothing_else()
    {
        var bucket = await BucketAsync();
        foreach (var n in Enumerable.Range(0, 30))
            await PutAsync(bucket, $"logs/{n}/x", "1");
        await PutAsync(bucket, "logs.txt", "kept");
        Assert.Equal(30, (int)(await PostAsync(bucket, "delete", """{"prefixes":["logs/"]}"""))!["deleted"]!);
        Assert.Equal(["logs.txt"], await KeysAsync(bucket));
    }

    [Fact(Timeout = 180_000)]
    public async Task An_upload_in_parts_goes_on_where_it_was()
    {
        var bucket = await BucketAsync();
        var begun = await PostAsync(bucket, "uploads", """{"key":"big","content_type":"application/x-big"}""");
        var path = $"/api/storage/buckets/{bucket}/uploads/{begun!["upload_id"]}";
        var first = new byte[5 << 20];
        Random.Shared.NextBytes(first);
        await PartAsync(path + "/2?key=big", [7, 8, 9]);
        Assert.Equal([2], (await Dure.GetAsync(path + "?key=big", Cancel))["items"]!.AsArray().Select(part => (int)part!["number"]!));
        await PartAsync(path + "/1?key=big", first);
        var (status, made) = await Dure.SendAsync(HttpMethod.Post, path + "/complete?key=big", Cancel, "{}");
        Assert.Equal((HttpStatusCode.Created, (5L << 20) + 3, "application/x-big"), (status, (long)made!["size"]!, (string?)made["content_type"]));
        using var got = await GetAsync(bucket, "big");
        Assert.Equal([.. first, 7, 8, 9], await got.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_link_needs_no_keys_and_ends_with_its_own()
    {
        var bucket = await BucketAsync();
        await PutAsync(bucket, "dir/a b+ü.txt", "linked");
        var link = await PostAsync(bucket, "link", """{"key":"dir/a b+ü.txt","expires_in_s":600}""");
        Assert.Equal("linked", await Plain.GetStringAsync(new Uri((string)link!["url"]!, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }), Cancel));
        var write = await PostAsync(bucket, "link", """{"key":"in.bin","method":"PUT","expires_in_s":600}""");
        using (var put = await Plain.PutAsync(new Uri((string)write!["url"]!), new ByteArrayContent([1, 2]), Cancel))
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Contains("in.bin", await KeysAsync(bucket));
        Assert.Equal(HttpStatusCode.NoContent, (await Dure.SendAsync(HttpMethod.Delete, $"/api/storage/keys/{link["access_key_id"]}", Cancel)).Status);
        using var revoked = await Plain.GetAsync(new Uri((string)link["url"]!), Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, revoked.StatusCode);
        Assert.Equal("DURE0696", (string?)(await PostAsync(bucket, "link", """{"key":"nothing"}"""))!["id"]);
    }

    [Fact(Timeout = 180_000)]
    public async Task Somebody_elses_bucket_is_closed_as_it_is_at_the_S3_endpoint()
    {
        var bucket = await BucketAsync();
        await PutAsync(bucket, "mine", "1");
        var token = (await Dure.SendAsync(HttpMethod.Post, "/api/tokens", Cancel, """{"name":"bob","scopes":["read","deploy"]}""")).Body!["token"];
        async Task<HttpStatusCode> AsBobAsync(HttpMethod method, string path, HttpContent? content = null)
        {
            using var request = new HttpRequestMessage(method, $"/api/storage/buckets/{bucket}/{path}") { Content = content };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (string)token!);
            using var answer = await Dure.Http.SendAsync(request, Cancel);
            return answer.StatusCode;
        }
        Assert.Equal(HttpStatusCode.Forbidden, await AsBobAsync(HttpMethod.Get, "objects"));
        Assert.Equal(HttpStatusCode.Forbidden, await AsBobAsync(HttpMethod.Get, "object?key=mine"));
        Assert.Equal(HttpStatusCode.Forbidden, await AsBobAsync(HttpMethod.Put, "object?key=his", new ByteArrayContent([1])));
        Assert.Equal(HttpStatusCode.Forbidden, await AsBobAsync(HttpMethod.Post, "link", new StringContent("""{"key":"mine"}""", Encoding.UTF8, "application/json")));
        await Dure.SendAsync(HttpMethod.Patch, $"/api/storage/buckets/{bucket}", Cancel, """{"acl":"public-read"}""");
        Assert.Equal(HttpStatusCode.OK, await AsBobAsync(HttpMethod.Get, "objects"));
        Assert.Equal(HttpStatusCode.Forbidden, await AsBobAsync(HttpMethod.Get, "object?key=mine"));
    }

    private async Task<string> BucketAsync(string more = "")
    {
        var name = $"objects-{Interlocked.Increment(ref _buckets)}";
        var (status, _) = await Dure.SendAsync(HttpMethod.Post, "/api/storage/buckets", Cancel, $$"""{"name":"{{name}}"{{(more.Length > 0 ? "," + more : "")}}}""");
        Assert.Equal(HttpStatusCode.Created, status);
        return name;
    }

    private async Task<HttpResponseMessage> PutAsync(string bucket, string key, string text, string type = "text/plain")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return await Dure.Http.PutAsync(new Uri($"/api/storage/buckets/{bucket}/object?key={Uri.EscapeDataString(key)}", UriKind.Relative), content, Cancel);
    }

    private async Task PartAsync(string path, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        using var answer = await Dure.Http.PutAsync(new Uri(path, UriKind.Relative), content, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private Task<HttpResponseMessage> GetAsync(string bucket, string key, string more = "", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/api/storage/buckets/{bucket}/object?key={Uri.EscapeDataString(key)}{more}");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Dure.Http.SendAsync(request, Cancel);
    }

    private async Task<JsonNode?> PostAsync(string bucket, string path, string body) => (await Dure.SendAsync(HttpMethod.Post, $"/api/storage/buckets/{bucket}/{path}", Cancel, body)).Body;

    private async Task<IEnumerable<string>> KeysAsync(string bucket) =>
        (await Dure.GetAsync($"/api/storage/buckets/{bucket}/objects", Cancel))["items"]!.AsArray().Select(item => (string)item!["key"]!);

    /// <summary>One server for all of these tests.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private readonly Scratch _scratch = new();

        internal RunningDure Dure { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Dure = await RunningDure.StartAsync(_scratch["data"], CancellationToken.None, "store.port=0");

        public async ValueTask DisposeAsync()
        {
            await Dure.DisposeAsync();
            _scratch.Dispose();
        }
    }
}
