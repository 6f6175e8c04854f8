using System.Collections.Concurrent;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Dure.Functions.Deploy;
using Dure.Host;
using Xunit;

namespace Dure.Test.Functions.Deploy;

/// <summary>A data folder, a folder to deploy from, and the pipeline.</summary>
public abstract class DeployTest : IDisposable
{
    protected DeployTest() => Directory.CreateDirectory(Folder);

    protected string Root { get; } = Directory.CreateTempSubdirectory("dure-deploy-test-").FullName;

    protected string Data => Path.Combine(Root, "data");

    /// <summary>What is deployed.</summary>
    protected string Folder => Path.Combine(Root, "fn");

    /// <summary>Every line of compilers and installers.</summary>
    protected ConcurrentQueue<string> Log { get; } = new();

    /// <summary>Every step that began.</summary>
    protected ConcurrentQueue<string> Steps { get; } = new();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected DeployOptions Options(Func<DeployOptions, DeployOptions>? change = null)
    {
        var options = new DeployOptions(Data) { Network = BuildNetwork.Host, Source = new SourceLimits(FreeBytesMin: 1 << 20) };
        return change is null ? options : change(options);
    }

    protected DeployBuild Pipeline(Func<DeployOptions, DeployOptions>? change = null, BuildRun? run = null) =>
        new(Options(change), run ?? DirectBwrap.RunAsync, TimeProvider.System);

    protected string Put(string path, string text, bool executable = false)
    {
        var full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        if (executable)
            File.SetUnixFileMode(full, File.GetUnixFileMode(full) | UnixFileMode.UserExecute);
        return full;
    }

    protected static void Need(string program, string path)
    {
        if (!File.Exists(path))
            Assert.Skip($"{program} is not installed ({path})");
    }

    protected async Task<MemoryStream> PackAsync(string? path = null)
    {
        var stream = new MemoryStream();
        var packed = await SourcePackage.PackAsync(path ?? Folder, stream, new SourceLimits(), null, Cancel);
        Assert.True(packed.Ok, Describe(packed.Problem));
        stream.Position = 0;
        return stream;
    }

    protected async Task<Outcome<BuiltVersion>> DeployAsync(DeployBuild? pipeline = null, string? path = null)
    {
        await using var package = await PackAsync(path);
        return await (pipeline ?? Pipeline()).RunAsync("fn", package, new string('0', 64), SeeAsync, Cancel);
    }

    protected async Task<BuiltVersion> DeployedAsync(DeployBuild? pipeline = null, string? path = null)
    {
        var outcome = await DeployAsync(pipeline, path);
        Assert.True(outcome.Ok, Describe(outcome.Problem));
        return outcome.Value;
    }

    protected async Task<Problem> RefusedAsync(ErrorKind kind, DeployBuild? pipeline = null, string? path = null)
    {
        var outcome = await DeployAsync(pipeline, path);
        Assert.False(outcome.Ok);
        Assert.True(kind == outcome.Problem.Kind, Describe(outcome.Problem));
        AssertNothingKept();
        return outcome.Problem;
    }

    protected static void Same(IEnumerable<string> expected, IEnumerable<string> actual) => Assert.Equal(string.Join('\n', expected), string.Join('\n', actual));

    protected void AssertNothingKept()
    {
        foreach (var folder in "tmp code deps builds".Split(' ').Select(f => Path.Combine(Data, f)).Where(Directory.Exists))
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    protected ValueTask SeeAsync(BuildEvent news)
    {
        if (news.Progress is not null)
            Steps.Enqueue(news.Progress);
        if (news.Log is not null)
            Log.Enqueue(news.Log);
        return ValueTask.CompletedTask;
    }

    protected string Describe(Problem? problem) => problem is null
        ? ""
        : $"{problem.Kind.Id} {problem.Detail}\n{string.Join('\n', problem.Faults.Select(f => $"  {f.Where}: {f.What}"))}\n{string.Join('\n', Log)}";

    /// <summary>Unpacks a package into a new folder.</summary>
    protected async Task<Outcome<UnpackedSource>> UnpackAsync(Stream package, SourceLimits? limits = null)
    {
        var to = Path.Combine(Root, "unpacked-" + Path.GetRandomFileName());
        Directory.CreateDirectory(to);
        return await SourceUnpacker.UnpackAsync(package, to, limits ?? new SourceLimits(FreeBytesMin: 1 << 20), Cancel);
    }

    /// <summary>A .tar.gz as an attacker would make it.</summary>
    protected static MemoryStream Tar(params ReadOnlySpan<TarEntry> entries)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            foreach (var entry in entries)
                tar.WriteEntry(entry);
        }

        stream.Position = 0;
        return stream;
    }

    protected static PaxTarEntry FileEntry(string path, string text) => new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) };

    protected static PaxTarEntry LinkEntry(string path, string target, TarEntryType type = TarEntryType.SymbolicLink) => new(type, path) { LinkName = target };
}
