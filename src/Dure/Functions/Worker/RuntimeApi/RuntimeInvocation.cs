using System.Text;
using System.Text.Json;
using Dure.Functions.Dispatch;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>One INVOKE on its way to the program.</summary>
/// <param name="RequestId">What the program knows it by.</param>
/// <param name="Deadline">Unix milliseconds; 0 for none.</param>
/// <param name="Path">Host path of the event; null when <paramref name="Payload"/> holds it.</param>
internal sealed record RuntimeInvocation(
    FrameKey Key, string RequestId, long Deadline, string FunctionArn, string? Trace, bool MayHaveRun, string? Path, ReadOnlyMemory<byte> Payload)
{
    private const string In = "/dure/in/";

    /// <summary>Reads the body of an INVOKE frame.</summary>
    /// <param name="folder">The slot's folder.</param>
    /// <exception cref="InvalidDataException">The peer does not speak this protocol.</exception>
    public static RuntimeInvocation Read(ReadOnlySpan<byte> body, string folder)
    {
        const int Fixed = FrameKey.Size + 1 + 8 + 4;
        if (body.Length < Fixed) throw new InvalidDataException("INVOKE is too short");
        var key = FrameKey.Read(body);
        var flags = body[12];
        var deadline = BitConverter.ToInt64(body[13..]);
        var metaLength = BitConverter.ToInt32(body[21..]);
        if (metaLength < 0 || body.Length < Fixed + metaLength) throw new InvalidDataException("INVOKE is too short");
        var payload = body[(Fixed + metaLength)..];
        string? path = null;
        if ((flags & 1) != 0)
        {
            var inside = Encoding.UTF8.GetString(payload);
            if (!inside.StartsWith(In, StringComparison.Ordinal) || inside.Contains("..", StringComparison.Ordinal)) throw new InvalidDataException("the payload is not in /dure/in");
            path = $"{folder}/in/{inside[In.Length..]}";
        }

        var meta = Meta(body.Slice(Fixed, metaLength), (flags & 2) != 0, folder);
        string? Text(string name) => meta?.TryGetProperty(name, out var value) == true && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var mayHaveRun = meta?.TryGetProperty("may_have_run", out var flag) == true && flag.ValueKind == JsonValueKind.True;
        return new RuntimeInvocation(key, Text("id") ?? InvocationId.Format(key.Invocation), deadline,
            $"arn:aws:lambda:local:000000000000:function:{Text("function") ?? "function"}:{Text("version") ?? "1"}",
            Text("trace"), mayHaveRun, path, path is null ? payload.ToArray() : default);
    }

    private static JsonElement? Meta(ReadOnlySpan<byte> meta, bool isPath, string folder)
    {
        if (meta.IsEmpty) return null;
        if (!isPath) return JsonElement.Parse(meta);
        var inside = Encoding.UTF8.GetString(meta);
        if (!inside.StartsWith(In, StringComparison.Ordinal) || inside.Contains("..", StringComparison.Ordinal)) throw new InvalidDataException("the meta is not in /dure/in");
        return JsonElement.Parse(File.ReadAllBytes($"{folder}/in/{inside[In.Length..]}"));
    }
}
