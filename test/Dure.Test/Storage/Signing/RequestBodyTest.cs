using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Dure.Storage.Checksums;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Dure.Test.Storage.Signing;

public sealed class RequestBodyTest
{
    private const string Crc = "x-amz-checksum-crc32";
    private static readonly VerifiedRequest Plain = new(Published.Key, BodySigning.None, null);
    private static readonly VerifiedRequest Unsigned = new(Published.Key, BodySigning.UnsignedTrailer, null);
    private static readonly ChunkSeed Seed = Signer.Seed(Published.Secret, Published.Region, Published.Day, Published.Empty);

    private sealed record Upload(byte[] Bytes, int[] Chunks, int Piece, int Buffer, bool Signed, bool Trailer);

    [Fact]
    public void Bytes_in_chunks_come_out_as_they_went_in_however_they_arrive() =>
        Prop.ForAll(Cases().ToArbitrary(), one =>
        {
            var framed = FrameOf(one);
            var (bytes, fault, body) = ReadAll(one, framed);
            return fault is null && bytes.AsSpan().SequenceEqual(one.Bytes) && body.Ended && (!one.Trailer || body.Trailer(Crc) == CrcOf(one.Bytes));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_byte_that_was_changed_or_cut_off_is_found_when_chunks_are_signed() =>
        Prop.ForAll(Gen.Zip(Cases().Where(one => one.Signed), Gen.Choose(0, int.MaxValue)).ToArbitrary(), pair =>
        {
            var (one, at) = pair;
            var framed = FrameOf(one);
            var changed = (byte[])framed.Clone();
            changed[at % framed.Length] ^= (byte)(1 << (at % 7));
            var flipped = ReadAll(one, changed);
            var cut = ReadAll(one, framed[..(at % framed.Length)]);
            return (flipped.Fault is not null || flipped.Bytes.AsSpan().SequenceEqual(one.Bytes)) && cut.Fault is not null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", null)]
    [InlineData("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", StoreFault.MalformedTrailer)]
    [InlineData("5\r\nhell", StoreFault.IncompleteBody)]
    [InlineData("5\r\nhello\r\n", StoreFault.IncompleteBody)]
    [InlineData("4\r\nhell\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("6\r\nhello!\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("5\r\nhello!\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("x\r\nhello\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("ffffffffffffffff\r\nhello\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("\r\nhello\r\n0\r\n\r\n", StoreFault.IncompleteBody)]
    [InlineData("", StoreFault.IncompleteBody)]
    public async Task A_frame_that_is_wrong_is_a_fault(string body, StoreFault? fault)
    {
        var request = Published.Request("PUT /b/k", ("x-amz-decoded-content-length", "5"));
        Assert.Equal(fault, (await Uploads.ReadAsync(request, body, Unsigned)).Fault);
    }

    [Theory]
    [InlineData("x-amz-checksum-crc32:NhCmhg==\r\n", null)]
    [InlineData("X-Amz-Checksum-Crc32: NhCmhg==\r\n", null)]
    [InlineData("x-amz-checksum-crc32:NhCmhQ==\r\n", StoreFault.ChecksumMismatch)]
    [InlineData("x-amz-checksum-crc32:nonsense\r\n", StoreFault.MalformedTrailer)]
    [InlineData("x-amz-checksum-sha1:NhCmhg==\r\n", StoreFault.MalformedTrailer)]
    [InlineData("no trailer\r\n", StoreFault.MalformedTrailer)]
    [InlineData("", StoreFault.MalformedTrailer)]
    public async Task A_checksum_after_the_bytes_is_compared(string trailer, StoreFault? fault)
    {
        var request = Published.Request("PUT /b/k", ("x-amz-decoded-content-length", "5"), ("x-amz-trailer", Crc), ("x-amz-sdk-checksum-algorithm", "CRC32"));
        Assert.Equal(fault, (await Uploads.ReadAsync(request, $"5\r\nhello\r\n0\r\n{trailer}\r\n", Unsigned)).Fault);
    }

    [Fact]
    public async Task A_line_without_an_end_is_given_up()
    {
        var request = Published.Request("PUT /b/k", ("x-amz-decoded-content-length", "5"));
        Assert.Equal(StoreFault.IncompleteBody, (await Uploads.ReadAsync(request, new string('0', 1 << 20), Unsigned)).Fault);
    }

    [Fact]
    public async Task Whoever_reads_just_the_announced_bytes_sees_what_comes_after_them()
    {
        var request = Published.Request("PUT /b/k", ("x-amz-decoded-content-length", "5"), ("x-amz-trailer", Crc));
        request.Body = new MemoryStream("5\r\nhello\r\n0\r\nbroken\r\n\r\n"u8.ToArray());
        var body = RequestBody.Open(request, Unsigned, null, 10).Body!.Body;
        var broken = await Assert.ThrowsAsync<BrokenBodyException>(async () => await body.ReadExactlyAsync(new byte[5]));
        Assert.Equal(StoreFault.MalformedTrailer, broken.Fault);
    }

    [Fact]
    public async Task The_digest_of_a_whole_body_is_compared()
    {
        var verified = new VerifiedRequest(Published.Key, BodySigning.Sha256, null, Convert.ToHexStringLower(SHA256.HashData("hello"u8)));
        Assert.Null((await Uploads.ReadAsync(Published.Request("PUT /b/k", ("Content-Length", "5")), "hello", verified)).Fault);
        Assert.Equal(StoreFault.Sha256Mismatch, (await Uploads.ReadAsync(Published.Request("PUT /b/k", ("Content-Length", "5")), "hallo", verified)).Fault);
    }

    [Fact]
    public async Task A_checksum_header_is_compared_and_kept()
    {
        var read = await Uploads.ReadAsync(Published.Request("PUT /b/k", ("Content-Length", "5"), (Crc, "NhCmhg==")), "hello", Plain, ChecksumKind.Sha1);
        Assert.Null(read.Fault);
        Assert.Equal([ChecksumKind.Crc32, ChecksumKind.Sha1], read.Computed!.Values.Keys.Order());
        Assert.Equal(StoreFault.ChecksumMismatch, (await Uploads.ReadAsync(Published.Request("PUT /b/k", ("Content-Length", "5"), (Crc, "NhCmhg==")), "hallo", Plain)).Fault);
        Assert.Equal([ChecksumKind.Crc64Nvme], (await Uploads.ReadAsync(Published.Request("PUT /b/k", ("Content-Length", "5")), "hello", Plain)).Computed!.Values.Keys);
    }

    [Theory]
    [InlineData("InvalidDigest", "Content-Length: 5", "Content-MD5: nonsense")]
    [InlineData("InvalidDigest", "Content-Length: 5", "Content-MD5: AAAA")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-checksum-crc32: nonsense")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-checksum-crc32: NhCmhg==", "x-amz-checksum-crc32c: NhCmhg==")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-sdk-checksum-algorithm: CRC32")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-sdk-checksum-algorithm: CRC16")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-sdk-checksum-algorithm: SHA1", "x-amz-checksum-crc32: NhCmhg==")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-trailer: x-amz-checksum-crc32")]
    [InlineData("InvalidRequest", "Content-Length: 5", "x-amz-trailer: x-other")]
    [InlineData("MissingContentLength")]
    [InlineData("EntityTooLarge", "Content-Length: 11")]
    public void Headers_that_are_wrong_get_S3s_own_answer(string code, params string[] headers)
    {
        var request = Published.Request("PUT /b/k", [.. headers.Select(header => (header.Split(": ")[0], header.Split(": ")[1]))]);
        var (body, error) = RequestBody.Open(request, Plain, null, 10);
        Assert.Null(body);
        Assert.Equal(code, error!.Code);
    }

    [Fact]
    public void Aws_chunked_needs_the_length_of_what_is_in_it()
    {
        Assert.Equal("MissingContentLength", RequestBody.Open(Published.Request("PUT /b/k", ("Content-Length", "50")), Unsigned, null, 10).Error!.Code);
        Assert.Equal("EntityTooLarge", RequestBody.Open(Published.Request("PUT /b/k", ("x-amz-decoded-content-length", "11")), Unsigned, null, 10).Error!.Code);
    }

    [Fact]
    public async Task A_body_of_unknown_length_may_not_grow_beyond_the_limit()
    {
        var request = Published.Request("PUT /b/k", ("Transfer-Encoding", "chunked"));
        request.Body = new MemoryStream(new byte[11]);
        var body = RequestBody.Open(request, Plain, null, 10).Body!;
        Assert.Null(body.Length);
        var broken = await Assert.ThrowsAsync<BrokenBodyException>(async () => await body.Body.CopyToAsync(Stream.Null));
        Assert.Equal(StoreFault.TooLarge, broken.Fault);
    }

    private static Gen<Upload> Cases() =>
        from bytes in Gen.ArrayOf(Gen.Choose(0, 255).Select(n => (byte)n))
        from chunks in Gen.ArrayOf(Gen.Choose(1, 40))
        from piece in Gen.Choose(1, 200)
        from buffer in Gen.Choose(1, 100)
        from signed in Gen.Elements(true, false)
        from trailer in Gen.Elements(true, false)
        select new Upload(bytes, chunks, piece, buffer, signed, trailer);

    private static string CrcOf(byte[] bytes)
    {
        using var running = new RunningChecksum(ChecksumKind.Crc32);
        running.Append(bytes);
        return running.Finish();
    }

    private static byte[] FrameOf(Upload one) => Uploads.Frame(one.Bytes, one.Chunks, one.Signed ? Seed : null, one.Trailer ? $"{Crc}:{CrcOf(one.Bytes)}" : null);

    private static (byte[] Bytes, StoreFault? Fault, ChunkedBody Body) ReadAll(Upload one, byte[] framed)
    {
        // All at once, as a server has a small body, or a few bytes at a time.
        var pipe = one.Piece > 100 ? PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(framed)) : PipeReader.Create(new Trickle(framed, one.Piece), new StreamPipeReaderOptions(bufferSize: 64, minimumReadSize: 1));
        var body = new ChunkedBody(pipe, one.Bytes.Length, one.Signed ? new ChunkSignatures(Seed) : null, one.Trailer ? [Crc] : null, one.Signed && one.Trailer);
        var bytes = new MemoryStream();
        try
        {
            var buffer = new byte[one.Buffer];
            int count;
            // Everything here completes at once: it is in memory.
#pragma warning disable VSTHRD002
            while ((count = body.ReadAsync(buffer).AsTask().GetAwaiter().GetResult()) > 0)
#pragma warning restore VSTHRD002
            {
                bytes.Write(buffer, 0, count);
            }
            return (bytes.ToArray(), null, body);
        }
        catch (BrokenBodyException broken)
        {
            return (bytes.ToArray(), broken.Fault, body);
        }
    }

    // Gives a few bytes at a time.
    private sealed class Trickle(byte[] content, int piece) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
