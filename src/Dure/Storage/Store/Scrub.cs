using System.Buffers;
using System.Security.Cryptography;
using Dure.Host.Data;

namespace Dure.Storage.Store;

/// <summary>One pass over contents: each is read whole and compared; a damaged one is replaced by good bytes where there are any.</summary>
internal sealed class Scrub(
    Database database, Contents contents, TimeProvider time, Func<string, CancellationToken, ValueTask<Stream?>> fetch, IProgress<ScrubReport>? progress, long bytesPerSecond)
{
    private const int Batch = 100;
    private readonly List<string> _unrepairable = [];
    private long _checked;
    private long _bytes;
    private long _corrupt;
    private long _repaired;
    private long _began;

    private sealed record Row(long Id, long Size, string Sha256, bool IsFile);

    private ScrubReport Report => new(_checked, _bytes, _corrupt, _repaired, [.. _unrepairable]);

    /// <param name="sql">Columns id, size, sha256, is_file of contents with ids above <c>$1</c>, <c>$2</c> at most, by id.</param>
    public async ValueTask<ScrubReport> RunAsync(string sql, CancellationToken cancel)
    {
        _began = time.GetTimestamp();
        var last = 0L;
        while (true)
        {
            var after = last;
            var rows = await database.ReadAsync(s => s.QueryAsync(sql, static row => new Row(row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3) != 0), after, Batch), cancel);
            if (rows.Count == 0)
                return Report;
            foreach (var row in rows)
                await LookAtAsync(row, cancel);
            last = rows[^1].Id;
            progress?.Report(Report);
        }
    }

    private async ValueTask LookAtAsync(Row row, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var good = await IsGoodAsync(row, cancel);
        _checked++;
        if (good)
        {
            await ClearAsync(row.Id);
            return;
        }
        // Removed meanwhile is not damaged.
        if (await contents.BytesAsync(row.Id, cancel) is null)
            return;
        _corrupt++;
        await contents.ReportAsync(row.Id);
        if (await RepairAsync(row, cancel))
            _repaired++;
        else
            _unrepairable.Add(row.Sha256);
    }

    private async ValueTask<bool> IsGoodAsync(Row row, CancellationToken cancel)
    {
        using var segments = new Segments(contents, [new Segment(row.Id, row.Size)], 0, row.Size, null, [], quiet: true);
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Segments.ChunkBytes);
        try
        {
            int count;
            while ((count = await segments.ReadAsync(buffer, cancel)) > 0)
            {
                sha256.AppendData(buffer, 0, count);
                _bytes += count;
                await SlowDownAsync(cancel);
            }
            return count == 0 && Convert.ToHexStringLower(sha256.GetHashAndReset()) == row.Sha256;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask SlowDownAsync(CancellationToken cancel)
    {
        if (bytesPerSecond <= 0)
            return;
        var ahead = TimeSpan.FromSeconds(_bytes / (double)bytesPerSecond) - time.GetElapsedTime(_began);
        if (ahead > TimeSpan.FromMilliseconds(20))
            await Task.Delay(ahead, time, cancel);
    }

    private async ValueTask<bool> RepairAsync(Row row, CancellationToken cancel)
    {
        try
        {
            await using var good = await fetch(row.Sha256, cancel);
            if (good is null)
                return false;
            var sums = row.IsFile ? await ReplaceFileAsync(row, good, cancel) : await ReplaceBytesAsync(row, good, cancel);
            if (!sums)
                return false;
            await ClearAsync(row.Id);
            return true;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            // The provider or the disk failed: it stays known as damaged.
            return false;
        }
    }

    private async ValueTask<bool> ReplaceFileAsync(Row row, Stream good, CancellationToken cancel)
    {
        var (path, file) = contents.Files.CreateIncoming();
        try
        {
            BlockSums? sums;
            using (file)
            {
                sums = await CopyAsync(row, good, file, cancel);
                if (sums is null)
                    return false;
                await Task.Run(() => RandomAccess.FlushToDisk(file), CancellationToken.None);
            }
            contents.Files.Replace(path, row.Id);
            await database.WriteAsync(s => s.ExecuteAsync("UPDATE contents SET crcs = $2 WHERE id = $1", row.Id, sums.ToArray()), cancel: CancellationToken.None);
            return true;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async ValueTask<BlockSums?> CopyAsync(Row row, Stream good, Microsoft.Win32.SafeHandles.SafeFileHandle file, CancellationToken cancel)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sums = new BlockSums();
        var buffer = ArrayPool<byte>.Shared.Rent(Segments.ChunkBytes);
        try
        {
            var length = 0L;
            while (await good.ReadAtLeastAsync(buffer.AsMemory(0, Segments.ChunkBytes), Segments.ChunkBytes, throwOnEndOfStream: false, cancel) is var count and > 0)
            {
                sha256.AppendData(buffer, 0, count);
                sums.Append(buffer.AsSpan(0, count));
                await RandomAccess.WriteAsync(file, buffer.AsMemory(0, count), length, cancel);
                length += count;
            }
            return length == row.Size && Convert.ToHexStringLower(sha256.GetHashAndReset()) == row.Sha256 ? sums : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<bool> ReplaceBytesAsync(Row row, Stream good, CancellationToken cancel)
    {
        var bytes = new byte[row.Size];
        var count = await good.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        if (count != bytes.Length || Convert.ToHexStringLower(SHA256.HashData(bytes)) != row.Sha256)
            return false;
        return await database.WriteAsync(s => s.ExecuteAsync("UPDATE contents SET bytes = $2, crcs = $3 WHERE id = $1", row.Id, bytes, BlockSums.Of(bytes)), cancel: CancellationToken.None) > 0;
    }

    private async ValueTask ClearAsync(long id)
    {
        if (await database.ReadAsync(s => s.ScalarAsync<long>("SELECT 1 FROM corrupt WHERE content_id = $1", id)) != 1)
            return;
        await database.WriteAsync(s => s.ExecuteAsync("DELETE FROM corrupt WHERE content_id = $1", id));
        contents.Repaired(id);
    }
}
