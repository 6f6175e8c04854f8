using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dure.Fleet.Drill;
using Dure.Fleet.Drill.Clients;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Drill;

/// <summary>A client of a drill against a real Redis with a real sentinel, and against one that loses what it acknowledged.</summary>
public sealed class RedisWritesTest : IAsyncLifetime
{
    private const string Password = "s3cret";
    private readonly Scratch _scratch = new();
    private readonly List<Process> _started = [];
    private int _redis;
    private int _sentinel;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists("/usr/bin/redis-server"))
            return;
        (_redis, _sentinel) = (FreePort(), FreePort());
        Start("redis-server", "--port", Text(_redis), "--bind", "127.0.0.1", "--requirepass", Password, "--save", "", "--dir", _scratch.Path);
        await File.WriteAllTextAsync(_scratch["sentinel.conf"],
            $"port {Text(_sentinel)}\nbind 127.0.0.1\ndir {_scratch.Path}\nrequirepass {Password}\nsentinel monitor dure 127.0.0.1 {Text(_redis)} 1\nsentinel auth-pass dure {Password}\n", Cancel);
        Start("redis-server", _scratch["sentinel.conf"], "--sentinel");
        await UntilAsync(_redis);
        await UntilAsync(_sentinel);
    }

    [Fact]
    public async Task Every_acknowledged_key_is_read_back()
    {
        await using var client = await WrittenAsync("kept");
        var found = await client.ReadBackAsync(Cancel);
        var seen = Measurement.Of(client.Seen, 100, 0, 1000, found.Value);
        Assert.InRange(seen.Acknowledged, 3, 100);
        Assert.Empty(seen.Lost);
        Assert.True(client.Seen.All(request => request.Ok), client.Seen.FirstOrDefault(request => !request.Ok).Error);
    }

    [Fact]
    public async Task Keys_that_were_acknowledged_and_are_gone_are_lost()
    {
        await using var client = await WrittenAsync("gone");
        await using (var other = await RespConnection.OpenAsync(new(IPAddress.Loopback, _redis), Password, Cancel))
            await other.RunAsync(Cancel, "DEL", "dure-drill:gone:2");
        var seen = Measurement.Of(client.Seen, 100, 0, 1000, (await client.ReadBackAsync(Cancel)).Value);
        Assert.Equal([2], seen.Lost);
    }

    [Fact]
    public async Task What_Redis_refuses_is_told_in_its_words()
    {
        SkipWithoutRedis();
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => RespConnection.OpenAsync(new(IPAddress.Loopback, _redis), "wrong", Cancel));
        Assert.Contains("WRONGPASS", refused.Message, StringComparison.Ordinal);
        await using var redis = await RespConnection.OpenAsync(new(IPAddress.Loopback, _redis), Password, Cancel);
        Assert.Equal(["OK"], await redis.RunAsync(Cancel, "SET", "k", "a\r\nb"));
        Assert.Equal(["a\r\nb", null], await redis.RunAsync(Cancel, "MGET", "k", "none"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        _scratch.Dispose();
    }

    private static void SkipWithoutRedis() => Assert.SkipUnless(File.Exists("/usr/bin/redis-server"), "redis-server is not installed.");

    private async Task<RedisWrites> WrittenAsync(string run)
    {
        SkipWithoutRedis();
        var client = new RedisWrites([_sentinel], _ => [_redis], Password, replicas: 0, run, TimeProvider.System);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await client.RunAsync(TimeProvider.System.GetTimestamp(), stop.Token);
        return client;
    }

    private void Start(string program, params string[] words) =>
        _started.Add(Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true })!);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task UntilAsync(int port)
    {
        for (var i = 0; i < 200; i++)
        {
            try
            {
                await using var open = await RespConnection.OpenAsync(new(IPAddress.Loopback, port), Password, Cancel);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, Cancel);
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
