using System.Collections.Concurrent;
using System.Net;

namespace Dure.Test.Portal.Notifications;

/// <summary>What was posted to a <see cref="Receiver"/>.</summary>
internal sealed record Posted(string Body, string Signature, string Id, int Attempt);

/// <summary>A small receiver of webhooks. Answers with what the test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly HttpListener _http = new();
    private readonly Task _serving;

    public Receiver()
    {
        Url = $"http://127.0.0.1:{FreePort()}/";
        _http.Prefixes.Add(Url);
        _http.Start();
        _serving = ServeAsync();
    }

    public string Url { get; }

    public ConcurrentQueue<Posted> Got { get; } = new();

    public Func<Posted, int> Answer { get; set; } = _ => 200;

    public static int FreePort()
    {
        using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Close();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            var context = await _http.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream);
            var headers = context.Request.Headers;
            var got = new Posted(await reader.ReadToEndAsync(), headers["Dure-Signature"] ?? "", headers["Dure-Notification"] ?? "",
                int.Parse(headers["Dure-Delivery-Attempt"] ?? "0", System.Globalization.CultureInfo.InvariantCulture));
            context.Response.StatusCode = Answer(got);
            Got.Enqueue(got);
            context.Response.Close();
        }
    }
}
