using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Plan;
using Dure.Test.Processes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Plan;

public sealed class LoweredTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_path_becomes_the_unit_that_systemd_calls_it()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-escape"), "systemd-escape is not installed.");
        var names = Gen.Elements("a", "B9", "-", "_", ":", ".", "..x", ".x", "x.", "ä", "日", " ", "\\", "'", "\"", "$", "%", "a b-c").ArrayOf().Where(parts => parts.Length is > 0 and < 5).Select(parts => string.Concat(parts))
            .Where(name => name is not "." and not "..");
        string[] paths = [.. names.ArrayOf().Where(parts => parts.Length is > 0 and < 6).Select(parts => "/" + string.Join('/', parts)).Sample(25), "/srv/data", "/var/lib/dure-fleet", "/a/"];
        var (code, text) = await Child.RunAsync(Cancel, ["systemd-escape", "--path", "--", .. paths]);
        Assert.Equal(0, code);
        Assert.Equal(text.TrimEnd('\n').Split([' ', '\n']), paths.Select(Lowered.Escape));
        Assert.NotEqual("srv-data", Lowered.Escape("/srv/date"));
    }

    [Fact]
    public void A_mount_is_a_unit_and_kernel_settings_are_a_file_for_each_role()
    {
        var machine = new DesiredMachine("n1");
        machine.Mounts.Add(new("/srv/my-data", "LABEL=data", "ext4", "noatime", "base"));
        machine.Sysctls.Add(new("net.ipv4.ip_forward", "1", "edge"));
        machine.Sysctls.Add(new("vm.swappiness", "1", "edge"));
        var lowered = Lowered.Of(machine);
        Assert.Equal(["/etc/sysctl.d/60-dure-edge.conf", @"/etc/systemd/system/srv-my\x2ddata.mount"], lowered.Files.Select(file => file.Path));
        Assert.Equal("net.ipv4.ip_forward = 1\nvm.swappiness = 1\n", lowered.Files[0].Text);
        Assert.Contains("What=LABEL=data\nWhere=/srv/my-data\nType=ext4\nOptions=noatime\n", lowered.Files[1].Text, StringComparison.Ordinal);
        Assert.Equal((@"srv-my\x2ddata.mount", UnitState.Running), (lowered.Units[0].Name, lowered.Units[0].State));
    }

    [Fact]
    public void What_two_roles_ask_for_alike_is_there_once()
    {
        var machine = new DesiredMachine("n1");
        machine.Files.AddRange([new("/etc/x", "1", "a"), new("/etc/x", "1", "b")]);
        machine.Packages.AddRange([new("curl", "a"), new("curl", "b")]);
        machine.Units.AddRange([new("x.service", UnitState.Running, "a"), new("x.service", UnitState.Running, "b")]);
        var lowered = Lowered.Of(machine);
        Assert.Equal((1, 1, 1), (lowered.Files.Count, lowered.Packages.Count, lowered.Units.Count));
    }

    [Fact]
    public async Task A_digest_is_what_the_machine_calls_it()
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["x"], "größe\n", new UTF8Encoding(false), Cancel);
        var (_, text) = await Child.RunAsync(Cancel, "sha256sum", scratch["x"]);
        Assert.StartsWith(Lowered.Digest("größe\n"), text, StringComparison.Ordinal);
        Assert.False(text.StartsWith(Lowered.Digest("größe"), StringComparison.Ordinal));
    }
}
