using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Dure.Test.Functions.Runtimes;

/// <summary>The types of docs/protocol.md, written down a second time so that a mistake in the server's copy shows.</summary>
internal enum Kind : byte
{
    Hello = 0x01,
    Assign = 0x02,
    Invoke = 0x03,
    Ack = 0x04,
    StepOk = 0x05,
    Ready = 0x11,
    InitError = 0x12,
    Result = 0x13,
    Error = 0x14,
    Chunk = 0x15,
    Log = 0x16,
    Step = 0x17,
}

/// <summary>One frame from a function, with accessors for what its type holds.</summary>
internal sealed record Frame(Kind Kind, byte[] Body)
{
    private const int KeyBytes = 12;

    public ulong Id => BinaryPrimitives.ReadUInt64LittleEndian(Body);

    public uint Attempt => BinaryPrimitives.ReadUInt32LittleEndian(Body.AsSpan(8));

    /// <summary>Of a RESULT or ERROR.</summary>
    public int Flags => Body[KeyBytes];

    public bool IsPath => (Flags & 1) != 0;

    public bool WasStreamed => (Flags & 2) != 0;

    public bool HasCheckpoint => (Flags & 4) != 0;

    /// <summary>Of a RESULT or ERROR, as text.</summary>
    public string Payload => Encoding.UTF8.GetString(Body.AsSpan(KeyBytes + 1));

    public JsonElement PayloadJson => JsonSerializer.Deserialize<JsonElement>(Payload);

    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Body);

    public string Chunk => Encoding.UTF8.GetString(Body.AsSpan(KeyBytes));

    public int LogStream => Body[KeyBytes];

    public DateTimeOffset LogTime => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(Body.AsSpan(KeyBytes + 1)));

    public string[] LogLines => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Body.AsSpan(KeyBytes + 9)).Split('\n');

    /// <summary>What STEP_OK repeats of a STEP: key and number.</summary>
    public byte[] StepKey => Body[..(KeyBytes + 4)];

    public string StepName => Encoding.UTF8.GetString(Body.AsSpan(KeyBytes + 6, BinaryPrimitives.ReadUInt16LittleEndian(Body.AsSpan(KeyBytes + 4))));

    public string StepValue => Encoding.UTF8.GetString(Body.AsSpan(KeyBytes + 6 + BinaryPrimitives.ReadUInt16LittleEndian(Body.AsSpan(KeyBytes + 4))));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Convert.ToHexString(Body.AsSpan(0, Math.Min(Body.Length, 13)))} {Encoding.UTF8.GetString(Body.AsSpan(Math.Min(Body.Length, 13), Math.Max(0, Math.Min(Body.Length - 13, 300))))}");

    /// <summary>The bytes of a frame.</summary>
    public static byte[] Bytes(Kind kind, ReadOnlySpan<byte> body)
    {
        var bytes = new byte[5 + body.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)body.Length + 1);
        bytes[4] = (byte)kind;
        body.CopyTo(bytes.AsSpan(5));
        return bytes;
    }

    public static byte[] Key(ulong id, uint attempt)
    {
        var key = new byte[KeyBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(key, id);
        BinaryPrimitives.WriteUInt32LittleEndian(key.AsSpan(8), attempt);
        return key;
    }

    /// <param name="flags">1: the payload is a path; 2: the meta is a path.</param>
    /// <param name="deadline">Unix milliseconds, 0 for none.</param>
    public static byte[] Invoke(ulong id, uint attempt, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> meta = default, byte flags = 0, long deadline = 0)
    {
        Span<byte> head = stackalloc byte[KeyBytes + 13];
        Key(id, attempt).CopyTo(head);
        head[KeyBytes] = flags;
        BinaryPrimitives.WriteInt64LittleEndian(head[(KeyBytes + 1)..], deadline);
        BinaryPrimitives.WriteInt32LittleEndian(head[(KeyBytes + 9)..], meta.Length);
        return Bytes(Kind.Invoke, [.. head, .. meta, .. payload]);
    }
}
