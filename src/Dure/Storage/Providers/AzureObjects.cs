using System.Globalization;
using System.Net;
using Dure.Host;
using Dure.Host.Configuration;

namespace Dure.Storage.Providers;

/// <summary>Objects in a container of Azure Blob, by its REST protocol as Microsoft's "Blob service REST API" describes it. The container has to exist.</summary>
public sealed class AzureObjects : IObjects
{
    private const int PageMax = 5000;

    private static readonly TimeSpan CopyPause = TimeSpan.FromMilliseconds(250);

    private readonly AzureConnection _azure;

    /// <summary>Speaks to nobody yet.</summary>
    /// <exception cref="FormatException">The account's key is not base 64.</exception>
    public AzureObjects(ProviderOptions options, ProviderCredentials credentials, TimeProvider time) => _azure = new(options, credentials, time);

    /// <inheritdoc/>
    public string Name => _azure.Name;

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel) =>
        Check(what.Key) is { } wrong ? wrong : await new AzureUpload(_azure, what).RunAsync(cancel);

    /// <inheritdoc/>
    public async Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel)
    {
        if (Check(key) is { } wrong)
        {
            return wrong;
        }

        if (length == 0)
        {
            var head = await HeadAsync(key, cancel);
            return head.Ok ? Stream.Null : head.Problem;
        }

        var range = length is { } count
            ? string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-{offset + Math.Min(count, long.MaxValue - offset) - 1}")
            : offset > 0 ? string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-") : null;
        var silence = _azure.Listen(cancel);
        Outcome<HttpResponseMessage> sent;
        try
        {
            sent = await _azure.SendAsync("get " + key, _ =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, _azure.At(key));
                if (range is not null)
                {
                    request.Headers.TryAddWithoutValidation("x-ms-range", range);
                }

                return request;
            }, silence, cancel);
        }
        catch
        {
            silence.Dispose();
            throw;
        }

        if (!sent.Ok)
        {
            silence.Dispose();
            return sent.Problem.Detail.Contains(": 416 ", StringComparison.Ordinal) ? Stream.Null : sent.Problem;
        }

        var response = sent.Value;
        var bytes = response.Content.Headers.ContentLength ?? 0;
        var isWhole = offset == 0 && (response.Content.Headers.ContentRange is not { Length: { } total } || total == bytes);
        var sha256 = isWhole ? MetadataOf(response).GetValueOrDefault(MetadataText.Sha256) : null;
        return new ReceivedStream(await response.Content.ReadAsStreamAsync(cancel), $"{Name}: {key}", bytes, sha256, silence, _azure.Options.Timeout, response);
    }

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel) => Check(key) is { } wrong
        ? wrong
        : await _azure.CallAsync("look at " + key, _ => new HttpRequestMessage(HttpMethod.Head, _azure.At(key)), (response, _) => Task.FromResult(Facts(key, response)), cancel);

    /// <inheritdoc/>
    public Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel)
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"restype=container&comp=list&maxresults={Math.Min(limit, PageMax)}")
            + (_azure.Options.Prefix + prefix is { Length: > 0 } all ? "&prefix=" + Uri.EscapeDataString(all) : "")
            + (next is null ? "" : "&marker=" + Uri.EscapeDataString(next));
        return _azure.CallAsync("list " + prefix, _ => new HttpRequestMessage(HttpMethod.Get, _azure.At("", query)), async (response, token) =>
        {
            await using var body = await response.Content.ReadAsStreamAsync(token);
            return await AzureListing.ReadAsync(body, _azure.Options.Prefix.Length, token);
        }, cancel);
    }

    /// <inheritdoc/>
    public async Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel)
    {
        foreach (var key in keys)
        {
            var deleted = await _azure.CallAsync("delete " + key, _ =>
            {
                var request = new HttpRequestMessage(HttpMethod.Delete, _azure.At(key));
                request.Headers.TryAddWithoutValidation("x-ms-delete-snapshots", "include");
                return request;
            }, (_, _) => Task.FromResult(true), cancel);
            if (!deleted.Ok && deleted.Problem.Kind != ProviderErrors.NoSuchObject)
            {
                return deleted;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel)
    {
        if ((Check(from) ?? Check(to)) is { } wrong)
        {
            return wrong;
        }

        var begun = await _azure.CallAsync($"copy {from} to {to}", _ =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, _azure.At(to));
            request.Headers.TryAddWithoutValidation("x-ms-copy-source", _azure.At(from).AbsoluteUri);
            return request;
        }, (response, _) => Task.FromResult(CopyOf(response)), cancel);
        var heard = (Progress: "", At: _azure.Time.GetTimestamp());
        var state = begun;
        while (state is { Ok: true, Value.State: "pending" })
        {
            await Task.Delay(CopyPause, _azure.Time, cancel);
            state = await _azure.CallAsync("look at " + to, _ => new HttpRequestMessage(HttpMethod.Head, _azure.At(to)), (response, _) => Task.FromResult(CopyOf(response)), cancel);
            if (state.Ok && state.Value.Progress != heard.Progress)
            {
                heard = (state.Value.Progress, _azure.Time.GetTimestamp());
            }
            else if (_azure.Time.GetElapsedTime(heard.At) > _azure.Options.Timeout)
            {
                return ProviderErrors.Unreachable.With($"{Name}, copy {from} to {to}: nothing was copied within {_azure.Options.Timeout.TotalSeconds:0.###} s.");
            }
        }

        return !state.Ok ? state.Problem
            : state.Value.State is "success" or "" ? await HeadAsync(to, cancel)
            : ProviderErrors.Refused.With($"{Name}, copy {from} to {to}: {state.Value.State}");
    }

    /// <inheritdoc/>
    /// <remarks>Whoever PUTs has to send the header <c>x-ms-blob-type: BlockBlob</c>.</remarks>
    public Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null) => method.ToUpperInvariant() switch
    {
        "GET" or "HEAD" => _azure.Signed(key, "r", valid),
        "PUT" => _azure.Signed(key, "cw", valid),
        "DELETE" => _azure.Signed(key, "d", valid),
        _ => null,
    };

    /// <inheritdoc/>
    public Uri? PresignPart(string key, string upload, int part, TimeSpan valid) =>
        _azure.Signed(key, "cw", valid, "comp=block&blockid=" + Uri.EscapeDataString(AzureUpload.BlockId(upload, part)));

    /// <inheritdoc/>
    public Task<Outcome<string>> BeginPartsAsync(PutObject what, CancellationToken cancel) =>
        Task.FromResult<Outcome<string>>(Check(what.Key) is { } wrong ? wrong : AzureUpload.NewUpload());

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> CompletePartsAsync(PutObject what, string upload, IReadOnlyList<string> etags, CancellationToken cancel)
    {
        var completed = await new AzureUpload(_azure, what).CompleteAsync(upload, etags.Count, what.Length ?? 0, what.Sha256, cancel);
        return completed.Ok ? await HeadAsync(what.Key, cancel) : completed;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _azure.Dispose();
        return ValueTask.CompletedTask;
    }

    private static (string State, string Progress) CopyOf(HttpResponseMessage response) => (Header(response, "x-ms-copy-status"), Header(response, "x-ms-copy-progress"));

    private static string Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : "";

    private static Dictionary<string, string> MetadataOf(HttpResponseMessage response)
    {
        const string start = "x-ms-meta-";
        return response.Headers.Where(header => header.Key.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => MetadataText.ReadIdentifier(header.Key[start.Length..]), header => MetadataText.Read(string.Join(',', header.Value)), StringComparer.Ordinal);
    }

    private static ObjectFacts Facts(string key, HttpResponseMessage response)
    {
        var content = response.Content.Headers;
        return new(key, content.ContentLength ?? 0, response.Headers.ETag?.Tag, content.LastModified ?? DateTimeOffset.UnixEpoch, content.ContentType?.ToString(), MetadataOf(response));
    }

    // Azure makes a slash of it, and then it is another object.
    private Problem? Check(string key) => key.Contains('\\', StringComparison.Ordinal)
        ? ProviderErrors.BadKey.With($"{Name}: Azure has no backslashes in names: {key}")
        : ObjectKey.Check(Name, key, _azure.Options.Prefix);
}
