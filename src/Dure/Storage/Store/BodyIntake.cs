using System.Buffers;
using System.Security.Cryptography;
using Dure.Host.Files;
using Dure.Storage.Checksums;
using Dure.Storage.Signing;

namespace Dure.Storage.Store;

/// <summary>
/// Takes bodies in: counts, hashes, compares with what the client claims. Small ones stay in memory for the database, hashed on the
/// spot; larger ones are on the disk, flushed, when it answers.
/// </summary>
internal sealed class BodyIntake(DataFiles files, Ids ids, int inlineMax)
{
    private readonly PieceBudget _budget = new();

    /// <summary>The content, or what is wrong with it; then nothing of it is left.</summary>
    public async ValueTask<Stored<Content>> TakeAsync(IncomingBody body, CancellationToken cancel)
    {
        var known = body.Length is { } length && length <= inlineMax;
        // One byte more than may come, to see that no more comes.
        var rented = ArrayPool<byte>.Shared.Rent((known ? (int)body.Length!.Value : body.Length is null ? inlineMax : 0) + 1);
        var kept = false;
        try
        {
            var most = known ? (int)body.Length!.Value : inlineMax;
            var (count, fault) = body.Length is null || known ? await FillAsync(body.Body, rented.AsMemory(0, most + 1), cancel) : (0, null);
            if (fault is not null)
                return fault.Value;
            if (known && count != most)
                return StoreFault.IncompleteBody;
            if (body.Length > inlineMax || count > inlineMax)
                return await TakeFileAsync(body, rented.AsMemory(0, count), cancel);
            var content = Hash(body, rented, count);
            fault = Fault(body, content);
            if (fault is not null)
                return fault.Value;
            kept = true;
            return content.Holding(rented);
        }
        finally
        {
            if (!kept)
                ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Undoes a take whose row was refused.</summary>
    public void Discard(Content content)
    {
        if (content.FileId != 0)
            files.Delete(content.FileId);
    }

    /// <summary>Reads until the buffer is full or the body ends.</summary>
    internal static async ValueTask<(int Count, StoreFault? Fault)> FillAsync(Stream body, Memory<byte> into, CancellationToken cancel)
    {
        var count = 0;
        try
        {
            while (count < into.Length && await body.ReadAsync(into[count..], cancel) is var read and > 0)
                count += read;
            return (count, null);
        }
        catch (BrokenBodyException broken)
        {
            return (count, broken.Fault);
        }
        catch (InvalidDataException)
        {
            // The body is an object of this store, and damaged.
            return (count, StoreFault.Corrupt);
        }
        catch (IOException)
        {
            return (count, StoreFault.IncompleteBody);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // The connection went away.
            return (count, StoreFault.IncompleteBody);
        }
    }

    private static StoreFault? Fault(IncomingBody body, Content content)
    {
        if (body.Length is { } length && length != content.Size)
            return StoreFault.IncompleteBody;
        if (body.Md5 is { } md5 && !md5.AsSpan().SequenceEqual(content.Md5))
            return StoreFault.BadDigest;
        return body.Verify(new ComputedChecksums(content.Size, content.Md5, Convert.FromHexString(content.Sha256), content.Values));
    }

    private static Content Hash(IncomingBody body, byte[] buffer, int count)
    {
        var bytes = buffer.AsSpan(0, count);
        Span<byte> sha256 = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, sha256);
        IReadOnlyDictionary<ChecksumKind, string> values = EmptyValues.Instance;
        if (body.Compute.Count > 0)
        {
            using var set = new ChecksumSet(body.Compute);
            set.Append(bytes);
            values = set.Values(sha256);
        }
#pragma warning disable CA5351 // The ETag is what the protocol says.
        var md5 = MD5.HashData(bytes);
#pragma warning restore CA5351
        return new Content(0, buffer.AsMemory(0, count), count, md5, Convert.ToHexStringLower(sha256), BlockSums.Of(bytes), values);
    }

    private async ValueTask<Stored<Content>> TakeFileAsync(IncomingBody body, ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        var id = 0L;
        try
        {
            id = ids.Next();
            using var intake = new FileIntake(files, id, _budget, body);
            var (content, fault) = await intake.TakeAsync(first, cancel);
            fault ??= Fault(body, content!);
            if (fault is not null)
                files.Delete(id);
            return fault is null ? content! : fault.Value;
        }
        catch (IOException failure) when (DurableFile.IsNoRoom(failure))
        {
            files.Delete(id);
            return StoreFault.NoRoom;
        }
        catch
        {
            files.Delete(id);
            throw;
        }
    }

    private static class EmptyValues
    {
        public static readonly IReadOnlyDictionary<ChecksumKind, string> Instance = new Dictionary<ChecksumKind, string>();
    }
}
