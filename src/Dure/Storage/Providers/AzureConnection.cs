using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Dure.Host;
using Dure.Host.Configuration;

namespace Dure.Storage.Providers;

/// <summary>Sends signed requests to one container of Azure Blob, again where that may help, and says in Dure's words what came of it.</summary>
internal sealed class AzureConnection : IDisposable
{
    // A name such as a/../b must not be made shorter on its way.
    private static readonly UriCreationOptions Exact = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpClient _http;
    private readonly AzureSigning _signing;
    private readonly string _base;

    /// <exception cref="FormatException">The key is not base 64.</exception>
    public AzureConnection(ProviderOptions options, ProviderCredentials credentials, TimeProvider time)
    {
        (Options, Time) = (options, time);
        Endpoint = options.Endpoint ?? new Uri($"https://{options.Account}.blob.core.windows.net");
        _base = Endpoint.AbsoluteUri.TrimEnd('/') + "/" + options.Bucket;
        _signing = new AzureSigning(options.Account!, Convert.FromBase64String(credentials.SecretKey));
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = options.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseProxy = !Endpoint.IsLoopback,
            UseCookies = false,
            AllowAutoRedirect = false,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public ProviderOptions Options { get; }

    public TimeProvider Time { get; }

    public Uri Endpoint { get; }

    public string Name => Options.Name;

    /// <summary>The address of a blob, or of the container for an empty key.</summary>
    public Uri At(string key, string query = "") =>
        new(_base + (key.Length == 0 ? "" : "/" + Escape(Options.Prefix + key)) + (query.Length == 0 ? "" : "?" + query), Exact);

    /// <summary>The address of a blob with leave to use it until it expires.</summary>
    public Uri Signed(string key, string permissions, TimeSpan valid, string query = "") => At(
        key, (query.Length == 0 ? "" : query + "&") + _signing.Sas(Options.Bucket!, Options.Prefix + key, permissions, Time.GetUtcNow() + valid, Endpoint.Scheme is "https"));

    /// <summary>What may not be longer silent than configured.</summary>
    public Silence Listen(CancellationToken cancel) => new(Options.Timeout, Time, cancel);

    /// <summary>Sends until there is an answer that says something, and reads what it says.</summary>
    /// <param name="what">What is done to what, for the reader.</param>
    /// <param name="make">Makes the request anew for each try.</param>
    /// <param name="read">Reads a good answer, which it may keep when it says so by returning it.</param>
    public async Task<Outcome<T>> CallAsync<T>(string what, Func<Silence, HttpRequestMessage> make, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancel)
    {
        using var silence = Listen(cancel);
        var sent = await SendAsync(what, make, silence, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        using var response = sent.Value;
        try
        {
            return new Outcome<T>(await read(response, silence.Token));
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested && IsExpected(failure))
        {
            return Failed(what, failure);
        }
    }

    /// <summary>Sends until there is an answer that says something. The caller disposes it.</summary>
    public async Task<Outcome<HttpResponseMessage>> SendAsync(string what, Func<Silence, HttpRequestMessage> make, Silence silence, CancellationToken cancel)
    {
        for (var tried = 0; ; tried++)
        {
            try
            {
                using var request = make(silence);
                request.Headers.TryAddWithoutValidation("x-ms-version", AzureSigning.Version);
                _signing.Sign(request, Time.GetUtcNow());
                var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
                silence.Touch();
                if (response.IsSuccessStatusCode)
                {
                    return response;
                }

                if (!Retries.IsPassing(response.StatusCode) || tried + 1 >= Retries.TriesMax)
                {
                    using (response)
                    {
                        return Told(what, response);
                    }
                }

                response.Dispose();
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested && IsExpected(failure))
            {
                if (silence.Token.IsCancellationRequested || tried + 1 >= Retries.TriesMax)
                {
                    return Failed(what, failure);
                }
            }

            try
            {
                await Task.Delay(Retries.Pause(tried), Time, silence.Token);
            }
            catch (OperationCanceledException failure) when (!cancel.IsCancellationRequested)
            {
                return Failed(what, failure);
            }
        }
    }

    /// <summary>A request with metadata, a type, and the condition of a put.</summary>
    public static void Describe(HttpRequestMessage request, PutObject what, string? sha256)
    {
        foreach (var (name, value) in MetadataText.Of(what, sha256))
        {
            request.Headers.TryAddWithoutValidation("x-ms-meta-" + MetadataText.WriteIdentifier(name), MetadataText.Write(value));
        }

        if (what.ContentType is not null)
        {
            request.Headers.TryAddWithoutValidation("x-ms-blob-content-type", what.ContentType);
        }

        if (what.OnlyIfAbsent)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", "*");
        }
    }

    /// <summary>A body of a piece, with its MD5.</summary>
    public static StreamContent Body(Piece piece, byte[] md5, Silence silence) =>
        new(new PacedContent(piece.Buffer, piece.Count, silence)) { Headers = { ContentLength = piece.Count, ContentMD5 = md5, ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    public void Dispose() => _http.Dispose();

    private static bool IsExpected(Exception failure) =>
        failure is HttpRequestException or IOException or OperationCanceledException or System.Xml.XmlException;

    private static string Escape(string key)
    {
        var text = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(key))
        {
            text.Append(char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~' or (byte)'/'
                ? ((char)value).ToString()
                : "%" + value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    private Problem Failed(string what, Exception failure) => ProviderErrors.Unreachable.With($"{Name} ({Endpoint.Host}), {what}: " + (failure is OperationCanceledException
        ? $"no answer within {Options.Timeout.TotalSeconds:0.###} s."
        : (failure.InnerException ?? failure).Message));

    private Problem Told(string what, HttpResponseMessage response)
    {
        var code = response.Headers.TryGetValues("x-ms-error-code", out var codes) ? codes.First() : response.ReasonPhrase ?? "";
        var kind = response.StatusCode switch
        {
            HttpStatusCode.NotFound when code != "ContainerNotFound" => ProviderErrors.NoSuchObject,
            HttpStatusCode.PreconditionFailed => ProviderErrors.Exists,
            HttpStatusCode.Conflict when code is "BlobAlreadyExists" => ProviderErrors.Exists,
            HttpStatusCode.NotImplemented => ProviderErrors.NotSupported,
            HttpStatusCode.BadRequest when code is "Md5Mismatch" => ProviderErrors.BadContent,
            var status when Retries.IsPassing(status) => ProviderErrors.Unreachable,
            _ => ProviderErrors.Refused,
        };
        return kind.With($"{Name} ({Endpoint.Host}), {what}: {(int)response.StatusCode} {code}");
    }
}
