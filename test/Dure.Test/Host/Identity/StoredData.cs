using System.Text;
using Dure.Host.Data;
using Dure.Host.Live;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Identity;

/// <summary>A data folder with a migrated database, as the server would open it.</summary>
internal sealed class StoredData : IAsyncDisposable
{
    private readonly Scratch _scratch = new();

    private StoredData()
    {
    }

    public Database Database { get; private set; } = null!;

    public InProcessLive Live { get; } = new();

    public SetClock Clock { get; } = new();

    public string Folder => _scratch.Path;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<StoredData> OpenAsync()
    {
        var data = new StoredData();
        await data.OpenDatabaseAsync();
        return data;
    }

    /// <summary>Closes and opens the database, as a restart would.</summary>
    public async Task RestartAsync()
    {
        await Database.DisposeAsync();
        await OpenDatabaseAsync();
    }

    /// <summary>Loses the database but keeps the keys.</summary>
    public async Task LoseDatabaseAsync()
    {
        await Database.DisposeAsync();
        foreach (var file in Directory.GetFiles(Folder, "dure.db*"))
        {
            File.Delete(file);
        }
        await OpenDatabaseAsync();
    }

    /// <summary>Whether a text stands anywhere in the database's files.</summary>
    public bool DatabaseHolds(string text) => Directory.GetFiles(Folder, "dure.db*").Any(file =>
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
    });

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _scratch.Dispose();
    }

    private async Task OpenDatabaseAsync()
    {
        Database = await SqliteDatabase.OpenAsync(_scratch["dure.db"], Cancel);
        Assert.True((await Migrations.ApplyAsync(Database, Clock, Cancel)).Ok);
    }
}
