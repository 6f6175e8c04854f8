using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dure.Host.Files;

namespace Dure.Storage.Commands;

/// <summary>What is remembered of a transfer that may be interrupted.</summary>
/// <param name="Source">Full path, or endpoint and address.</param>
/// <param name="Size">Bytes of the source.</param>
/// <param name="Stamp">Of the source: when a file was changed last, the ETag of an object.</param>
/// <param name="PieceBytes">How it was cut.</param>
/// <param name="UploadId">Of an upload; null for a download.</param>
/// <param name="Done">Numbers of the pieces of a download that are in the file; an upload's are known to the store.</param>
public sealed record TransferState(string Source, string Target, long Size, string Stamp, long PieceBytes, string? UploadId = null, IReadOnlyList<int>? Done = null);

/// <summary>The small files in which interrupted transfers are remembered. Losing one costs sending again, nothing else.</summary>
internal sealed class TransferMemory(string folder, TimeProvider time)
{
    private static readonly TimeSpan RememberedFor = TimeSpan.FromDays(30);
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>In the user's cache.</summary>
    public static TransferMemory OfUser(TimeProvider time)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".cache");
        return new(Path.Combine(cache, "dure", "transfers"), time);
    }

    public TransferState? Find(string source, string target)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(source, target)), TransferJson.Default.TransferState);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    public void Keep(TransferState state)
    {
        try
        {
            Directory.CreateDirectory(folder);
            if (!File.Exists(PathOf(state.Source, state.Target)))
            {
                RemoveOld();
            }

            DurableFile.Write(PathOf(state.Source, state.Target), JsonSerializer.SerializeToUtf8Bytes(state, TransferJson.Default.TransferState), OwnerOnly);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Without a cache the transfer works, and begins anew when it is interrupted.
        }
    }

    public void Forget(TransferState state)
    {
        try
        {
            File.Delete(PathOf(state.Source, state.Target));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is about a source of this size and time: it harms nothing.
        }
    }

    /// <summary>What nobody went on with: the store has removed its parts by now.</summary>
    private void RemoveOld()
    {
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*.json"))
        {
            if (time.GetUtcNow() - file.LastWriteTimeUtc > RememberedFor)
            {
                file.Delete();
            }
        }
    }

    private string PathOf(string source, string target) =>
        Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source + "\0" + target)))[..32] + ".json");
}
