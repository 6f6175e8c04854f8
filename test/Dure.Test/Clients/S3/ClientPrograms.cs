using Dure.Test.Processes;
using Dure.Test.Storage.Providers;
using Xunit;

namespace Dure.Test.Clients.S3;

/// <summary>S3 clients that none of us wrote, each told where the store is and how to sign.</summary>
internal sealed class ClientPrograms(StoreUnderTest store, string scheme, string home)
{
    private readonly string _address = store.Endpoint(scheme).GetLeftPart(UriPartial.Authority);

    private string[] Environment =>
    [
        "/usr/bin/env", "HOME=" + home, "AWS_ACCESS_KEY_ID=" + store.AccessKey, "AWS_SECRET_ACCESS_KEY=" + store.SecretKey, "AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=us-east-1",
        "AWS_EC2_METADATA_DISABLED=true", "AWS_CA_BUNDLE=" + store.Authority, "NODE_NO_WARNINGS=1", "RCLONE_LOG_LEVEL=ERROR", "NODE_EXTRA_CA_CERTS=" + store.Authority, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
        "RCLONE_CONFIG=" + Path.Combine(home, "rclone.conf"), "RCLONE_S3_PROVIDER=Other", "RCLONE_S3_ENDPOINT=" + _address, "RCLONE_S3_REGION=us-east-1",
        "RCLONE_S3_ACCESS_KEY_ID=" + store.AccessKey, "RCLONE_S3_SECRET_ACCESS_KEY=" + store.SecretKey, "RCLONE_CA_CERT=" + store.Authority, "RESTIC_PASSWORD=test", "RESTIC_CACHE_DIR=" + Path.Combine(home, "cache"),
    ];

    /// <summary>Puts a local file under a key with the named client.</summary>
    public Task PutAsync(string client, string file, string key, CancellationToken cancel) => client switch
    {
        "awscli" => RunAsync(cancel, "/usr/bin/aws", "--endpoint-url", _address, "s3", "cp", "--only-show-errors", file, $"s3://{StoreUnderTest.Bucket}/{key}"),
        "rclone" => RunAsync(cancel, "/usr/bin/env", "-u", "AWS_CA_BUNDLE", "/usr/bin/rclone", "copyto", file, $":s3:{StoreUnderTest.Bucket}/{key}"),
        "s3cmd" => RunAsync(cancel, ["/usr/bin/s3cmd", .. S3Cmd(), "--no-progress", "put", file, $"s3://{StoreUnderTest.Bucket}/{key}"]),
        "curl" => RunAsync(cancel, [.. Curl(), "-T", file, Url(key)]),
        "javascript" => NodeAsync(cancel, "put", StoreUnderTest.Bucket, key, file),
        _ => throw new ArgumentOutOfRangeException(nameof(client)),
    };

    /// <summary>Fetches a key into a local file with the named client.</summary>
    public Task GetAsync(string client, string key, string file, CancellationToken cancel) => client switch
    {
        "awscli" => RunAsync(cancel, "/usr/bin/aws", "--endpoint-url", _address, "s3", "cp", "--only-show-errors", $"s3://{StoreUnderTest.Bucket}/{key}", file),
        "rclone" => RunAsync(cancel, "/usr/bin/env", "-u", "AWS_CA_BUNDLE", "/usr/bin/rclone", "copyto", $":s3:{StoreUnderTest.Bucket}/{key}", file),
        "s3cmd" => RunAsync(cancel, ["/usr/bin/s3cmd", .. S3Cmd(), "--no-progress", "--force", "get", $"s3://{StoreUnderTest.Bucket}/{key}", file]),
        "curl" => RunAsync(cancel, [.. Curl(), "-o", file, Url(key)]),
        "javascript" => NodeAsync(cancel, "get", StoreUnderTest.Bucket, key, file),
        _ => throw new ArgumentOutOfRangeException(nameof(client)),
    };

    /// <summary>An address that the named client signed for a GET (or a PUT, where it can).</summary>
    public async Task<string> PresignAsync(string client, string method, string key, CancellationToken cancel) => (client switch
    {
        "awscli" => await RunAsync(cancel, "/usr/bin/aws", "--endpoint-url", _address, "s3", "presign", $"s3://{StoreUnderTest.Bucket}/{key}"),
        "rclone" => await RunAsync(cancel, "/usr/bin/env", "-u", "AWS_CA_BUNDLE", "/usr/bin/rclone", "link", $":s3:{StoreUnderTest.Bucket}/{key}", "--expire", "1h"),
        "s3cmd" => await RunAsync(cancel, ["/usr/bin/s3cmd", .. S3Cmd(), "signurl", $"s3://{StoreUnderTest.Bucket}/{key}", "+3600"]),
        "javascript" => await NodeAsync(cancel, "presign-" + method.ToLowerInvariant(), StoreUnderTest.Bucket, key, ""),
        _ => throw new ArgumentOutOfRangeException(nameof(client)),
    }).Split('\n', StringSplitOptions.RemoveEmptyEntries).Last(line => line.StartsWith("http", StringComparison.Ordinal)).Trim();

    /// <summary>Sends a pre-signed request with a client that knows nothing of S3.</summary>
    public Task SendAsync(string address, string? upload, string? download, CancellationToken cancel) =>
        RunAsync(cancel, ["/usr/bin/curl", "-sS", "--fail-with-body", "--cacert", store.Authority, .. upload is null ? (string[])["-o", download!] : ["-T", upload, "-H", "Content-Type:"], address]);

    /// <summary>Runs restic on a repository in the bucket.</summary>
    public Task<string> ResticAsync(CancellationToken cancel, params string[] words) =>
        RunAsync(cancel, ["/usr/bin/restic", "-q", "--cacert", store.Authority, "-r", $"s3:{_address}/{StoreUnderTest.Bucket}/restic-{scheme}", .. words]);

    private string Url(string key) => $"{_address}/{StoreUnderTest.Bucket}/{key}";

    private string[] Curl() =>
        ["/usr/bin/curl", "-sS", "--fail-with-body", "--cacert", store.Authority, "--aws-sigv4", "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--user", $"{store.AccessKey}:{store.SecretKey}"];

    private string[] S3Cmd()
    {
        var (authority, file) = (store.Endpoint(scheme).Authority, Path.Combine(home, "s3cfg"));
        File.WriteAllText(file, $"[default]\nsignurl_use_https = {(scheme == "https" ? "True" : "False")}\n");
        return
        [
            "-c", file, "--access_key=" + store.AccessKey, "--secret_key=" + store.SecretKey, "--region=us-east-1", "--host=" + authority, "--host-bucket=" + authority,
            scheme == "https" ? "--ssl" : "--no-ssl", "--ca-certs=" + store.Authority,
        ];
    }

    private async Task<string> NodeAsync(CancellationToken cancel, params string[] words) =>
        await RunAsync(cancel, ["node", Path.Combine(await ClientPackages.FolderAsync(cancel), "s3.mjs"), _address, .. words]);

    private async Task<string> RunAsync(CancellationToken cancel, params string[] words)
    {
        if (words.First(word => word is not ("/usr/bin/env" or "-u" or "AWS_CA_BUNDLE")) is ['/', ..] program && !File.Exists(program))
            Assert.Skip($"{program} is not installed; `dure setup --tests` installs it.");
        var (code, text) = await Child.RunAsync(cancel, [.. Environment, .. words]);
        Assert.True(code == 0, $"{string.Join(' ', words)} ended with {code}:\n{text}");
        return text;
    }
}
