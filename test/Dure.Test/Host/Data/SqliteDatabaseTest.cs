using System.Buffers.Binary;
using System.Diagnostics;
using Dure.Host;
using Dure.Host.Data;
using Dure.Test.Contracts;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Data;

public sealed class SqliteDatabaseTest : DatabaseContract
{
    private const int LogHeaderBytes = 32;
    private const int FrameHeaderBytes = 24;

    private readonly Scratch _scratch = new();

    protected override string[] Address => ["sqlite", _scratch["dure.db"]];

    protected override async Task<Database> RestoreAsync(string backup) => await SqliteDatabase.OpenAsync(backup, Cancel);

    // The write-ahead log marks the last frame of each transaction.
    protected override async Task<long> TransactionsAsync(Database database)
    {
        await using var file = new FileStream(_scratch["dure.db-wal"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var log = new byte[file.Length];
        await file.ReadExactlyAsync(log, Cancel);
        var frame = FrameHeaderBytes + (int)BinaryPrimitives.ReadUInt32BigEndian(log.AsSpan(8));
        return Enumerable.Range(0, (log.Length - LogHeaderBytes) / frame)
            .Count(at => BinaryPrimitives.ReadUInt32BigEndian(log.AsSpan(LogHeaderBytes + at * frame + 4)) != 0);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task A_commit_is_flushed_before_it_is_acknowledged()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed.");
        await (await OpenWithNotesAsync()).DisposeAsync();
        string[] trace = ["/usr/bin/strace", "-f", "-y", "-e", "trace=fdatasync,fsync,pwrite64,write", "-o", _scratch["trace"]];
        await using var writer = Child.Start("write-rows", ["1", "0", .. Address], trace);
        await writer.LinesAsync(20, Cancel);
        await writer.KillInnerAsync(Cancel);
        var log = $"<{_scratch["dure.db-wal"]}>";
        var (unflushed, flushed, said) = (false, 0, 0);
        foreach (var call in await File.ReadAllLinesAsync(_scratch["trace"], Cancel))
        {
            if (call.Contains(log, StringComparison.Ordinal))
            {
                unflushed = call.Contains("pwrite64(", StringComparison.Ordinal);
                flushed += unflushed ? 0 : 1;
            }
            else if (call.Contains($", \"{said + 1}\\n\"", StringComparison.Ordinal))
            {
                said++;
                Assert.False(unflushed, $"{said} was acknowledged before it was flushed.");
                Assert.True(flushed >= said);
            }
        }
        Assert.InRange(said, 20, int.MaxValue);
    }

    [Fact]
    public async Task A_folder_may_have_any_name()
    {
        var folder = Directory.CreateDirectory(_scratch["what? 100% #1 ü&x=y"]).FullName;
        await using (var database = await SqliteDatabase.OpenAsync(Path.Combine(folder, "dure.db"), Cancel))
            await database.WriteAsync(s => s.ExecuteAsync("CREATE TABLE notes (id INTEGER)"), cancel: Cancel);
        Assert.NotEqual(0, new FileInfo(Path.Combine(folder, "dure.db")).Length);
    }

    [Fact]
    public async Task A_file_that_another_program_has_open_is_a_problem_and_one_that_the_server_has_is_closed_to_others()
    {
        var path = _scratch["held.db"];
        const string look = "import sqlite3,sys\ntry: sqlite3.connect(sys.argv[1],timeout=0.1).execute('SELECT count(*) FROM sqlite_master').fetchone(); print('seen',flush=True); sys.stdin.read()\nexcept sqlite3.OperationalError as e: print(e,flush=True)";
        await using (await SqliteDatabase.OpenAsync(path, Cancel))
            Assert.Equal("database is locked", await LookAsync(look, path, static () => Task.CompletedTask));
        Assert.Equal("seen", await LookAsync(look, path, async () =>
        {
            var taken = await SqliteDatabase.TakeAsync(path, Cancel);
            Assert.False(taken.Ok);
            Assert.Equal(HostErrors.DatabaseHeld.Id, taken.Problem.Kind.Id);
        }));
        var after = await SqliteDatabase.TakeAsync(path, Cancel);
        Assert.True(after.Ok);
        await after.Value.DisposeAsync();
    }

    private static async Task<string?> LookAsync(string code, string path, Func<Task> meanwhile)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", code, path]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        var said = await python.StandardOutput.ReadLineAsync(Cancel);
        await meanwhile();
        python.StandardInput.Close();
        await python.WaitForExitAsync(Cancel);
        return said;
    }
}
