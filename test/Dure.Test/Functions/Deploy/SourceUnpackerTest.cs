using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Dure.Functions.Deploy;
using Dure.Host;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class SourceUnpackerTest : DeployTest
{
    [Fact]
    public async Task A_package_comes_out_as_it_went_in_with_modes_that_nobody_can_write()
    {
        Put("handler.py", "def handler(event, context): return event\n");
        Put("bin/tool", "#!/bin/sh\n", executable: true);
        Directory.CreateDirectory(Path.Combine(Folder, "empty"));
        File.CreateSymbolicLink(Path.Combine(Folder, "bin/alias"), "tool");
        var unpacked = await UnpackAsync(await PackAsync());
        Assert.True(unpacked.Ok, Describe(unpacked.Problem));
        Same(["bin", "bin/alias", "bin/tool", "empty", "handler.py"], unpacked.Value.Entries.Select(e => e.Path));
        var root = unpacked.Value.Root;
        Assert.Equal("tool", new FileInfo(Path.Combine(root, "bin/alias")).LinkTarget);
        Assert.Equal(Convert.ToInt32("444", 8), (int)File.GetUnixFileMode(Path.Combine(root, "handler.py")));
        Assert.Equal(Convert.ToInt32("555", 8), (int)File.GetUnixFileMode(Path.Combine(root, "bin/tool")));
        Assert.Equal(Convert.ToInt32("755", 8), (int)File.GetUnixFileMode(Path.Combine(root, "bin")));
    }

    [Fact]
    public async Task Every_unsafe_entry_is_named_at_once_and_nothing_leaves_the_folder()
    {
        var outside = Path.Combine(Root, "outside");
        await using var package = Tar(
            FileEntry("../outside", "x"),
            FileEntry("a/../../outside", "x"),
            FileEntry(outside, "x"),
            LinkEntry("up", "../.."),
            LinkEntry("etc", "/etc"),
            FileEntry("etc/passwd", "x"),
            LinkEntry("hard", "/etc/passwd", TarEntryType.HardLink),
            new PaxTarEntry(TarEntryType.Fifo, "pipe"),
            new PaxTarEntry(TarEntryType.CharacterDevice, "null") { DeviceMajor = 1, DeviceMinor = 3 },
            FileEntry("good.py", "x"),
            FileEntry("good.py", "y"),
            FileEntry("good.py/below", "y"));
        var unpacked = await UnpackAsync(package);
        Assert.Equal(DeployErrors.PackageRefused, unpacked.Problem!.Kind);
        Same(["../outside", "a/../../outside", outside, "etc/passwd", "hard", "pipe", "null", "good.py", "good.py/below", "up", "etc"], unpacked.Problem.Faults.Select(f => f.Where));
        Assert.False(File.Exists(outside));
    }

    [Theory]
    [InlineData("l", "a/..", true)]
    [InlineData("l", "..", false)]
    [InlineData("a/l", "..", true)]
    [InlineData("a/l", "../..", false)]
    [InlineData("l", "/etc/passwd", false)]
    [InlineData("l", "missing/../x", true)]
    public void A_link_may_point_anywhere_inside(string path, string target, bool fine) =>
        Assert.Equal(fine, SourceLinks.Fault(path, target, _ => null) is null);

    [Fact]
    public void A_link_that_leaves_by_way_of_another_link_is_noticed()
    {
        var links = new Dictionary<string, string>(StringComparer.Ordinal) { ["d1/d2/l"] = "../..", ["m"] = "d1/d2/l/..", ["round"] = "a/../round" };
        Assert.Null(SourceLinks.Fault("d1/d2/l", "../..", links.GetValueOrDefault));
        Assert.Contains("leaves the folder", SourceLinks.Fault("m", links["m"], links.GetValueOrDefault), StringComparison.Ordinal);
        Assert.Contains("circles", SourceLinks.Fault("round", links["round"], links.GetValueOrDefault), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_5_GiB_upload_is_refused_before_it_takes_any_room()
    {
        await using var upload = new ZerosAsTarGz(5L << 30);
        var unpacked = await UnpackAsync(upload);
        Assert.Equal(DeployErrors.PackageTooLarge, unpacked.Problem!.Kind);
        Assert.Contains("4 GiB", unpacked.Problem.Detail, StringComparison.Ordinal);
        Assert.True(upload.Given < 1 << 20, $"{upload.Given} bytes were read");
    }

    [Fact]
    public async Task Many_small_files_do_not_get_around_the_limit()
    {
        var entries = Enumerable.Range(0, 20).Select(i => (TarEntry)FileEntry($"f{i}", new string('x', 100_000))).ToArray();
        var bytes = await UnpackAsync(Tar(entries), new SourceLimits(BytesMax: 1_000_000, FreeBytesMin: 0));
        Assert.Equal(DeployErrors.PackageTooLarge, bytes.Problem!.Kind);
        var files = await UnpackAsync(Tar(entries), new SourceLimits(FilesMax: 10, FreeBytesMin: 0));
        Assert.Equal(DeployErrors.PackageTooLarge, files.Problem!.Kind);
    }

    [Fact]
    public async Task A_zip_that_says_one_length_and_holds_another_is_counted_by_what_it_holds()
    {
        var zip = Zip(("bomb", new string('\0', 3_000_000)));
        var bytes = zip.ToArray();
        var central = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BitConverter.TryWriteBytes(bytes.AsSpan(central + 24), 10);
        var unpacked = await UnpackAsync(new MemoryStream(bytes), new SourceLimits(BytesMax: 1_000_000, FreeBytesMin: 0));
        Assert.Equal(DeployErrors.PackageUnreadable, unpacked.Problem!.Kind);
    }

    [Fact]
    public async Task A_zip_with_one_wrong_bit_is_refused()
    {
        var bytes = Zip(("handler.py", "def handler(event, context): return event\n")).ToArray();
        var whole = await UnpackAsync(new MemoryStream(bytes));
        Assert.True(whole.Ok, Describe(whole.Problem));
        bytes[45] ^= 1;
        Assert.False((await UnpackAsync(new MemoryStream(bytes))).Ok);
    }

    [Fact]
    public async Task A_full_disk_is_noticed_before_it_is_full()
    {
        var unpacked = await UnpackAsync(Tar(FileEntry("big", new string('x', 20 << 20))), new SourceLimits(FreeBytesMin: long.MaxValue));
        Assert.Equal(DeployErrors.DiskFull, unpacked.Problem!.Kind);
    }

    [Fact]
    public async Task A_zip_with_dot_dot_is_refused_also_with_backslashes()
    {
        var unpacked = await UnpackAsync(Zip(("../evil.py", "x"), ("a\\..\\..\\evil.py", "x"), ("handler.py", "x")));
        Assert.Equal(DeployErrors.PackageRefused, unpacked.Problem!.Kind);
        Same(["../evil.py", "a/../../evil.py"], unpacked.Problem.Faults.Select(f => f.Where));
        Assert.False(File.Exists(Path.Combine(Root, "evil.py")));
    }

    [Fact]
    public async Task A_zip_of_a_folder_is_taken_as_that_folder()
    {
        var unpacked = await UnpackAsync(Zip(("proj-main/", ""), ("proj-main/handler.py", "x"), ("proj-main/lib\\b.py", "y")));
        Assert.True(unpacked.Ok, Describe(unpacked.Problem));
        Same(["handler.py", "lib", "lib/b.py"], unpacked.Value.Entries.Select(e => e.Path));
    }

    [Fact]
    public async Task A_zip_with_a_link_out_of_the_folder_is_refused()
    {
        var unpacked = await UnpackAsync(Zip(("handler.py", "x"), ("*out", "../../etc/passwd"), ("*in", "handler.py")));
        Same(["out"], unpacked.Problem!.Faults.Select(f => f.Where));
    }

    [Fact]
    public async Task A_name_with_a_NUL_byte_or_a_line_break_is_refused()
    {
        var unpacked = await UnpackAsync(Zip(("a\0b.py", "x"), ("c\nd.py", "x"), (new string('n', 300), "x"), ("handler.py", "x")));
        Assert.Equal(DeployErrors.PackageRefused, unpacked.Problem!.Kind);
        Same(["a\\x00b.py", "c\\x0ad.py", new string('n', 300)], unpacked.Problem.Faults.Select(f => f.Where));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("{\"event\": 1}")]
    [InlineData("PK\u0003\u0004 not really")]
    [InlineData("\u001f\u008b not really")]
    public async Task What_is_no_package_is_called_so(string text)
    {
        var unpacked = await UnpackAsync(new MemoryStream(Encoding.Latin1.GetBytes(text)));
        Assert.Equal(DeployErrors.PackageUnreadable, unpacked.Problem!.Kind);
    }

    [Fact]
    public async Task A_package_that_was_cut_off_anywhere_is_never_taken_for_a_whole_one()
    {
        var whole = Tar(FileEntry("handler.py", "def handler(e, c): return 1\n"), FileEntry("b.txt", new string('b', 3000)), FileEntry("c.txt", "c")).ToArray();
        for (var length = 1; length < whole.Length; length += 7)
        {
            var unpacked = await UnpackAsync(new MemoryStream(whole, 0, length));
            if (unpacked is { Ok: true, Value: { Entries.Count: 3, Bytes: 3029 } })
                continue; // Only the compression's trailer is missing.
            Assert.True(unpacked.Problem?.Kind == DeployErrors.PackageUnreadable, $"{length} of {whole.Length} bytes");
        }
    }

    [Fact]
    public async Task A_name_that_claims_gigabytes_is_refused_before_memory_is_taken()
    {
        var header = new byte[512];
        Encoding.ASCII.GetBytes("././@LongLink").CopyTo(header, 0);
        Encoding.ASCII.GetBytes("0000644\0").CopyTo(header, 100);
        Encoding.ASCII.GetBytes("15000000000\0").CopyTo(header, 124);
        header[156] = (byte)'L';
        Encoding.ASCII.GetBytes("ustar  \0").CopyTo(header, 257);
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        var before = GC.GetTotalAllocatedBytes();
        var unpacked = await UnpackAsync(new MemoryStream(header));
        Assert.Equal(DeployErrors.PackageUnreadable, unpacked.Problem!.Kind);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 50 << 20);
    }

    private static MemoryStream Zip(params ReadOnlySpan<(string Name, string Text)> files)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                var entry = zip.CreateEntry(name.TrimStart('*'));
                if (name.StartsWith('*'))
                    entry.ExternalAttributes = unchecked((int)0xA1FF0000);
                using var content = entry.Open();
                content.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        stream.Position = 0;
        return stream;
    }

    /// <summary>A .tar.gz of one file of zeros, made as it is read.</summary>
    private sealed class ZerosAsTarGz : Stream
    {
        private readonly MemoryStream _out = new();
        private readonly GZipStream _gzip;
        private long _left;

        public ZerosAsTarGz(long length)
        {
            _gzip = new GZipStream(_out, CompressionLevel.Fastest, leaveOpen: true);
            _left = length;
            var header = new MemoryStream();
            using (var tar = new TarWriter(header, TarEntryFormat.Gnu, leaveOpen: true))
                tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, "zeros"));
            var block = header.ToArray()[..512];
            Encoding.ASCII.GetBytes(Convert.ToString(length, 8).PadLeft(11, '0')).CopyTo(block, 124);
            block.AsSpan(148, 8).Fill((byte)' ');
            Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);
            _gzip.Write(block);
        }

        public long Given { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            while (_out.Length < count && _left > 0)
            {
                var n = (int)Math.Min(_left, 1 << 20);
                _gzip.Write(new byte[n]);
                _left -= n;
            }

            _out.Position = 0;
            var read = _out.Read(buffer, offset, count);
            var rest = _out.ToArray()[read..];
            _out.SetLength(0);
            _out.Write(rest);
            Given += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
