using System.Globalization;
using System.Text;
using System.Text.Json;
using Dure.Functions.Dispatch;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>The function that a program of the Runtime API is, as its headers say it.</summary>
/// <param name="Version">The digest that names the version.</param>
internal sealed record RuntimeFunction(string Name, string Version)
{
    /// <summary>In the form that Lambda's own libraries take apart.</summary>
    public string Arn { get; } = $"arn:aws:lambda:local:000000000000:function:{Name}:{Version}";

    /// <summary>What a sandbox's environment says of its function.</summary>
    public static RuntimeFunction Of(IReadOnlyDictionary<string, string> environment) =>
        new(environment.GetValueOrDefault("DURE_FUNCTION", "function"), environment.GetValueOrDefault("DURE_VERSION", "1"));
}

/// <summary>One INVOKE on its way to the program.</summary>
/// <param name="RequestId">What the program knows it by.</param>
/// <param name="Deadline">Unix milliseconds; 0 for none.</param>
/// <param name="Path">Host path of the event; null when <paramref name="Payload"/> holds it.</param>
internal sealed record RuntimeInvocation(
    FrameKey Key, string RequestId, long Deadline, RuntimeFunction Function, bool MayHaveRun, string? Path, ReadOnlyMemory<byte> Payload)
{
    private const string In = "/dure/in/";

    /// <summary>
    /// An X-Ray trace header (Root is version, seconds in hex and 96 bits) that is the same for every attempt: made of the invocation's id,
    /// so that a trace found elsewhere leads back to it.
    /// </summary>
    public string Trace => string.Create(CultureInfo.InvariantCulture,
        $"Root=1-{InvocationId.TimeOf(Key.Invocation).ToUnixTimeSeconds():x8}-{Key.Invocation:x24};Parent={Key.Invocation:x16};Sampled=0");

    /// <summary>Reads the body of an INVOKE frame.</summary>
    /// <param name="folder">The slot's folder.</param>
    /// <exception cref="InvalidDataException">The peer does not speak this protocol.</exception>
    public static RuntimeInvocation Read(ReadOnlySpan<byte> body, string folder, RuntimeFunction function)
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
        var id = meta?.TryGetProperty("id", out var given) == true && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        var mayHaveRun = meta?.TryGetProperty("may_have_run", out var flag) == true && flag.ValueKind == JsonValueKind.True;
        return new RuntimeInvocation(key, id ?? InvocationId.Format(key.Invocation), deadline, function, mayHaveRun, path, path is null ? payload.ToArray() : default);
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
