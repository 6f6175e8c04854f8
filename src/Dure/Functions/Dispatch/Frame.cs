using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dure.Functions.Dispatch;

/// <summary>Frame types of the function protocol, see docs/protocol.md.</summary>
public enum FrameType : byte
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

/// <summary>Flags of RESULT and ERROR frames.</summary>
[Flags]
public enum ResultFlags : byte
{
    None = 0,

    /// <summary>The payload is a path as the sandbox sees it.</summary>
    File = 1,

    /// <summary>Chunks came before.</summary>
    Streamed = 2,

    /// <summary>The invocation left a checkpoint folder.</summary>
    Checkpoint = 4,
}

/// <summary>Which attempt a frame is about.</summary>
public readonly record struct FrameKey(long Invocation, int Attempt)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 12;

    /// <summary>Reads it from the start of a body.</summary>
    public static FrameKey Read(ReadOnlySpan<byte> body) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[8..]));

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteInt64LittleEndian(body, Invocation);
        BinaryPrimitives.WriteInt32LittleEndian(body[8..], Attempt);
    }
}

/// <summary>Reads and writes the function protocol's frames.</summary>
public static class Frame
{
    /// <summary>Longest frame, bytes after the length field.</summary>
    public const int MaxLength = 1 << 20;

    private const int Header = 5;

    /// <summary>Takes one frame off the front of the buffer.</summary>
    /// <returns>False when more bytes are needed.</returns>
    /// <exception cref="InvalidDataException">The length cannot be right: the peer does not speak this protocol.</exception>
    public static bool TryRead(ref ReadOnlyMemory<byte> buffer, out FrameType type, out ReadOnlyMemory<byte> body)
    {
        type = 0;
        body = default;
        if (buffer.Length < Header)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(buffer.Span);
        if (length is 0 or > MaxLength)
            throw new InvalidDataException($"A frame of {length} bytes; 1 to {MaxLength} are allowed.");
        if (buffer.Length < 4 + (int)length)
            return false;
        type = (FrameType)buffer.Span[4];
        body = buffer.Slice(Header, (int)length - 1);
        buffer = buffer[(4 + (int)length)..];
        return true;
    }

    /// <summary>Writes a frame whose body is JSON or other plain bytes.</summary>
    public static void Write(IBufferWriter<byte> output, FrameType type, ReadOnlySpan<byte> body)
    {
        var span = output.GetSpan(Header + body.Length);
        WriteHeader(span, type, body.Length);
        body.CopyTo(span[Header..]);
        output.Advance(Header + body.Length);
    }

    /// <summary>Writes INVOKE.</summary>
    /// <param name="deadline">Unix ms; 0 for none.</param>
    /// <param name="meta">JSON, may be empty; with <paramref name="metaIsPath"/> the path of a file in the sandbox that holds it.</param>
    /// <param name="path">The payload's path in the sandbox; null when <paramref name="payload"/> holds it.</param>
    public static void WriteInvoke(IBufferWriter<byte> output, FrameKey key, long deadline, ReadOnlySpan<byte> meta, bool metaIsPath, string? path, ReadOnlySpan<byte> payload)
    {
        var file = path is null ? [] : Encoding.UTF8.GetBytes(path);
        var content = path is null ? payload : file;
        var length = FrameKey.Size + 1 + 8 + 4 + meta.Length + content.Length;
        var span = output.GetSpan(Header + length);
        WriteHeader(span, FrameType.Invoke, length);
        var body = span[Header..];
        key.Write(body);
        body[12] = (byte)((path is null ? 0 : 1) | (metaIsPath ? 2 : 0));
        BinaryPrimitives.WriteInt64LittleEndian(body[13..], deadline);
        BinaryPrimitives.WriteInt32LittleEndian(body[21..], meta.Length);
        meta.CopyTo(body[25..]);
        content.CopyTo(body[(25 + meta.Length)..]);
        output.Advance(Header + length);
    }

    /// <summary>Writes ACK for one attempt.</summary>
    public static void WriteAck(IBufferWriter<byte> output, FrameKey key)
    {
        Span<byte> body = stackalloc byte[FrameKey.Size];
        key.Write(body);
        Write(output, FrameType.Ack, body);
    }

    /// <summary>Writes STEP_OK.</summary>
    public static void WriteStepOk(IBufferWriter<byte> output, FrameKey key, uint sequence)
    {
        Span<byte> body = stackalloc byte[FrameKey.Size + 4];
        key.Write(body);
        BinaryPrimitives.WriteUInt32LittleEndian(body[FrameKey.Size..], sequence);
        Write(output, FrameType.StepOk, body);
    }

    private static void WriteHeader(Span<byte> span, FrameType type, int bodyLength)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)bodyLength + 1);
        span[4] = (byte)type;
    }
}
