using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using Dure.Functions.Deploy;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class SourcePackageTest : DeployTest
{
    [Fact]
    public async Task The_same_content_makes_the_same_bytes_whatever_its_times_and_owners_modes()
    {
        Put("handler.py", "x");
        Put("pkg/a.py", "a");
        Put(new string('l', 120) + "/" + new string('n', 120) + ".py", "long");
        var first = Hash(await PackAsync());
        File.SetLastWriteTimeUtc(Path.Combine(Folder, "handler.py"), DateTime.UnixEpoch.AddYears(40));
        File.SetUnixFileMode(Path.Combine(Folder, "handler.py"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var copy = Path.Combine(Root, "copy");
        Run("cp", ["-r", Folder, copy], "/");
        Assert.Equal(first, Hash(await PackAsync()));
        Assert.Equal(first, Hash(await PackAsync(copy)));
        Put("pkg/a.py", "b");
        Assert.False(first == Hash(await PackAsync()));
    }

    [Fact]
    public async Task What_tools_make_again_stays_out_and_what_is_vendored_goes_along()
    {
        foreach (var path in ".git/config __pycache__/a.pyc pkg/__pycache__/b.pyc old.pyc .venv/x env/pyvenv.cfg env/bin/python .DS_Store web/node_modules/a.js web/package.json web/package-lock.json app.csproj bin/x.dll obj/x.json".Split(' '))
            Put(path, "x");
        foreach (var path in "handler.py node_modules/kept.js package.json vendor/pkg.py tools/bin/run".Split(' '))
            Put(path, "x");
        var unpacked = await UnpackAsync(await PackAsync());
        Same(
            ["app.csproj", "handler.py", "node_modules/kept.js", "package.json", "tools/bin/run", "vendor/pkg.py", "web/package-lock.json", "web/package.json"],
            unpacked.Value.Entries.Where(e => e.Kind == SourceKind.File).Select(e => e.Path));
    }

    [Fact]
    public async Task Dureignore_leaves_out_and_takes_back()
    {
        Put(".dureignore", "# data\n*.csv\n/out/\ndocs/**/*.md\n!keep.csv\n!.venv/\n");
        foreach (var path in "a.csv b/c.csv keep.csv out/x b/out/y docs/a/b.md docs/c.md docs/d.txt .venv/lib.py handler.py".Split(' '))
            Put(path, "x");
        var unpacked = await UnpackAsync(await PackAsync());
        Same([".venv/lib.py", "b/out/y", "docs/d.txt", "handler.py", "keep.csv"], unpacked.Value.Entries.Where(e => e.Kind == SourceKind.File).Select(e => e.Path));
    }

    [Fact]
    public void Ignore_rules_mean_what_they_mean_to_git()
    {
        Need("git", "/usr/bin/git");
        var repository = Path.Combine(Root, "repository");
        Run("git", ["init", "-q", repository], "/");
        var pattern = from parts in Gen.Elements("a", "b", "*", "**", "?", "a*", "[ab]", "[!a]", "*.c", "x.c").NonEmptyListOf().Where(l => l.Count < 4)
                      from lead in Gen.Elements("", "/", "!")
                      from tail in Gen.Elements("", "/")
                      select lead + string.Join('/', parts) + tail;
        string[] names = ["a", "b", "ab", "x.c", "c"];
        var two = names.SelectMany(n => names.Select(m => $"{n}/{m}")).ToList();
        string[] paths = [.. names, .. two, .. two.Select(t => t + "/a")];
        Prop.ForAll(pattern.NonEmptyListOf().Where(l => l.Count < 4).ToArbitrary(), lines =>
        {
            File.WriteAllText(Path.Combine(repository, ".gitignore"), string.Join('\n', lines) + "\n");
            var rules = IgnoreRules.From(lines);
            var ours = paths.Where(p => p.Split('/') is var parts
                && Enumerable.Range(1, parts.Length).Any(n => rules.Ignores(string.Join('/', parts[..n]), folder: n < parts.Length)));
            var theirs = Output("git", ["check-ignore", "--no-index", "--stdin"], repository, string.Join('\n', paths));
            return (string.Join('\n', ours) == theirs.Trim()).Label($"{string.Join(" | ", lines)}: ours {string.Join(' ', ours)}, git {theirs}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));
    }

    [Fact]
    public async Task Every_fault_of_a_folder_is_named_at_once()
    {
        Put("handler.py", "x");
        Put("sub/in.py", "x");
        File.CreateSymbolicLink(Path.Combine(Folder, "out"), "../../etc");
        File.CreateSymbolicLink(Path.Combine(Folder, "absolute"), "/etc/passwd");
        File.CreateSymbolicLink(Path.Combine(Folder, "sub/fine"), "../handler.py");
        Run("mkfifo", [Path.Combine(Folder, "pipe")], "/");
        Put("line\nbreak.py", "x");
        var packed = await SourcePackage.PackAsync(Folder, Stream.Null, new SourceLimits(), null, Cancel);
        Assert.Equal(DeployErrors.PackageRefused, packed.Problem!.Kind);
        Same(["absolute", "line\\x0abreak.py", "out", "pipe"], packed.Problem.Faults.Select(f => f.Where).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_folder_over_the_limit_is_refused_before_anything_is_sent_and_its_largest_files_are_named()
    {
        Put("handler.py", "x");
        await using (var big = File.Create(Path.Combine(Folder, "model.bin")))
            big.SetLength(5L << 30);
        var output = new MemoryStream();
        var packed = await SourcePackage.PackAsync(Folder, output, new SourceLimits(), null, Cancel);
        Assert.Equal(DeployErrors.PackageTooLarge, packed.Problem!.Kind);
        Assert.Equal(("model.bin", "5 GiB"), (packed.Problem.Faults[0].Where, packed.Problem.Faults[0].What));
        Assert.Equal(0, output.Length);
    }

    [Fact]
    public async Task A_zip_is_converted_and_one_with_dot_dot_is_refused()
    {
        var zip = Path.Combine(Root, "fn.zip");
        await using (var archive = await ZipFile.OpenAsync(zip, ZipArchiveMode.Create, Cancel))
            archive.CreateEntry("fn/handler.py");
        var unpacked = await UnpackAsync(await PackAsync(zip));
        Same(["handler.py"], unpacked.Value.Entries.Select(e => e.Path));
        await using (var archive = await ZipFile.OpenAsync(zip, ZipArchiveMode.Update, Cancel))
            archive.CreateEntry("../evil.py");
        var refused = await SourcePackage.PackAsync(zip, Stream.Null, new SourceLimits(), null, Cancel);
        Assert.Equal("../evil.py", Assert.Single(refused.Problem!.Faults).Where);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("")]
    public async Task Nothing_to_deploy_is_said(string path)
    {
        var packed = await SourcePackage.PackAsync(Path.Combine(Folder, path), Stream.Null, new SourceLimits(), null, Cancel);
        Assert.Equal(DeployErrors.SourceMissing, packed.Problem!.Kind);
    }

    [Fact]
    public async Task Tar_of_the_system_reads_our_packages_and_we_read_its()
    {
        Put("handler.py", "x");
        Put("pkg/" + new string('n', 200) + ".py", "long");
        File.CreateSymbolicLink(Path.Combine(Folder, "pkg/link"), "../handler.py");
        var package = Path.Combine(Root, "package.tar.gz");
        await File.WriteAllBytesAsync(package, (await PackAsync()).ToArray(), Cancel);
        var to = Directory.CreateDirectory(Path.Combine(Root, "to")).FullName;
        Assert.Equal(0, Run("tar", ["xzf", package, "-C", to], "/"));
        Assert.Equal(0, Run("diff", ["-r", "--no-dereference", Folder, to], "/"));
        foreach (var format in "gnu pax ustar".Split(' '))
        {
            File.Delete(package);
            if (Run("tar", ["czf", package, "--format=" + format, "--exclude=" + (format == "ustar" ? "nnn*" : "none"), "-C", Folder, "."], "/") != 0)
                continue;
            await using var stream = File.OpenRead(package);
            var unpacked = await UnpackAsync(stream);
            Assert.True(unpacked.Ok, format + " " + Describe(unpacked.Problem));
            Assert.Contains(unpacked.Value.Entries, e => e.Path == "pkg/link");
        }
    }

    private static string Hash(MemoryStream stream) => Convert.ToHexStringLower(SHA256.HashData(stream.ToArray()));

    private static int Run(string program, string[] arguments, string at) => Start(program, arguments, at, "").Code;

    private static string Output(string program, string[] arguments, string at, string input) => Start(program, arguments, at, input).Output;

    private static (int Code, string Output) Start(string program, string[] arguments, string at, string input)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = at, RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
