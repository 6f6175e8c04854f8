using Dure.Fleet.Plan;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Plan;

public sealed class ManifestTest
{
    private static readonly Gen<Made> Lines =
        from kind in Gen.Elements("file", "folder", "package", "unit", "user", "tree")
        from role in Gen.Elements("base", "web", "slurm-controller")
        from name in Gen.Elements("/etc/a b", "/etc/x", "nginx", @"srv-my\x2ddata.mount", "/etc/größe")
        from mark in Gen.Elements("Whole:ab12", "Seed:cd", "Running", "0755")
        select new Made(kind, role, name, mark);

    [Fact]
    public void What_is_written_is_read_back() =>
        Prop.ForAll(Lines.ArrayOf().ToArbitrary(), all => Assert.Equal(all, Manifest.Read(new Manifest(all).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)).All)).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void A_line_that_is_not_whole_is_left_out() => Assert.Empty(Manifest.Read(["file\tweb\t/etc/x", "", "file\tweb\t/etc/x\ta\tb"]).All);

    [Fact]
    public void While_an_apply_goes_on_both_what_was_and_what_comes_is_known_and_nothing_new_counts_as_made()
    {
        var before = new Manifest([new("file", "web", "/etc/x", "Seed:1"), new("file", "web", "/etc/old", "Whole:9"), new("tree", "dure", "/opt/a", "1")]);
        var after = new Manifest([new("file", "web", "/etc/x", "Seed:2"), new("file", "web", "/etc/new", "Block:7"), new("tree", "dure", "/opt/b", "2"), new("package", "web", "nginx", "installed")]);
        Assert.Equal(
            ["file /etc/x Seed:1", "file /etc/old Whole:9", "tree /opt/a 1", "file /etc/new Block:pending", "tree /opt/b pending", "package nginx pending"],
            Manifest.During(before, after).All.Select(made => $"{made.Kind} {made.Name} {made.Mark}"));
    }
}
