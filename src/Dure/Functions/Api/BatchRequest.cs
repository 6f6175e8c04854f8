using System.Buffers;
using System.IO.Pipelines;
using Dure.Host;

namespace Dure.Functions.Api;

/// <summary>Reads a batch: one JSON event a line. All of it is read and checked before any of it runs.</summary>
internal static class BatchRequest
{
    /// <summary>Events in one batch at most.</summary>
    public const int EventsMost = 10_000;

    /// <summary>Bytes in one batch at most: it is held in memory.</summary>
    public const long BytesMost = 256L << 20;

    private const int FaultsMost = 20;

    /// <summary>Reads the body.</summary>
    /// <returns>The events in their order, or everything that is wrong with them, by line.</returns>
    public static async ValueTask<Outcome<List<Payload>>> ReadAsync(HttpContext http, FunctionsContext context)
    {
        var events = new List<Payload>();
        var faults = new List<Fault>();
        var lines = PipeReader.Create(http.Request.Body);
        long bytes = 0;
        for (var number = 1; await NextLineAsync(lines, BytesMost - bytes, http.RequestAborted) is { } line; number++)
        {
            bytes += line.Length + 1;
            if (bytes > BytesMost || events.Count == EventsMost)
                return FunctionErrors.PayloadTooLarge.With($"A batch holds at most {EventsMost} events and {BytesMost} bytes; line {number} is beyond that. Send several.");
            if (line.Length == 0)
                continue;
            if (JsonText.Fault(line) is { } fault)
            {
                faults.Add(new Fault($"line {number}", fault));
                if (faults.Count == FaultsMost)
                    break;
            }
            else if (faults.Count == 0)
            {
                var payload = await InvokeRequest.StoreAsync(line, context, http.RequestAborted);
                if (!payload.Ok)
                    return payload.Problem;
                events.Add(payload.Value);
            }
        }
        if (faults.Count > 0)
            return HostErrors.BadRequest.With("Lines of the batch are not JSON; nothing of it was run.", faults);
        return events;
    }

    private static async ValueTask<byte[]?> NextLineAsync(PipeReader reader, long most, CancellationToken cancel)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end).ToArray();
                reader.AdvanceTo(buffer.GetPosition(1, end));
                return line;
            }
            if (read.IsCompleted || buffer.Length > most)
            {
                var rest = buffer.ToArray();
                reader.AdvanceTo(buffer.End);
                return rest.Length == 0 ? null : rest;
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }
}
