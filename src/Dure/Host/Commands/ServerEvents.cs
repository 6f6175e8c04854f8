using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dure.Host.Commands;

/// <summary>One server-sent event.</summary>
/// <param name="Name"><c>status</c>, <c>log</c>, <c>end</c>, ...</param>
public sealed record ServerEvent(string Name, string Data, string? Id)
{
    /// <summary>The data as JSON; null when it is something else.</summary>
    public T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Data, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Reads a stream of server-sent events and takes it up where it stopped when the connection is lost.</summary>
public static class ServerEvents
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    /// <summary>The events until <c>end</c>. A problem that trying again will not mend is the last element.</summary>
    /// <param name="lost">Told once per lost connection.</param>
    public static async IAsyncEnumerable<Outcome<ServerEvent>> ReadAsync(
        DureClient client, string path, TimeProvider time, Action<string> lost, [EnumeratorCancellation] CancellationToken cancel)
    {
        string? last = null;
        var (delay, connected) = (FirstDelay, false);
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            if (last is not null)
            {
                request.Headers.TryAddWithoutValidation("Last-Event-ID", last);
            }

            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok && !(connected && sent.Problem.Kind.ExitCode == ExitCodes.Unavailable))
            {
                yield return sent.Problem;
                yield break;
            }

            if (sent.Ok)
            {
                connected = true;
                using var response = sent.Value;
                await foreach (var told in ReadOnceAsync(response, cancel))
                {
                    (last, delay) = (told.Id ?? last, FirstDelay);
                    yield return told;
                    if (told.Name == "end")
                    {
                        yield break;
                    }
                }

                lost("The connection was lost; taking it up again.");
            }

            await Task.Delay(delay, time, cancel);
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LongestDelay.Ticks));
        }
    }

    private static async IAsyncEnumerable<ServerEvent> ReadOnceAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancel)
    {
        var (name, id, data) = ("message", (string?)null, new StringBuilder());
        await using var lines = DureClient.ReadLinesAsync(response, cancel).GetAsyncEnumerator(cancel);
        while (await MovesAsync(lines))
        {
            var line = lines.Current;
            if (line.Length == 0)
            {
                if (data.Length > 0 || name != "message")
                {
                    yield return new ServerEvent(name, data.ToString(), id);
                }

                (name, id) = ("message", null);
                data.Clear();
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line.AsSpan(colon + 1).TrimStart(' ').ToString();
            switch (field)
            {
                case "event":
                    name = value;
                    break;
                case "id":
                    id = value;
                    break;
                case "data":
                    data.Append(data.Length > 0 ? "\n" : "").Append(value);
                    break;
            }
        }
    }

    private static async Task<bool> MovesAsync(IAsyncEnumerator<string> lines)
    {
        try
        {
            return await lines.MoveNextAsync();
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            return false;
        }
    }
}
