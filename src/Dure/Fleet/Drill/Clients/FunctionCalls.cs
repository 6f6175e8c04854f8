using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Model;
using Dure.Host;
using Dure.Host.Ssh;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Invocations of a function of its own, taken by the API through the virtual address. One is there when it has succeeded, whatever became of who took it.</summary>
internal sealed class FunctionCalls(DrillGround ground, Machine server, Uri front, string run)
    : DrillClient("functions", TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2), ground.Time)
{
    private const string Function = "dure-drill";
    private static readonly TimeSpan PrepareLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan FinishLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<long, string> _taken = new();
    private readonly HttpClient _http = new(HttpRequests.NewConnections()) { BaseAddress = front };
    private string? _tokenId;

    public override string What => $"POST {front}api/functions/{Function}/invocations";

    protected override bool Overlaps => true;

    // A token that invokes and reads, named after the drill; the function's code is the same each time, so the second drill finds it there.
    public override async Task<Problem?> PrepareAsync(CancellationToken cancel)
    {
        var said = await ground.RunAsync(server, $$"""
            set -e
            folder=$(mktemp -d)
            trap 'rm -rf "$folder"' EXIT
            printf 'def handler(event, context):\n    return event\n' > "$folder/{{Function}}.py"
            dure fn deploy "$folder/{{Function}}.py" --name {{Function}} --quiet >/dev/null
            dure token create {{Shell.Word("drill-" + run)}} --scope invoke read --expires-in-days 1 --format json
            """, PrepareLimit, cancel);
        if (!said.Ok)
            return said.Problem;
        if (said.Value.ExitCode != 0)
            return DrillErrors.NoClient.With($"functions: on {server.Name}: {said.Value.Text}");
        using var made = JsonDocument.Parse(said.Value.Text);
        _tokenId = made.RootElement.GetProperty("id").GetString();
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", made.RootElement.GetProperty("token").GetString());
        return null;
    }

    public override async Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel)
    {
        var found = new HashSet<long>();
        var began = Time.GetTimestamp();
        foreach (var (id, invocation) in _taken)
        {
            while (true)
            {
                var state = await StateAsync(invocation, cancel);
                if (state == "SUCCESS")
                    found.Add(id);
                if (state is not (null or "PENDING" or "PROCESSING") || Time.GetElapsedTime(began) > FinishLimit)
                    break;
                await Task.Delay(Look, Time, cancel);
            }
        }

        return new Outcome<IReadOnlySet<long>?>(found);
    }

    public override async Task CleanAsync(CancellationToken cancel) => await ground.RunAsync(server, $"""
        {(_tokenId is null ? "" : $"dure token revoke {Shell.Word(_tokenId)} --quiet")}
        dure fn delete {Function} --yes --quiet
        """, PrepareLimit, cancel);

    protected override ValueTask EndAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        var word = id.ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/functions/{Function}/invocations") { Content = new StringContent(word, Encoding.UTF8, "application/json") };
        request.Headers.Add("Prefer", "respond-async");
        request.Headers.Add("Idempotency-Key", $"{run}-{word}");
        using var answer = await _http.SendAsync(request, cancel);
        if (answer.StatusCode != HttpStatusCode.Accepted)
            return string.Create(CultureInfo.InvariantCulture, $"HTTP {(int)answer.StatusCode}");
        var taken = await answer.Content.ReadFromJsonAsync<JsonElement>(cancel);
        _taken[id] = taken.GetProperty("id").GetString()!;
        return null;
    }

    // Null when nobody could be asked.
    private async Task<string?> StateAsync(string invocation, CancellationToken cancel)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            using var answer = await _http.GetAsync(new Uri($"/api/invocations/{invocation}", UriKind.Relative), limit.Token);
            return answer.StatusCode == HttpStatusCode.NotFound ? "NOT FOUND"
                : answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>(limit.Token)).GetProperty("state").GetString() : null;
        }
        catch (Exception failure) when (IsExpected(failure) && !cancel.IsCancellationRequested)
        {
            return null;
        }
    }
}
