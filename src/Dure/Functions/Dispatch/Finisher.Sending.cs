using System.Text.Json;

namespace Dure.Functions.Dispatch;

/// <content>How attempts reach their process.</content>
internal sealed partial class Finisher
{
    private const int InlineMetaBytes = 256 << 10;
    private const string MetaEnding = ".meta";

    /// <summary>Sends an attempt whose row is on disk.</summary>
    public void Send(FunctionProcess process, ActiveInvocation invocation)
    {
        var deadline = invocation.Version.Spec.Timeout is { } limit ? (time.GetUtcNow() + limit).ToUnixTimeMilliseconds() : 0;
        invocation.SeenStart = true;
        if (invocation.Payload.Blob is null && invocation.Attempt == 1 && invocation.Steps is null && invocation.Spool is null && !invocation.WantsStream)
            process.Invoke(invocation, deadline, ReadOnlyMemory<byte>.Empty, null);
        else
            _ = SendPreparedAsync(process, invocation, deadline);
        // The function first, then those who watch it.
        AnnounceBegun(invocation);
    }

    private async Task SendPreparedAsync(FunctionProcess process, ActiveInvocation invocation, long deadline)
    {
        try
        {
            await PrepareAndSendAsync(process, invocation, deadline);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.Data.Common.DbException)
        {
            metrics.CommitFailed();
            if (!process.Closing)
                Dispatcher.RetryEnd(() => SendPreparedAsync(process, invocation, deadline), error);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Whatever it was, the attempt must end: with its process, and then again.
            invocation.Ending ??= new AttemptEnd(AttemptOutcome.StartFailed, "it could not be sent: " + error.Message, null);
            Dispatcher.Stop(process, TimeSpan.Zero);
        }
    }

    private async Task PrepareAndSendAsync(FunctionProcess process, ActiveInvocation invocation, long deadline)
    {
        var id = InvocationId.Format(invocation.Id);
        string? path = null;
        if (invocation.Payload.Blob is { } blob)
        {
            await blobs.LinkToAsync(blob, InFile(process, invocation), CancellationToken.None);
            path = "/dure/in/" + id;
        }
        var kept = Path.Combine(options.Checkpoints, id);
        if (Directory.Exists(kept))
            SandboxFolder.MoveIn(kept, process.IoFolder, "ck", CheckpointName(invocation));
        if (invocation.Attempt > 1)
        {
            var steps = await store.StepsAsync(invocation.Id, CancellationToken.None);
            invocation.Steps = steps.Count == 0 ? null : steps.ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        }
        invocation.Spool?.Dispose();
        invocation.Spool = null;
        var meta = Meta(invocation);
        if (meta.Length <= InlineMetaBytes)
            process.Invoke(invocation, deadline, meta, path);
        else
            process.Invoke(invocation, deadline, await WriteMetaAsync(process, invocation, meta), path, metaIsPath: true);
    }

    // Steps that together do not fit into a frame.
    private static async ValueTask<byte[]> WriteMetaAsync(FunctionProcess process, ActiveInvocation invocation, byte[] meta)
    {
        var file = InFile(process, invocation) + MetaEnding;
        await File.WriteAllBytesAsync(file, meta, CancellationToken.None);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return System.Text.Encoding.UTF8.GetBytes("/dure/in/" + Path.GetFileName(file));
    }

    private static byte[] Meta(ActiveInvocation invocation)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (invocation.MayHaveRun)
                json.WriteBoolean("may_have_run", true);
            if (invocation.WantsStream)
                json.WriteBoolean("stream", true);
            if (invocation.Steps is { } steps)
            {
                json.WriteStartObject("steps");
                foreach (var (name, value) in steps)
                {
                    json.WritePropertyName(name);
                    json.WriteRawValue(value);
                }
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
