using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Amazon.S3.Model;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>Who may do what, CORS, forms, and requests that are refused before they begin.</summary>
public sealed class AccessTest(RunningStore store) : IClassFixture<RunningStore>
{
    [Fact]
    public async Task A_private_bucket_is_its_owners()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a", "x");
        foreach (var key in new[] { "BOB", null })
        {
            Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}/a", key: key)).Error);
            Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}/none", key: key)).Error);
            Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}", key: key)).Error);
            Assert.Equal("403 AccessDenied", (await store.SendAsync("PUT", $"/{bucket}/a", "y", key: key)).Error);
            Assert.Equal("403 AccessDenied", (await store.SendAsync("DELETE", $"/{bucket}/a", key: key)).Error);
        }
        Assert.Equal(200, (await store.SendAsync("GET", $"/{bucket}/a", key: "ADMIN")).Status);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(("x-amz-expected-bucket-owner", "bob")))).Error);
    }

    [Fact]
    public async Task A_key_does_what_its_scopes_and_buckets_allow()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a", "x");
        Assert.Equal(200, (await store.SendAsync("GET", $"/{bucket}/a", key: "READER")).Status);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("PUT", $"/{bucket}/a", "y", key: "READER")).Error);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("PUT", $"/{bucket}?versioning", "", key: "READER")).Error);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("PUT", "/new-bucket", key: "READER")).Error);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}/a", key: "NARROW")).Error);
    }

    [Fact]
    public async Task Lists_open_buckets_and_objects_to_everyone()
    {
        var open = await store.BucketAsync(CannedAcl.PublicReadWrite);
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{open}/a", "x", key: null)).Status);
        Assert.Equal(["a"], (await store.SendAsync("GET", $"/{open}", key: null)).Elements("Key"));
        var closed = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{closed}/a", "x", RunningStore.Headers(("x-amz-acl", "public-read")));
        Assert.Equal("x", (await store.SendAsync("GET", $"/{closed}/a", key: null)).Text);
        Assert.Equal("400 InvalidRequest", (await store.SendAsync("GET", $"/{closed}/a?response-content-type=a", key: null)).Error);
        await store.SendAsync("PUT", $"/{closed}/a?acl", headers: RunningStore.Headers(("x-amz-acl", "authenticated-read")));
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{closed}/a", key: null)).Error);
        Assert.Equal(200, (await store.SendAsync("GET", $"/{closed}/a", key: "BOB")).Status);
    }

    [Fact]
    public async Task A_policy_allows_and_denies()
    {
        var bucket = await store.BucketAsync();
        foreach (var key in new[] { "public/a", "secret/a" })
            await store.SendAsync("PUT", $"/{bucket}/{key}", "x");
        string Statement(string effect, string who, string action, string on) => $$"""{"Effect":"{{effect}}","Principal":{{who}},"Action":"{{action}}","Resource":"arn:aws:s3:::{{bucket}}{{on}}"}""";
        var policy = $$"""{"Version":"2012-10-17","Statement":[{{Statement("Allow", "\"*\"", "s3:GetObject", "/public/*")}},{{Statement("Allow", """{"AWS":"bob"}""", "s3:*", "*")}},{{Statement("Deny", """{"AWS":["bob"]}""", "s3:DeleteObject", "/*")}}]}""";
        await store.Ada.PutBucketPolicyAsync(new PutBucketPolicyRequest { BucketName = bucket, Policy = policy });
        Assert.Equal(policy, (await store.Ada.GetBucketPolicyAsync(bucket)).Policy);
        Assert.Equal("true", (await store.SendAsync("GET", $"/{bucket}?policyStatus")).Element("IsPublic"));
        Assert.Equal(200, (await store.SendAsync("GET", $"/{bucket}/public/a", key: null)).Status);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}/secret/a", key: null)).Error);
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}/secret/a", "y", key: "BOB")).Status);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("DELETE", $"/{bucket}/secret/a", key: "BOB")).Error);
        Assert.Equal(204, (await store.SendAsync("DELETE", $"/{bucket}?policy")).Status);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", $"/{bucket}/public/a", key: null)).Error);
    }

    [Fact]
    public async Task Browsers_are_answered_as_the_configuration_says()
    {
        var bucket = await store.BucketAsync();
        Dictionary<string, string> Preflight(string origin, string method) => RunningStore.Headers(("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "content-type"));
        Assert.Equal("403 AccessForbidden", (await store.SendAsync("OPTIONS", $"/{bucket}/a", key: null, headers: Preflight("https://lab.example", "PUT"))).Error);
        await store.Ada.PutCORSConfigurationAsync(new PutCORSConfigurationRequest
        {
            BucketName = bucket,
            Configuration = new CORSConfiguration { Rules = [new CORSRule { AllowedOrigins = ["https://*.example"], AllowedMethods = ["GET", "PUT"], AllowedHeaders = ["*"], ExposeHeaders = ["ETag"], MaxAgeSeconds = 3000 }] },
        });
        var allowed = await store.SendAsync("OPTIONS", $"/{bucket}/a", key: null, headers: Preflight("https://lab.example", "PUT"));
        Assert.Equal((200, "https://lab.example", "content-type", "3000"), (allowed.Status, allowed.Header("Access-Control-Allow-Origin"), allowed.Header("Access-Control-Allow-Headers"), allowed.Header("Access-Control-Max-Age")));
        Assert.Equal("403 AccessForbidden", (await store.SendAsync("OPTIONS", $"/{bucket}/a", key: null, headers: Preflight("https://evil.test", "PUT"))).Error);
        Assert.Equal("403 AccessForbidden", (await store.SendAsync("OPTIONS", $"/{bucket}/a", key: null, headers: Preflight("https://lab.example", "DELETE"))).Error);
        Assert.Equal("400 BadRequest", (await store.SendAsync("OPTIONS", $"/{bucket}/a", key: null)).Error);
        var put = await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("Origin", "https://lab.example")));
        Assert.Equal(("https://lab.example", "ETag"), (put.Header("Access-Control-Allow-Origin"), put.Header("Access-Control-Expose-Headers")));
        Assert.Equal("https://*.example", (await store.Ada.GetCORSConfigurationAsync(bucket)).Configuration.Rules[0].AllowedOrigins[0]);
    }

    [Fact]
    public async Task A_form_uploads_what_its_policy_allows()
    {
        var bucket = await store.BucketAsync();
        var now = TimeProvider.System.GetUtcNow();
        var (day, stamp) = (now.ToString("yyyyMMdd", null), now.ToString("yyyyMMdd'T'HHmmss'Z'", null));
        var policy = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""
            {"expiration":"{{now.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}}","conditions":[{"bucket":"{{bucket}}"},["starts-with","$key","in/"],["content-length-range",1,10],
            ["starts-with","$success_action_status",""],{"x-amz-credential":"ADA/{{day}}/us-east-1/s3/aws4_request"},{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"x-amz-date":"{{stamp}}"}]}
            """));
        var signing = new[] { day, "us-east-1", "s3", "aws4_request" }.Aggregate(Encoding.UTF8.GetBytes("AWS4ada-secret"), (key, text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        async Task<RunningStore.Answer> Post(string key, string content)
        {
            using var form = new MultipartFormDataContent("xBOUNDARYx");
            foreach (var (name, value) in new[] { ("key", key), ("policy", policy), ("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", $"ADA/{day}/us-east-1/s3/aws4_request"), ("x-amz-date", stamp),
                ("x-amz-signature", Convert.ToHexStringLower(HMACSHA256.HashData(signing, Encoding.UTF8.GetBytes(policy)))), ("success_action_status", "201") })
                form.Add(new StringContent(value), $"\"{name}\"");
            form.Add(new StringContent(content), "\"file\"", "\"report.txt\"");
            return await store.SendAsync("POST", "/" + bucket, await form.ReadAsStringAsync(), RunningStore.Headers(("Content-Type", "multipart/form-data; boundary=xBOUNDARYx")), key: null);
        }
        var made = await Post("in/${filename}", "content");
        Assert.Equal((201, "in/report.txt"), (made.Status, made.Element("Key")));
        Assert.Equal("content", (await store.SendAsync("GET", $"/{bucket}/in/report.txt")).Text);
        Assert.Equal("403 AccessDenied", (await Post("out/a", "content")).Error);
        Assert.Equal("400 EntityTooLarge", (await Post("in/b", "far too long")).Error);
        Assert.Equal("412 PreconditionFailed", (await store.SendAsync("POST", "/" + bucket, "x", key: null)).Error);
    }

    [Fact]
    public async Task Requests_that_cannot_be_are_refused()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal("403 SignatureDoesNotMatch", (await store.SendAsync("GET", $"/{bucket}?x-id=a", key: null, headers: await WrongAsync(bucket))).Error);
        Assert.Equal("501 NotImplemented", (await store.SendAsync("GET", $"/{bucket}/a?torrent")).Error);
        Assert.Equal("405 MethodNotAllowed", (await store.SendAsync("POST", $"/{bucket}/a")).Error);
        Assert.Equal("501 NotImplemented", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("x-amz-server-side-encryption", "aws:kms")))).Error);
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("x-amz-server-side-encryption", "AES256")))).Status);
        Assert.Equal("400 InvalidStorageClass", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("x-amz-storage-class", "BASEMENT")))).Error);
    }

    [Fact]
    public async Task A_bucket_may_be_the_host()
    {
        var bucket = await store.BucketAsync();
        var host = $"{bucket}.store.test:{store.Address.Port}";
        Assert.Equal(200, (await store.SendAsync("PUT", "/a/b", "x", host: host)).Status);
        Assert.Equal("x", (await store.SendAsync("GET", $"/{bucket}/a/b")).Text);
        Assert.Equal(["a/b"], (await store.SendAsync("GET", "/", host: host)).Elements("Key"));
    }

    [Fact]
    public async Task Presigned_addresses_work_until_they_end()
    {
        var bucket = await store.BucketAsync();
        var address = new Uri(store.Address, $"/{bucket}/a");
        var put = Signer.Presign("PUT", address, "ADA", "ada-secret", RunningStore.Region, TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await store.SendAsync("PUT", put.PathAndQuery, "x", key: null)).Status);
        var get = Signer.Presign("GET", address, "ADA", "ada-secret", RunningStore.Region, TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1));
        Assert.Equal("x", (await store.SendAsync("GET", get.PathAndQuery, key: null)).Text);
        var ended = Signer.Presign("GET", address, "ADA", "ada-secret", RunningStore.Region, TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeSpan.FromMinutes(1));
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", ended.PathAndQuery, key: null)).Error);
    }

    [Fact]
    public async Task A_body_is_asked_for_only_when_it_will_be_taken()
    {
        var bucket = await store.BucketAsync();
        var refused = await RawAsync($"PUT /{bucket}/a HTTP/1.1\r\nHost: {store.Address.Authority}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", "");
        Assert.StartsWith("HTTP/1.1 403", refused, StringComparison.Ordinal);
        var open = await store.BucketAsync(CannedAcl.PublicReadWrite);
        var taken = await RawAsync($"PUT /{open}/a HTTP/1.1\r\nHost: {store.Address.Authority}\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", "hello");
        Assert.StartsWith("HTTP/1.1 100", taken, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200", taken, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_without_a_length_is_refused_and_half_a_body_is_not_kept()
    {
        var open = await store.BucketAsync(CannedAcl.PublicReadWrite);
        Assert.StartsWith("HTTP/1.1 411", await RawAsync($"PUT /{open}/a HTTP/1.1\r\nHost: {store.Address.Authority}\r\nConnection: close\r\n\r\n", ""), StringComparison.Ordinal);
        await RawAsync($"PUT /{open}/half HTTP/1.1\r\nHost: {store.Address.Authority}\r\nContent-Length: 50\r\n\r\n", "half", end: true);
        Assert.Equal("404 NoSuchKey", (await store.SendAsync("GET", $"/{open}/half")).Error);
    }

    private async Task<Dictionary<string, string>> WrongAsync(string bucket)
    {
        await Task.CompletedTask;
        var now = TimeProvider.System.GetUtcNow();
        var headers = RunningStore.Headers(("x-amz-date", now.ToString("yyyyMMdd'T'HHmmss'Z'", null)), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
        headers["Authorization"] = Signer.Authorization("GET", new Uri(store.Address, $"/{bucket}?x-id=a"), "ADA", "another-secret", RunningStore.Region, now, headers, "UNSIGNED-PAYLOAD");
        return headers;
    }

    /// <summary>What comes back, until the other side closes or a moment has passed without more.</summary>
    private async Task<string> RawAsync(string head, string body, bool end = false)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, store.Address.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        var text = new StringBuilder();
        var buffer = new byte[4096];
        if (body.Length > 0 && head.Contains("100-continue", StringComparison.Ordinal))
            text.Append(Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer)));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(body));
        if (end)
            socket.Client.Shutdown(SocketShutdown.Send);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, enough.Token)) > 0)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, read));
                if (!head.Contains("Connection: close", StringComparison.Ordinal) && text.ToString().Contains("</Error>", StringComparison.Ordinal))
                    break;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // Closed.
        }
        return text.ToString();
    }
}
