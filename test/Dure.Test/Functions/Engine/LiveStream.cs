using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Dure.Test.Functions.Engine;

/// <summary>An event of a live stream.</summary>
/// <param name="Id">The cursor; null where the event has none of its own.</param>
internal sealed record LiveEvent(string Name, string? Id, JsonNode Data, TimeSpan At);

/// <summary>Reads <c>/api/live</c> as a browser does.</summary>
internal sealed class LiveStream : IAsyncDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly Channel<LiveEvent> _events = Channel.CreateBounded<LiveEvent>(100_000);
    private readonly Task _reading;

    private LiveStream(HttpResponseMessage answer) => _reading = Task.Run(() => ReadAsync(answer), CancellationToken.None);

    /// <summary>The cursor of the last event that had one.</summary>
    public string? LastId { get; private set; }

    /// <summary>How the stream ended: null while it has not, true when it ended as it should.</summary>
    public bool? EndedWell { get; private set; }

    /// <summary>Completes when the stream has ended.</summary>
    public Task Ended => _reading;

    /// <summary>Opens one and waits for its first beat.</summary>
    public static async Task<LiveStream> OpenAsync(EngineClient client, string topics, CancellationToken cancel, string? after = null, string? lastEventId = null)
    {
        var path = $"/api/live?topics={Uri.EscapeDataString(topics)}{(after is null ? "" : "&after=" + Uri.EscapeDataString(after))}";
        var answer = await client.SendAsync(HttpMethod.Get, path, null, cancel, lastEventId is null ? [] : [("Last-Event-ID", lastEventId)]);
        if (!answer.IsSuccessStatusCode)
        {
            using (answer)
                throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}");
        }
        return new LiveStream(answer);
    }

    /// <summary>The next event.</summary>
    public async Task<LiveEvent> NextAsync(CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        return await _events.Reader.ReadAsync(patience.Token);
    }

    /// <summary>Reads on until an event is as wanted, and gives all up to that one.</summary>
    public async Task<List<LiveEvent>> UntilAsync(Func<LiveEvent, bool> wanted, CancellationToken cancel)
    {
        var all = new List<LiveEvent>();
        while (true)
        {
            all.Add(await NextAsync(cancel));
            if (wanted(all[^1]))
                return all;
        }
    }

    /// <summary>What has come and has not been read.</summary>
    public List<LiveEvent> Taken()
    {
        var all = new List<LiveEvent>();
        while (_events.Reader.TryRead(out var one))
            all.Add(one);
        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _reading;
        _over.Dispose();
    }

    private async Task ReadAsync(HttpResponseMessage answer)
    {
        var begun = TimeProvider.System.GetTimestamp();
        try
        {
            using (answer)
            {
                using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(_over.Token));
                string? name = null, id = null, data = null;
                while (await reader.ReadLineAsync(_over.Token) is { } line)
                {
                    if (line.StartsWith("event: ", StringComparison.Ordinal))
                        name = line[7..];
                    else if (line.StartsWith("id: ", StringComparison.Ordinal))
                        id = line[4..];
                    else if (line.StartsWith("data: ", StringComparison.Ordinal))
                        data = line[6..];
                    else if (line.Length == 0 && name is not null)
                    {
                        LastId = id ?? LastId;
                        await _events.Writer.WriteAsync(new LiveEvent(name, id, JsonNode.Parse(data!)!, TimeProvider.System.GetElapsedTime(begun)));
                        (name, id, data) = (null, null, null);
                    }
                }
                EndedWell = true;
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
            EndedWell = false;
        }
        _events.Writer.TryComplete();
    }
}
