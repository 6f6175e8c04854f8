using Dure.Functions;
using Dure.Functions.Deploy;
using Dure.Functions.Dispatch;
using Dure.Functions.Retention;
using Dure.Functions.Usage;
using Dure.Functions.Worker;
using Dure.Host.Configuration;
using Dure.Host.Data;
using Dure.Host.Live;
using Dure.Storage;
using Dure.Test.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Functions.Retention;

/// <summary>Retention on a real database and a real blob folder, with a clock that the test sets.</summary>
public sealed class RetentionTest : IAsyncLifetime
{
    private readonly Scratch _scratch = new();
    private readonly SetClock _clock = new() { Now = TimeProvider.System.GetUtcNow() };
    private SqliteDatabase _database = null!;
    private InvocationStore _invocations = null!;
    private InvocationIdSource _ids = null!;
    private FunctionStore _functions = null!;
    private FolderBlobs _blobs = null!;
    private LogBook _logs = null!;
    private RetentionRun _retention = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await SqliteDatabase.OpenAsync(_scratch["dure.db"], Cancel);
        await Migrations.ApplyAsync(_database, _clock, Cancel);
        (_invocations, _ids, _functions) = (new InvocationStore(_database, _clock), new InvocationIdSource(_clock, 0, 0), new FunctionStore(_database, _clock));
        _blobs = FolderBlobs.Open(_scratch["blobs"], _clock);
        _logs = new LogBook(_scratch["logs"], 1 << 20, new InProcessLive(), _clock);
        var keep = new RetentionOptions(TimeSpan.FromDays(90), TimeSpan.FromDays(30), TimeSpan.FromDays(20), 2);
        _retention = new RetentionRun(new RetentionStore(_database), _blobs, _logs, new RetentionPlaces(_scratch.Path, keep, TimeSpan.FromHours(1), () => Task.CompletedTask),
            _clock, NullLogger<RetentionRun>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task What_is_old_goes_and_what_is_open_or_owes_a_callback_stays()
    {
        var version = (await DeployAsync(1)).Live!;
        var open = await InsertAsync(version, null);
        var owing = await InsertAsync(version, "http://127.0.0.1:1/");
        await FinishAsync(owing, null);
        var done = await InsertAsync(version, null);
        var result = (await _blobs.PutAsync(new MemoryStream(new byte[300]), 1000, Cancel)).Value;
        Directory.CreateDirectory(Path.GetDirectoryName(_logs.PathOf(done.Id))!);
        await File.WriteAllTextAsync(_logs.PathOf(done.Id), "a line\n", Cancel);
        await File.WriteAllTextAsync(UsageBook.PathOf(_logs, done.Id), "points", Cancel);
        await FinishAsync(done, new Payload(default, result.Digest, result.Length));
        await _database.WriteAsync(s => s.ExecuteAsync("UPDATE invocations SET log_bytes = 7 WHERE id = $1", done.Id), cancel: Cancel);

        Assert.Equal((0, 0, 0), Kinds(await _retention.RunAsync(false, Cancel)));
        _clock.Now += TimeSpan.FromDays(31);
        Assert.Equal((0, 1, 1), Kinds(await _retention.RunAsync(true, Cancel)));
        Assert.Equal((0, 1, 1), Kinds(await _retention.RunAsync(false, Cancel)));
        Assert.False(File.Exists(_logs.PathOf(done.Id)));
        Assert.False(File.Exists(UsageBook.PathOf(_logs, done.Id)));
        Assert.NotNull(await _blobs.HeadAsync(result.Digest, Cancel));
        _clock.Now += TimeSpan.FromHours(2);
        Assert.Equal(1, (await _retention.RunAsync(false, Cancel)).Blobs);
        Assert.Null(await _blobs.HeadAsync(result.Digest, Cancel));
        _clock.Now += TimeSpan.FromDays(60);
        Assert.Equal((1, 0, 0), Kinds(await _retention.RunAsync(false, Cancel)));
        Assert.Equal([open.Id, owing.Id], await _database.ReadAsync(static s => s.QueryAsync("SELECT id FROM invocations ORDER BY id", static r => r.GetInt64(0)), Cancel));
    }

    [Fact]
    public async Task Versions_beyond_those_kept_go_but_never_one_that_is_live_or_before_or_has_work()
    {
        var first = (await DeployAsync(1)).Live!;
        await InsertAsync(first, null);
        for (var n = 2; n <= 6; n++)
            await DeployAsync(n);
        var report = await _retention.RunAsync(false, Cancel);
        Assert.Equal(3, report.Versions);
        var left = Assert.Single(await _functions.LoadAsync(Cancel));
        Assert.Equal([6, 5, 1], left.Versions.Select(v => v.Number));
        Assert.True(Directory.Exists(_scratch["code", Digest(2)]));
        _clock.Now += TimeSpan.FromHours(2);
        Assert.Equal(3, (await _retention.RunAsync(false, Cancel)).Folders);
        Assert.False(Directory.Exists(_scratch["code", Digest(2)]));
        Assert.True(Directory.Exists(_scratch["code", Digest(1)]));
        Assert.Equal(6, (await DeployAsync(6)).Live!.Number);
        Assert.Equal(7, (await DeployAsync(2)).Live!.Number);
    }

    private static (long Invocations, long Results, long Logs) Kinds(RetentionReport report) => (report.Invocations, report.Results, report.Logs);

    private static string Digest(int n) => new((char)('a' + n - 1), 64);

    private async Task<Function> DeployAsync(int n)
    {
        var code = Directory.CreateDirectory(_scratch["code", Digest(n)]).FullName;
        var spec = new FunctionSettings().Resolve("python", "handler.handler", SandboxMode.Shim);
        return (await _functions.DeployAsync("f", "owner", new BuiltVersion(Digest(n), new string('0', 64), code, null, null, [], spec), 1, 0))!;
    }

    private async Task<ActiveInvocation> InsertAsync(FunctionVersion version, string? callback)
    {
        var invocation = new ActiveInvocation(_ids.Next(), version, "owner", _clock.Now, Payload.Of("{}"u8.ToArray()))
        {
            CallbackUrl = callback,
            Attempt = 1,
            State = InvocationState.Processing,
        };
        await _invocations.InsertAsync(invocation, "w1", 1, inline: false);
        return invocation;
    }

    private async Task FinishAsync(ActiveInvocation invocation, Payload? result) =>
        Assert.True(await _invocations.FinishAsync(invocation, AttemptEnd.Success, new Verdict(InvocationState.Success, null, null, 0, 0), result, TimeProvider.System.GetUtcNow(), inline: false));
}
