using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.S3;
using Dure.Test.Functions.Engine;

namespace Dure.Drill.Storage;

/// <summary>The storage of a running server, over its APIs only.</summary>
internal sealed class StoreServer(RunningServer server)
{
    /// <summary>Sends a request to the server's own API; fails the drill when it is refused.</summary>
    public async Task<JsonNode?> AskAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Url, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", server.Token);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await Http.Client.SendAsync(request, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {text}");
        // Long work answers in lines; the last one says how it ended.
        if (answer.Content.Headers.ContentType?.MediaType == "application/x-ndjson")
            text = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    /// <summary>A client of the store, signed in with a key of its own.</summary>
    public async Task<Func<AmazonS3Client>> ConnectAsync(CancellationToken cancel)
    {
        var session = await AskAsync(HttpMethod.Post, "/api/storage/session", null, cancel);
        var (id, secret, endpoint) = ((string)session!["access_key_id"]!, (string)session["secret_access_key"]!, (string)session["endpoint"]!);
        return () => new AmazonS3Client(new BasicAWSCredentials(id, secret), new AmazonS3Config
        {
            ServiceURL = endpoint,
            ForcePathStyle = true,
            AuthenticationRegion = "us-east-1",
            MaxErrorRetry = 0,
            Timeout = TimeSpan.FromSeconds(20),
        });
    }
}
