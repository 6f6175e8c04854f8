using System.Diagnostics;
using Dure.Functions.Deploy;
using Dure.Host.Texts;
using FsCheck.Fluent;
using FsCheck;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class SourceDiffTest : DeployTest
{
    [Fact]
    public void Small_differences_read_as_diff_writes_them()
    {
        var before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        var after = "1\n2\n3\nfour\n5\n6\n7\n8\n9\n10\n11\n12\n13";
        Assert.Equal(
            "--- a/f\n+++ b/f\n@@ -1,7 +1,7 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n\\ No newline at end of file\n",
            LineDiff.Unified("a/f", "b/f", before, after));
        Assert.Equal("", LineDiff.Unified("a/f", "b/f", before, before));
        Assert.Equal("--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+x\n", LineDiff.Unified("a/f", "b/f", "", "x\n"));
        Assert.Equal("--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-x\n", LineDiff.Unified("a/f", "b/f", "x\n", ""));
    }

    [Fact]
    public void Every_diff_is_as_short_as_that_of_diffutils_and_patch_makes_the_new_text_of_it()
    {
        Need("diff", "/usr/bin/diff");
        Need("patch", "/usr/bin/patch");
        var lines = Gen.ListOf(Gen.Elements("a", "b", "c", "", "}")).Where(l => l.Count < 40);
        var texts = from l in lines from end in Gen.Elements("\n", "") select l.Count == 0 ? "" : string.Join('\n', l) + end;
        Prop.ForAll(Gen.Zip(texts, texts).ToArbitrary(), pair => Agrees(pair.Item1, pair.Item2)).Check(Config.QuickThrowOnFailure.WithMaxTest(150));
    }

    [Fact]
    public void Two_versions_are_compared_file_by_file()
    {
        var (before, after) = (Path.Combine(Root, "before"), Path.Combine(Root, "after"));
        void Write(string folder, string path, string text)
        {
            var full = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            File.WriteAllText(full, text);
        }

        foreach (var folder in new[] { before, after })
        {
            Write(folder, "same.py", "x = 1\n");
            Write(folder, ".dure/program", folder);
            Write(folder, "pkg/__pycache__/m.pyc", folder);
            Write(folder, "data.bin", "\0" + folder);
            Write(folder, "run.sh", "echo\n");
            Write(folder, "big.txt", folder + new string('x', 2 << 20));
        }

        File.SetUnixFileMode(Path.Combine(after, "run.sh"), UnixFileMode.UserExecute | UnixFileMode.UserRead);
        Write(before, "gone.py", "y = 1\n");
        Write(after, "pkg/new.py", "z = 1\n");
        Write(before, "changed.py", "a\nb\n");
        Write(after, "changed.py", "a\nc\n");
        File.CreateSymbolicLink(Path.Combine(before, "link"), "same.py");
        File.CreateSymbolicLink(Path.Combine(after, "link"), "changed.py");
        var diffs = SourceDiff.Compare(before, after, Cancel);
        Same(
            ["big.txt modified", "changed.py modified", "data.bin modified", "gone.py removed", "link modified", "pkg/new.py added", "run.sh modified"],
            diffs.Select(d => $"{d.Path} {d.Change}"));
        Assert.Equal("Large files a/big.txt and b/big.txt differ\n", diffs[0].Diff);
        Assert.Equal("--- a/changed.py\n+++ b/changed.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n", diffs[1].Diff);
        Assert.Equal("Binary files a/data.bin and b/data.bin differ\n", diffs[2].Diff);
        Assert.Equal("--- a/gone.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-y = 1\n", diffs[3].Diff);
        Assert.Contains("+link to changed.py", diffs[4].Diff, StringComparison.Ordinal);
        Assert.Equal("mode plain -> executable\n", diffs[6].Diff);
    }

    private bool Agrees(string before, string after)
    {
        var (a, b, patched) = (Path.Combine(Root, "a"), Path.Combine(Root, "b"), Path.Combine(Root, "patched"));
        File.WriteAllText(a, before);
        File.WriteAllText(b, after);
        var ours = LineDiff.Unified("a", "b", before, after);
        var theirs = Run("diff", ["-u", "--minimal", a, b], "");
        File.WriteAllText(patched, before);
        if (ours.Length > 0)
            Run("patch", ["--silent", "--posix", patched], ours);
        Assert.Equal(after, File.Exists(patched) ? File.ReadAllText(patched) : "");
        Assert.Equal(Changes(theirs), Changes(ours));
        return true;
    }

    private static int Changes(string diff) => diff.Split('\n').Skip(2).Count(l => l.StartsWith('+') || l.StartsWith('-'));

    private static string Run(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
