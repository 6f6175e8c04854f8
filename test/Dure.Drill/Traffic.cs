using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dure.Test.Functions.Engine;

namespace Dure.Drill;

/// <summary>A call that the server has acknowledged.</summary>
/// <param name="Number">The drill's own number: it is in the event and in the result.</param>
/// <param name="Answered">A synchronous call's result came back.</param>
internal sealed record Acknowledged(long Number, string Id, bool Answered);

/// <summary>Clients that call all the time, take refusals and broken connections as they come, and remember what they were told.</summary>
internal sealed class Traffic(EngineClient client, int seed)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    private long _number;

    /// <summary>Everything that was promised.</summary>
    public ConcurrentBag<Acknowledged> Promised { get; } = [];

    /// <summary>Calls that got no answer or a refusal: nothing was promised.</summary>
    public int Unanswered;

    /// <summary>What was answered wrongly.</summary>
    public ConcurrentBag<string> Wrong { get; } = [];

    /// <summary>Calls until cancelled.</summary>
    public Task RunAsync(int clients, CancellationToken cancel) => Task.WhenAll(Enumerable.Range(0, clients).Select(i => ClientAsync(new Random(seed * 31 + i), cancel)));

    private async Task ClientAsync(Random random, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref _number);
            var function = random.Next(3) == 0 ? "marked-node" : "marked-python";
            var body = string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{number}},"ms":{{(random.Next(8) == 0 ? random.Next(2500, 4000) : random.Next(20, 500))}}}""");
            var wait = random.Next(2) == 0;
            var key = random.Next(3) == 0 ? string.Create(CultureInfo.InvariantCulture, $"call-{number}") : null;
            var tries = key is null ? 1 : 4;
            while (tries-- > 0 && !await CallAsync(number, function, body, wait, key) && !cancel.IsCancellationRequested)
                await Task.Delay(Pause * 4, CancellationToken.None);
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task<bool> CallAsync(long number, string function, string body, bool wait, string? key)
    {
        using var limit = new CancellationTokenSource(Patience);
        List<(string, string)> headers = key is null ? [] : [("Idempotency-Key", key)];
        if (!wait)
            headers.Add(("Prefer", "respond-async"));
        try
        {
            using var answer = await client.InvokeAsync(function, body, limit.Token, [.. headers]);
            var text = await answer.Content.ReadAsStringAsync(limit.Token);
            if (!answer.IsSuccessStatusCode)
            {
                if ((int)answer.StatusCode is not (503 or 507 or 500 or 429))
                    Wrong.Add($"call {number} was answered {(int)answer.StatusCode}: {text}");
                Interlocked.Increment(ref Unanswered);
                return false;
            }
            Promised.Add(new Acknowledged(number, answer.Headers.GetValues("Dure-Invocation").Single(), wait));
            if (wait && (long?)JsonNode.Parse(text)?["twice"] != number * 2)
                Wrong.Add($"call {number} got {text}");
            return true;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            Interlocked.Increment(ref Unanswered);
            return false;
        }
    }
}
