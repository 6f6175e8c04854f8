using System.Security.Cryptography;
using Dure.Functions;
using Dure.Functions.Copies;
using Dure.Functions.Deploy;
using Dure.Functions.Dispatch;
using Dure.Functions.Retention;
using Dure.Functions.Worker;
using Dure.Host.Data;
using Dure.Storage;
using Dure.Storage.Providers;
using Dure.Storage.Replication;
using Dure.Test.Processes;
using Dure.Test.Storage.Replication;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Functions.Copies;

/// <summary>Functions' rows, their outbox and a provider, all real.</summary>
public sealed class FunctionCopiesTest : IAsyncLifetime
{
    private readonly Scratch _scratch = new();
    private readonly List<Lab> _labs = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var lab in _labs)
            await lab.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task A_success_and_what_it_owes_the_provider_are_one_transaction()
    {
        var lab = await OpenAsync("one");
        var version = await lab.DeployAsync("f");
        var large = (await lab.Blobs.PutAsync(new MemoryStream(new byte[300]), 1000, Cancel)).Value;
        var (inline, blob) = (await lab.InsertAsync(version), await lab.InsertAsync(version));
        var before = await lab.PendingAsync();
        Assert.True(await lab.FinishAsync(inline, Payload.Of("42"u8.ToArray())));
        Assert.True(await lab.FinishAsync(blob, new Payload(default, large.Digest, large.Length)));
        Assert.Equal([ReplicaKeys.Result("f", InvocationId.Format(inline.Id)), large.Digest, ReplicaKeys.Result("f", InvocationId.Format(blob.Id))], (await lab.PendingAsync()).Skip(before.Count), StringComparer.Ordinal);

        // Fenced off: neither.
        Assert.False(await lab.FinishAsync(inline, Payload.Of("43"u8.ToArray())));
        // Refused by the database: neither.
        await lab.Database.WriteAsync(static s => s.ExecuteAsync("CREATE TRIGGER refuse BEFORE INSERT ON replication BEGIN SELECT RAISE(ABORT, 'no'); END"), cancel: Cancel);
        var refused = await lab.InsertAsync(version);
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => lab.FinishAsync(refused, Payload.Of("44"u8.ToArray())));
        Assert.Equal(1, await lab.Database.ReadAsync(s => s.ScalarAsync<long>("SELECT state FROM invocations WHERE id = $1", refused.Id), Cancel));
        Assert.Equal(before.Count + 3, (await lab.PendingAsync()).Count);
    }

    [Fact]
    public async Task Without_a_provider_nothing_is_owed()
    {
        var lab = await OpenAsync("one", functions: false);
        Assert.Null(FunctionCopies.Of(null));
        Assert.Null(FunctionCopies.Of(lab.Service));
        var version = await lab.DeployAsync("f");
        await lab.FinishAsync(await lab.InsertAsync(version), Payload.Of("42"u8.ToArray()));
        Assert.Empty(await lab.PendingAsync());
    }

    [Fact]
    public async Task Failures_owe_nothing_and_retention_leaves_what_is_owed()
    {
        var lab = await OpenAsync("one");
        var version = await lab.DeployAsync("f");
        var before = await lab.PendingAsync();
        await lab.Invocations.FinishAsync(await lab.InsertAsync(version), new AttemptEnd(AttemptOutcome.Error, "no", null), new Verdict(InvocationState.Failed, null, "no", 1, 0), null, Lab.Now, inline: false);
        Assert.Equal(before, await lab.PendingAsync());
        var blob = (await lab.Blobs.PutAsync(new MemoryStream(new byte[300]), 1000, Cancel)).Value;
        var done = await lab.InsertAsync(version);
        await lab.FinishAsync(done, new Payload(default, blob.Digest, blob.Length));
        var retention = new RetentionStore(lab.Database);
        await retention.DeleteAsync([done.Id]);
        Assert.Contains(blob.Digest, (await retention.ReferencesAsync(0, Cancel)).Blobs);
        await lab.ReplicateAsync();
        Assert.DoesNotContain(blob.Digest, (await retention.ReferencesAsync(0, Cancel)).Blobs);
    }

    [Fact]
    public async Task What_the_rows_say_later_is_what_was_sent()
    {
        var lab = await OpenAsync("one");
        await FillAsync(lab);
        await lab.ReplicateAsync();
        var report = await lab.VerifyAsync();
        Assert.Equal((0, report.Objects), (report.Faults, report.Read));
        Assert.Equal(8, report.Objects);
    }

    [Fact]
    public async Task Restore_on_an_empty_folder_gives_every_byte_back_and_may_be_run_again()
    {
        var lab = await OpenAsync("one");
        var results = await FillAsync(lab);
        await lab.ReplicateAsync();

        var again = await OpenAsync("two");
        var dry = await again.RestoreAsync(dryRun: true);
        Assert.Equal((5, 0), (dry.Restored, dry.Failed));
        Assert.Empty(await again.Functions.LoadAsync(Cancel));
        var report = await again.RestoreAsync(dryRun: false);
        Assert.Equal((5, 0, 0), (report.Restored, report.Known, report.Failed));
        var functions = await again.Functions.LoadAsync(Cancel);
        Assert.Equal(["f", "g"], functions.Select(function => function.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var version in functions.SelectMany(function => function.Versions))
            Assert.Equal(version.Built.SourceBlob, await DigestAsync(again, version.Built.SourceBlob));
        foreach (var (id, bytes) in results)
            Assert.Equal(bytes, await again.ResultAsync(id));
        Assert.Equal((0, 5, 0), (await again.RestoreAsync(dryRun: false)) is var second ? (second.Restored, second.Known, second.Failed) : default);
        Assert.Equal(0, (await again.VerifyAsync()).Faults);
    }

    [Fact]
    public async Task A_result_of_a_function_that_is_not_there_is_kept_as_a_file()
    {
        var lab = await OpenAsync("one");
        var results = await FillAsync(lab);
        await lab.ReplicateAsync();
        foreach (var key in lab.Folder.Keys().Where(key => key.StartsWith("sources/", StringComparison.Ordinal)))
            await lab.Folder.DeleteAsync([key], Cancel);
        var again = await OpenAsync("two");
        Assert.Equal((3, 0), (await again.RestoreAsync(dryRun: false)) is var report ? (report.Restored, report.Failed) : default);
        foreach (var (id, bytes) in results)
            Assert.Equal(bytes, await File.ReadAllBytesAsync(Directory.GetFiles(Path.Combine(again.Data, "restored", "results"), InvocationId.Format(id) + ".result", SearchOption.AllDirectories).Single(), Cancel));
        Assert.Equal((0, 3), (await again.RestoreAsync(dryRun: false)) is var second ? (second.Restored, second.Known) : default);
    }

    [Fact]
    public async Task A_damaged_copy_is_not_restored_and_is_named()
    {
        var lab = await OpenAsync("one");
        var results = await FillAsync(lab);
        await lab.ReplicateAsync();
        var large = results.Single(result => result.Bytes.Length > 100);
        await Bench.FlipAsync(lab.Folder.PathOf(ReplicaKeys.Blob(Convert.ToHexStringLower(SHA256.HashData(large.Bytes)))));
        var again = await OpenAsync("two");
        var report = await again.RestoreAsync(dryRun: false);
        Assert.Equal((4, 1), (report.Restored, report.Failed));
        Assert.Null(await again.ResultAsync(large.Id));
    }

    [Fact]
    public async Task In_mode_both_a_result_waits_until_the_provider_has_confirmed()
    {
        var lab = await OpenAsync("one", both: true);
        var version = await lab.DeployAsync("f");
        var invocation = await lab.InsertAsync(version);
        lab.Second.Fault = (_, _) => ProviderErrors.Unreachable.With("second: down");
        var waiting = new TaskCompletionSource<string>();
        var confirmed = lab.Copies!.ConfirmAsync(invocation, Payload.Of("42"u8.ToArray()), Lab.Now, provider =>
        {
            waiting.SetResult(provider);
            return Task.CompletedTask;
        }, Cancel);
        Assert.Equal("second", await waiting.Task.WaitAsync(Cancel));
        Assert.False(confirmed.IsCompleted);
        lab.Second.Fault = (_, _) => null;
        await confirmed.WaitAsync(Cancel);
        Assert.Contains(ReplicaKeys.Result("f", InvocationId.Format(invocation.Id)), lab.Folder.Keys(), StringComparer.Ordinal);
        var before = await lab.PendingAsync();
        Assert.True(await lab.FinishAsync(invocation, Payload.Of("42"u8.ToArray()), confirmed: true));
        Assert.Equal(before, await lab.PendingAsync());
    }

    // Two functions and three results: one small, one large, one empty. Five things, of which three have bytes of their own.
    private static async Task<List<(long Id, byte[] Bytes)>> FillAsync(Lab lab)
    {
        var results = new List<(long Id, byte[] Bytes)>();
        foreach (var (name, bytes) in new[] { ("f", "42"u8.ToArray()), ("g", Bench.Some(3000)), ("g", Array.Empty<byte>()) })
        {
            var invocation = await lab.InsertAsync(await lab.DeployAsync(name));
            var payload = bytes.Length <= 100 ? Payload.Of(bytes) : (await lab.Blobs.PutAsync(new MemoryStream(bytes), 10_000, Cancel)).Value is var blob ? new Payload(default, blob.Digest, blob.Length) : default;
            Assert.True(await lab.FinishAsync(invocation, payload));
            results.Add((invocation.Id, bytes));
        }
        return results;
    }

    private static async Task<string> DigestAsync(Lab lab, string digest)
    {
        await using var stream = await lab.Blobs.OpenAsync(digest, Cancel);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream!, Cancel));
    }

    private async Task<Lab> OpenAsync(string name, bool functions = true, bool both = false)
    {
        var lab = await Lab.OpenAsync(_scratch[name], _scratch["second"], functions, both);
        _labs.Add(lab);
        return lab;
    }

    /// <summary>A data folder with all that copies of functions need.</summary>
    private sealed class Lab : IAsyncDisposable
    {
        private readonly InvocationIdSource _ids = new(TimeProvider.System, 0, 0);

        private Lab(SqliteDatabase database, string data, string second, bool functions, bool both)
        {
            (Database, Data) = (database, data);
            Blobs = FolderBlobs.Open(Path.Combine(data, "blobs"), TimeProvider.System);
            Folder = new PlainFolder("second", second);
            Second = new FaultyObjects(Folder);
            Service = new ReplicationService([new ReplicaTarget(Second, new ProviderHealth(TimeProvider.System), functions, both)], new OutboxStore(database, TimeProvider.System), Bench.Quick, TimeProvider.System,
                NullLogger<ReplicationService>.Instance);
            Copies = FunctionCopies.Of(Service);
            (Invocations, Functions) = (new InvocationStore(database, TimeProvider.System, Copies), new FunctionStore(database, TimeProvider.System, data, Copies));
            Service.Add(new FunctionOriginals(Service.Store, new CopyStore(database, Copies?.Providers ?? []), Functions, Blobs, () => Task.CompletedTask));
        }

        public SqliteDatabase Database { get; }

        public string Data { get; }

        public FolderBlobs Blobs { get; }

        public PlainFolder Folder { get; }

        public FaultyObjects Second { get; }

        public ReplicationService Service { get; }

        public FunctionCopies? Copies { get; }

        public InvocationStore Invocations { get; }

        public FunctionStore Functions { get; }

        public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

        public static async Task<Lab> OpenAsync(string data, string second, bool functions, bool both)
        {
            Directory.CreateDirectory(data);
            var database = await SqliteDatabase.OpenAsync(Path.Combine(data, "dure.db"), Cancel);
            await Migrations.ApplyAsync(database, TimeProvider.System, Cancel);
            return new Lab(database, data, second, functions, both);
        }

        public async Task<FunctionVersion> DeployAsync(string name)
        {
            var source = (await Blobs.PutAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes("source of " + name)), 1000, Cancel)).Value;
            var spec = new FunctionSettings().Resolve("python", "handler.handler", SandboxMode.Shim);
            var built = new BuiltVersion(source.Digest, source.Digest, Path.Combine(Data, "code", source.Digest), null, null, [], spec);
            return (await Functions.DeployAsync(name, "owner", built, source.Length, 0))!.Live!;
        }

        public async Task<ActiveInvocation> InsertAsync(FunctionVersion version)
        {
            var invocation = new ActiveInvocation(_ids.Next(), version, "owner", Now, Payload.Of("{}"u8.ToArray())) { Attempt = 1, State = InvocationState.Processing };
            await Invocations.InsertAsync(invocation, "w1", 1, inline: false);
            return invocation;
        }

        public async Task<bool> FinishAsync(ActiveInvocation invocation, Payload result, bool confirmed = false) =>
            await Invocations.FinishAsync(invocation, AttemptEnd.Success, new Verdict(InvocationState.Success, null, null, 0, 0), result, Now, inline: false, confirmed);

        public async Task<List<string>> PendingAsync() => await Database.ReadAsync(static s => s.QueryAsync("SELECT name FROM replication ORDER BY id", static r => r.GetString(0)), Cancel);

        public async Task ReplicateAsync()
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var running = Service.RunAsync(stop.Token);
            while ((await PendingAsync()).Count > 0)
                await Task.Delay(10, Cancel);
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public async Task<VerifyReport> VerifyAsync() => await ReportAsync(lines => new Reconciliation(Service, Data, TimeProvider.System).VerifyAsync("second", full: true, lines, Cancel), line => line.Verify);

        public async Task<RestoreReport> RestoreAsync(bool dryRun) => await ReportAsync(lines => new Reconciliation(Service, Data, TimeProvider.System).RestoreAsync("second", dryRun, lines, Cancel), line => line.Restore);

        public async Task<byte[]?> ResultAsync(long id)
        {
            var row = await Database.ReadAsync(s => s.FirstAsync("SELECT result_blob, result FROM invocations WHERE id = $1",
                static r => (Blob: r.IsDBNull(0) ? null : r.GetString(0), Inline: r.IsDBNull(1) ? null : r.GetFieldValue<byte[]>(1)), id), Cancel);
            if (row.Blob is null)
                return row.Inline;
            await using var stream = await Blobs.OpenAsync(row.Blob, Cancel);
            var kept = new MemoryStream();
            await stream!.CopyToAsync(kept, Cancel);
            return kept.ToArray();
        }

        public async ValueTask DisposeAsync()
        {
            Service.Dispose();
            await Database.DisposeAsync();
        }

        private static async Task<T> ReportAsync<T>(Func<StorageLines, Task<Dure.Host.Problem?>> work, Func<StorageLine, T?> pick)
            where T : class
        {
            T? report = null;
            Assert.Null(await work(new StorageLines(line =>
            {
                report ??= pick(line);
                return default;
            })));
            return report!;
        }
    }
}
