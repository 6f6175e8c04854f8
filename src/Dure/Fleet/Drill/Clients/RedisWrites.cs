using System.Globalization;
using System.Net;
using Dure.Host;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Keys that are set on the primary, which the sentinels are asked for. A write counts as acknowledged when one replica has it too.</summary>
/// <param name="sentinels">Where they are reached on the loopback address.</param>
/// <param name="ports">Where the Redis at an address of the fleet is reached on the loopback address, by several ways.</param>
/// <param name="replicas">How many must have a write; 0 where there is none.</param>
internal sealed class RedisWrites(IReadOnlyList<int> sentinels, Func<string, IReadOnlyList<int>> ports, string password, int replicas, string run, TimeProvider time)
    : DrillClient("redis", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), time)
{
    private const int SecondsKept = 7200;
    private RespConnection? _open;
    private int _way;
    private long _last;

    public override string What => "SET, then WAIT for a replica, on the primary that the sentinels name";

    public override async Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(TimeSpan.FromSeconds(10));
            try
            {
                return new Outcome<IReadOnlySet<long>?>(await FoundAsync(limit.Token));
            }
            catch (Exception failure) when (IsExpected(failure) && !cancel.IsCancellationRequested)
            {
                await CloseAsync();
                if (attempt == 5)
                    return DrillErrors.NoClient.With($"redis cannot be read back: {failure.Message}");
                await Task.Delay(TimeSpan.FromMilliseconds(300), Time, cancel);
            }
        }
    }

    protected override ValueTask EndAsync() => CloseAsync();

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        _last = Math.Max(_last, id);
        try
        {
            var redis = _open ??= await PrimaryAsync(cancel);
            await redis.RunAsync(cancel, "SET", Key(id), "1", "EX", SecondsKept.ToString(CultureInfo.InvariantCulture));
            if (replicas == 0)
                return null;
            var have = await redis.RunAsync(cancel, "WAIT", "1", "800");
            return have is [{ } count] && count != "0" ? null : "no replica has it";
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            await CloseAsync();
            throw;
        }
    }

    private string Key(long id) => string.Create(CultureInfo.InvariantCulture, $"dure-drill:{run}:{id}");

    private async Task<HashSet<long>> FoundAsync(CancellationToken cancel)
    {
        const int atOnce = 500;
        var redis = _open ??= await PrimaryAsync(cancel);
        var found = new HashSet<long>();
        for (long from = 1; from <= _last; from += atOnce)
        {
            List<long> ids = [.. Enumerable.Range(0, atOnce).Select(offset => from + offset).Where(id => id <= _last)];
            var values = await redis.RunAsync(cancel, ["MGET", .. ids.Select(Key)]);
            found.UnionWith(ids.Zip(values).Where(pair => pair.Second == "1").Select(pair => pair.First));
        }

        return found;
    }

    private async Task<RespConnection> PrimaryAsync(CancellationToken cancel)
    {
        Exception? last = null;
        for (var i = 0; i < sentinels.Count; i++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(TimeSpan.FromMilliseconds(500));
            try
            {
                var way = _way++;
                await using var sentinel = await RespConnection.OpenAsync(new(IPAddress.Loopback, sentinels[way % sentinels.Count]), password, limit.Token);
                var named = await sentinel.RunAsync(limit.Token, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "dure");
                if (named is not [{ } address, _])
                    throw new InvalidDataException("The sentinel knows no primary.");
                var ways = ports(address);
                return await RespConnection.OpenAsync(new(IPAddress.Loopback, ways[way % ways.Count]), password, limit.Token);
            }
            catch (Exception failure) when (IsExpected(failure) && !cancel.IsCancellationRequested)
            {
                last = failure;
            }
        }

        throw new IOException($"no sentinel leads to a primary: {last?.Message}");
    }

    private async ValueTask CloseAsync()
    {
        if (_open is { } open)
        {
            _open = null;
            await open.DisposeAsync();
        }
    }
}
