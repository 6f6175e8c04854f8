using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dure.Host.Web;

namespace Dure.Host.Commands;

/// <summary>Speaks to a server: signs in, reads and writes JSON, turns what goes wrong into problems. One per run of the command line.</summary>
public sealed class DureClient(ServerEndpoint endpoint) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        UseProxy = !endpoint.Url.IsLoopback,
        UseCookies = false,
        AllowAutoRedirect = false,
    })
    {
        BaseAddress = endpoint.Url,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", endpoint.Token), UserAgent = { new ProductInfoHeaderValue("dure", DureVersion.Text) } },
    };

    public ServerEndpoint Endpoint => endpoint;

    public void Dispose() => _http.Dispose();

    /// <summary>Sends and reads the whole answer as JSON.</summary>
    public async Task<Outcome<T>> SendAsync<T>(HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        var sent = await SendAsync(request, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        using var response = sent.Value;
        return await ReadAsync(response, type, cancel);
    }

    public Task<Outcome<T>> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) => SendAsync(HttpMethod.Get, path, null, type, cancel);

    /// <summary>Sends where no answer is expected but that it worked.</summary>
    public async Task<Outcome<bool>> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        var sent = await SendAsync(request, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        sent.Value.Dispose();
        return true;
    }

    /// <summary>Sends and gives the answer once its headers are there. The caller disposes it.</summary>
    /// <returns>A successful answer, or the problem that the server told, or DURE0421.</returns>
    public async Task<Outcome<HttpResponseMessage>> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        }
        catch (HttpRequestException failure)
        {
            return Unreachable(failure);
        }
        catch (TaskCanceledException failure) when (!cancel.IsCancellationRequested)
        {
            return Unreachable(failure);
        }

        if ((int)response.StatusCode < 400)
        {
            return response;
        }

        using (response)
        {
            return await ReadProblemAsync(response, cancel);
        }
    }

    /// <summary>Every item of a list, page after page.</summary>
    /// <param name="path">With its query.</param>
    /// <param name="limit">Items at most.</param>
    public async Task<Outcome<IReadOnlyList<T>>> ListAsync<T>(string path, int limit, JsonTypeInfo<PageView<T>> type, CancellationToken cancel)
    {
        var items = new List<T>();
        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        string? cursor = null;
        do
        {
            var page = await GetAsync($"{path}{separator}limit={Math.Min(limit - items.Count, 1000)}"
                + (cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor)), type, cancel);
            if (!page.Ok)
            {
                return page.Problem;
            }

            items.AddRange(page.Value.Items);
            cursor = page.Value.Next;
        }
        while (cursor is not null && items.Count < limit);
        return items;
    }

    /// <summary>A body of JSON.</summary>
    public static HttpContent Json<T>(T value, JsonTypeInfo<T> type) =>
        new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>Reads an answer's whole body as JSON.</summary>
    public static async Task<Outcome<T>> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            return await JsonSerializer.DeserializeAsync(body, type, cancel) is { } value
                ? value
                : CommandErrors.BadAnswer.With($"{response.RequestMessage?.RequestUri} answered with nothing.");
        }
        catch (JsonException failure)
        {
            return CommandErrors.BadAnswer.With($"{response.RequestMessage?.RequestUri}: {failure.Message}");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return CommandErrors.Unreachable.With("The connection was lost while the answer came in: " + failure.Message);
        }
    }

    /// <summary>The lines of an answer that keeps coming.</summary>
    /// <exception cref="IOException">The connection was lost.</exception>
    public static async IAsyncEnumerable<string> ReadLinesAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        using var reader = new StreamReader(body, Encoding.UTF8);
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            yield return line;
        }
    }

    /// <summary>Reads an answer that keeps coming, one JSON object a line, until one of them is the result.</summary>
    /// <param name="take">Told each object; null to go on.</param>
    /// <param name="lost">What to say when the connection is lost, before its reason.</param>
    /// <param name="ended">What to say when the answer ends without a result.</param>
    public static async Task<Outcome<T>> ReadUntilAsync<TLine, T>(
        HttpResponseMessage response, JsonTypeInfo<TLine> type, Func<TLine, Outcome<T>?> take, string lost, string ended, CancellationToken cancel)
    {
        try
        {
            await foreach (var text in ReadLinesAsync(response, cancel))
            {
                if (JsonSerializer.Deserialize(text, type) is { } line && take(line) is { } result)
                    return result;
            }
        }
        catch (JsonException failure)
        {
            return CommandErrors.BadAnswer.With(failure.Message);
        }
        catch (IOException failure)
        {
            return CommandErrors.Unreachable.With(lost + failure.Message);
        }

        return CommandErrors.BadAnswer.With(ended);
    }

    /// <summary>A problem that an answer told in one of its lines.</summary>
    public static Problem ToProblem(ProblemView told) => CommandErrors.Told(told.Id, told.Title, told.Status, told.Remedy).With(told.Detail, told.Faults ?? []);

    /// <summary>A problem from its JSON; the status when the server did not say more.</summary>
    internal static Problem ToProblem(ToldProblem? told, int status)
    {
        var kind = CommandErrors.Told(told?.Id ?? $"HTTP {status}", told?.Title ?? ((HttpStatusCode)status).ToString(), status, told?.Remedy ?? "");
        var detail = told?.Detail ?? "";
        if (told?.Error is { } error)
        {
            detail = (told.Invocation is { } id ? $"Invocation {id}:\n" : "") + Explain(error.ErrorType, error.ErrorMessage, error.StackTrace);
        }

        return kind.With(detail, told?.Faults ?? []);
    }

    /// <summary>An error that a function's code raised, as its language would print it: the stack, then the error.</summary>
    public static string Explain(string? type, string? message, IReadOnlyList<string>? stack) => string.Join('\n',
        (stack ?? []).SelectMany(frame => frame.TrimEnd('\n').Split('\n')).Append(type is null ? message : $"{type}: {message}"));

    private static async Task<Problem> ReadProblemAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        if (response.Content.Headers.ContentType?.MediaType is not ("application/problem+json" or "application/json"))
        {
            return status is 401 ? CommandErrors.NoToken.With("The server does not know this token.") : ToProblem(null, status);
        }

        var view = await ReadAsync(response, HostJson.Default.ToldProblem, cancel);
        return view.Ok ? ToProblem(view.Value, status) : ToProblem(null, status);
    }

    private Problem Unreachable(Exception failure) =>
        CommandErrors.Unreachable.With($"{endpoint.Url.GetLeftPart(UriPartial.Authority)}: {failure.Message}");
}
