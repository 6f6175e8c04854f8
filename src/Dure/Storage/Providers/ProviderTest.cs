using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>How one step of a provider's test went.</summary>
/// <param name="State">ok, failed or skipped.</param>
/// <param name="Detail">Why it failed or was skipped, or what was measured; null when there is nothing to say.</param>
public sealed record ProviderTestStep(string Step, string State, double Seconds, string? Detail);

/// <summary>Proves a provider, step by step, with objects under a name of their own that are removed at the end. Every step is reported, also after one that failed.</summary>
/// <param name="throughputBytes">How much is sent and fetched to measure.</param>
public sealed class ProviderTest(IObjects objects, TimeProvider time, long throughputBytes = 32L << 20)
{
    private const int SmallBytes = 100_000;

    private static readonly TimeSpan AddressValid = TimeSpan.FromMinutes(5);

    private static readonly HttpClient Web = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    private readonly string _folder = $"dure-test/{Guid.CreateVersion7(time.GetUtcNow()):N}/";
    private readonly byte[] _small = RandomNumberGenerator.GetBytes(SmallBytes);
    private readonly List<string> _made = [];

    private string Small => _folder + "small file+ä";

    private string Large => _folder + "large";

    /// <summary>Runs the steps in their order.</summary>
    public async IAsyncEnumerable<ProviderTestStep> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var (hasObject, hasLarge) = (false, false);
        string? unreachable = null;
        (string Name, Func<bool> CanRun, Func<CancellationToken, Task<Said>> Run)[] steps =
        [
            ("put", () => true, PutAsync),
            ("head", () => hasObject, HeadAsync),
            ("get", () => hasObject, c => ReadsAsync(Small, 0, null, _small, c)),
            ("range", () => hasObject, c => ReadsAsync(Small, 1000, 5000, _small[1000..6000], c)),
            ("list", () => hasObject, ListAsync),
            ("copy", () => hasObject, CopyAsync),
            ("conditional put", () => hasObject, PutAgainAsync),
            ("multipart", () => true, c => UploadAsync(throughputBytes, c)),
            ("download", () => hasLarge, DownloadAsync),
            ("pre-signed GET", () => hasObject, GetByAddressAsync),
            ("pre-signed PUT", () => true, PutByAddressAsync),
            ("CORS", () => true, CorsAsync),
        ];
        foreach (var (name, canRun, run) in steps)
        {
            var began = time.GetTimestamp();
            var said = unreachable is not null ? Said.Skipped($"the provider cannot be reached: {unreachable}")
                : !canRun() ? Said.Skipped("a step before it, which it needs, failed")
                : await TryAsync(run, cancel);
            unreachable ??= said.Kind == ProviderErrors.Unreachable ? said.Detail : null;
            hasObject |= name is "put" && said.State is "ok";
            hasLarge |= name is "multipart" && said.State is "ok";
            yield return new(name, said.State, Seconds(began), said.Detail);
        }

        // Last, and always: what was made goes again.
        var removing = time.GetTimestamp();
        var removed = await TryAsync(DeleteAsync, cancel);
        yield return new("delete", removed.State, Seconds(removing), removed.Detail);
    }

    private static async Task<Said> TryAsync(Func<CancellationToken, Task<Said>> run, CancellationToken cancel)
    {
        try
        {
            return await run(cancel);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or HttpRequestException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return new("failed", failure.Message);
        }
    }

    private async Task<Said> PutAsync(CancellationToken cancel)
    {
        _made.Add(Small);
        var put = await objects.PutAsync(new PutObject(Small, new MemoryStream(_small), SmallBytes, null, "text/plain", new Dictionary<string, string>(StringComparer.Ordinal) { ["dure-test"] = "1" }), cancel);
        return put.Ok ? Said.Ok() : Said.Failed(put.Problem);
    }

    private async Task<Said> HeadAsync(CancellationToken cancel)
    {
        var head = await objects.HeadAsync(Small, cancel);
        return !head.Ok ? Said.Failed(head.Problem)
            : head.Value.Length != SmallBytes ? Said.Failed($"{head.Value.Length} bytes instead of {SmallBytes}")
            : !head.Value.Metadata.ContainsKey("dure-test") || !head.Value.Metadata.ContainsKey(MetadataText.Sha256) ? Said.Failed("the metadata did not come back")
            : Said.Ok();
    }

    private async Task<Said> ReadsAsync(string key, long offset, long? length, byte[] expected, CancellationToken cancel)
    {
        var opened = await objects.GetAsync(key, offset, length, cancel);
        if (!opened.Ok)
        {
            return Said.Failed(opened.Problem);
        }

        await using var stream = opened.Value;
        var content = new MemoryStream();
        await stream.CopyToAsync(content, cancel);
        return content.ToArray().AsSpan().SequenceEqual(expected) ? Said.Ok() : Said.Failed($"{content.Length} bytes came that are not the {expected.Length} that were put");
    }

    private async Task<Said> ListAsync(CancellationToken cancel)
    {
        var page = await objects.ListAsync(_folder, null, 10, cancel);
        return !page.Ok ? Said.Failed(page.Problem)
            : page.Value.Objects.Any(one => one.Key == Small && one.Length == SmallBytes) ? Said.Ok()
            : Said.Failed("what was put is not in the list");
    }

    private async Task<Said> CopyAsync(CancellationToken cancel)
    {
        _made.Add(_folder + "copy");
        var copied = await objects.CopyAsync(Small, _folder + "copy", cancel);
        return copied.Ok ? await ReadsAsync(_folder + "copy", 0, null, _small, cancel) : Said.Failed(copied.Problem);
    }

    private async Task<Said> PutAgainAsync(CancellationToken cancel)
    {
        var again = await objects.PutAsync(new PutObject(Small, new MemoryStream([1]), 1, OnlyIfAbsent: true), cancel);
        return again.Ok ? Said.Failed("the store replaced an object that it was asked not to replace; set conditional_put to false for it")
            : again.Problem.Kind == ProviderErrors.Exists ? Said.Ok()
            : Said.Failed(again.Problem);
    }

    private async Task<Said> UploadAsync(long bytes, CancellationToken cancel)
    {
        _made.Add(Large);
        await using var content = new PatternStream(bytes);
        var began = time.GetTimestamp();
        var put = await objects.PutAsync(new PutObject(Large, content, bytes), cancel);
        return put.Ok ? Said.Ok(Speed(bytes, began)) : Said.Failed(put.Problem);
    }

    private async Task<Said> DownloadAsync(CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var opened = await objects.GetAsync(Large, 0, null, cancel);
        if (!opened.Ok)
        {
            return Said.Failed(opened.Problem);
        }

        await using var stream = opened.Value;
        await stream.CopyToAsync(Stream.Null, 128 << 10, cancel);
        return Said.Ok(Speed(throughputBytes, began) + ", checksum compared");
    }

    private async Task<Said> GetByAddressAsync(CancellationToken cancel)
    {
        if (objects.Presign("GET", Small, AddressValid) is not { } address)
        {
            return Said.Skipped("this kind of provider has no addresses");
        }

        var content = await Web.GetByteArrayAsync(address, cancel);
        return content.AsSpan().SequenceEqual(_small) ? Said.Ok() : Said.Failed("other bytes came than were put");
    }

    private async Task<Said> PutByAddressAsync(CancellationToken cancel)
    {
        if (objects.Presign("PUT", _folder + "signed", AddressValid) is not { } address)
        {
            return Said.Skipped("this kind of provider has no addresses");
        }

        _made.Add(_folder + "signed");
        using var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = new ByteArrayContent(_small) };
        request.Headers.TryAddWithoutValidation("x-ms-blob-type", "BlockBlob");
        using var response = await Web.SendAsync(request, cancel);
        return response.IsSuccessStatusCode
            ? await ReadsAsync(_folder + "signed", 0, null, _small, cancel)
            : Said.Failed($"HTTP {(int)response.StatusCode} {response.ReasonPhrase}");
    }

    private async Task<Said> CorsAsync(CancellationToken cancel)
    {
        var rules = await objects.GetCorsAsync(cancel);
        if (!rules.Ok)
        {
            return Said.Skipped(rules.Problem.Detail);
        }

        var missing = CorsNeeds.Missing(rules.Value);
        return missing.Count == 0 ? Said.Ok()
            : Said.Skipped($"for pages of the web that fetch and upload, no rule allows all of: {string.Join("; ", missing)}");
    }

    private async Task<Said> DeleteAsync(CancellationToken cancel)
    {
        if (_made.Count == 0)
        {
            return Said.Skipped("nothing was made");
        }

        var deleted = await objects.DeleteAsync([.. _made, _folder + "never there"], cancel);
        if (!deleted.Ok)
        {
            return Said.Failed(deleted.Problem);
        }

        var left = await objects.ListAsync(_folder, null, 10, cancel);
        return !left.Ok ? Said.Failed(left.Problem) : left.Value.Objects.Count == 0 ? Said.Ok() : Said.Failed($"{left.Value.Objects.Count} objects are still listed");
    }

    private string Speed(long bytes, long began) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6 / Math.Max(Seconds(began), 0.001):0.0} MB/s");

    private double Seconds(long began) => Math.Round(time.GetElapsedTime(began).TotalSeconds, 3);

    private sealed record Said(string State, string? Detail, ErrorKind? Kind = null)
    {
        public static Said Ok(string? detail = null) => new("ok", detail);

        public static Said Skipped(string why) => new("skipped", why);

        public static Said Failed(string why) => new("failed", why);

        public static Said Failed(Problem problem) => new("failed", $"{problem.Kind.Id} {problem.Kind.Title}: {problem.Detail}", problem.Kind);
    }
}
