using System.Net;
using System.Net.Sockets;
using System.Text;
using Dure.Fleet.Cutover;
using Xunit;

namespace Dure.Test.Fleet.Cutover;

/// <summary>Asks real servers, on loopback.</summary>
public sealed class CutoverProbeTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_is_asked_for_the_name_and_one_that_is_off_says_why()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        using var probe = new CutoverProbe(TimeProvider.System);
        var asked = probe.AskAsync(url, "lab.example.org", Cancel);
        Assert.Contains("Host: lab.example.org", await AnswerAsync(listener, "302 Found"), StringComparison.Ordinal);
        Assert.Equal(302, (await asked).Status);
        listener.Stop();
        var off = await probe.AskAsync(url, "", Cancel);
        Assert.Null(off.Status);
        Assert.NotEmpty(off.Text);
    }

    [Fact]
    public async Task A_watch_counts_what_fails_and_remembers_the_last()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        using var probe = new CutoverProbe(TimeProvider.System);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var told = 0;
        var watching = probe.WatchAsync(url, TimeSpan.FromMinutes(1), seen => told = seen.Sent, enough.Token);
        await AnswerAsync(listener, "200 OK");
        await AnswerAsync(listener, "503 Service Unavailable");
        await AnswerAsync(listener, "404 Not Found");
        while (told < 3)
            await Task.Delay(10, Cancel);
        await enough.CancelAsync();
        var seen = await watching;
        Assert.Equal((3, 1), (seen.Sent, seen.Failed));
        Assert.Contains("503", seen.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_nowhere_leads_nowhere() => Assert.Empty(await CutoverProbe.ResolveAsync("nowhere.invalid", Cancel));

    private static async Task<string> AnswerAsync(TcpListener listener, string status)
    {
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        var stream = client.GetStream();
        var buffer = new byte[4096];
        var asked = Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer, Cancel));
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), Cancel);
        return asked;
    }
}
