using Dure.Functions.Worker;
using Dure.Functions.Worker.Cgroups;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>Both versions of control groups, on folders that look like them.</summary>
public sealed class ControlGroupTest : IDisposable
{
    private static readonly SandboxLimits Limits = new(128L << 20, 1500, 64, 0, 0);
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_hybrid_host_has_a_folder_for_each_controller()
    {
        var mounts = CgroupMounts.Parse(
            "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            "4:memory:/user/a\n2:cpu,cpuacct:/\n0::/b\n");
        Assert.Equal("/sys/fs/cgroup/memory/user/a", mounts.V1["memory"]);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", mounts.V1["cpuacct"]);
        Assert.Equal(("/sys/fs/cgroup/unified/b", "/sys/fs/cgroup/unified"), (mounts.V2, mounts.V2Root));
    }

    [Fact]
    public void In_a_container_only_what_lies_below_the_mount_counts()
    {
        var mounts = CgroupMounts.Parse("30 25 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/docker/abc/inner\n");
        Assert.Equal("/sys/fs/cgroup/inner", mounts.V2);
    }

    [Fact]
    public void Version_2_gets_its_controllers_enabled_and_the_limits_written()
    {
        Make("cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
        Make("cgroup.subtree_control", "cpu memory pids\n");
        Make("dure-x/cgroup.subtree_control", "cpu memory pids\n");
        var tree = CgroupTree.Create(new CgroupMounts(new Dictionary<string, string>(StringComparer.Ordinal), _scratch.Path, _scratch.Path), "dure-x");
        Assert.Equal(new EnforcedLimits(true, true, true), tree.Enforced);
        var group = tree.CreateGroup("s1")!;
        Make("dure-x/s1/memory.swap.max", "max\n");
        group.Apply(Limits);
        Assert.Equal("134217728", Read("dure-x/s1/memory.max"));
        Assert.Equal("0", Read("dure-x/s1/memory.swap.max"));
        Assert.Equal("64", Read("dure-x/s1/pids.max"));
        Assert.Equal("150000 100000", Read("dure-x/s1/cpu.max"));
        Assert.Equal([_scratch["dure-x", "s1"] + "/cgroup.procs"], group.JoinFiles);
    }

    [Fact]
    public void A_service_keeps_its_own_group_free_for_its_next_start()
    {
        Make("cgroup.controllers", "memory pids\n");
        Make("system.slice/dure.service/cgroup.controllers", "memory pids\n");
        var mounts = new CgroupMounts(new Dictionary<string, string>(StringComparer.Ordinal), _scratch["system.slice", "dure.service"], _scratch.Path);
        Assert.Equal([_scratch.Path + "/dure-x"], CgroupTree.Create(mounts, "dure-x").Folders);
        Assert.False(Path.Exists(_scratch["system.slice", "dure.service", "cgroup.subtree_control"]));
    }

    [Fact]
    public void Version_2_tells_what_happened()
    {
        Make("memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
        Make("pids.events", "max 5\n");
        Make("cpu.stat", "usage_usec 123456\nuser_usec 100\n");
        Make("memory.current", "4096\n");
        Make("memory.peak", "8192\n");
        Make("cgroup.procs", "12\n34\n");
        Make("cgroup.kill", "");
        var group = new ControlGroupV2(_scratch.Path);
        Assert.Equal((2L, 5L, 123456L, 4096L, 8192L), (group.MemoryKills, group.ForkRefusals, group.CpuMicros, group.MemoryBytes, group.MemoryPeakBytes));
        Assert.Equal([12, 34], group.Processes);
        group.Kill();
        Assert.Equal("1", Read("cgroup.kill"));
    }

    [Fact]
    public void Version_1_gets_the_limits_written_and_tells_what_happened()
    {
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var controller in new[] { "memory", "pids", "cpu", "cpuacct" })
        {
            Make($"{controller}/dure-x/cgroup.procs", "");
            folders[controller] = _scratch[controller];
        }

        var tree = CgroupTree.Create(new CgroupMounts(folders, null, null), "dure-x");
        Assert.Equal(new EnforcedLimits(true, true, true), tree.Enforced);
        var group = tree.CreateGroup("s1")!;
        group.Apply(Limits);
        Make("memory/dure-x/s1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
        Make("pids/dure-x/s1/pids.events", "max 2\n");
        Make("cpuacct/dure-x/s1/cpuacct.usage", "5000000\n");
        Assert.Equal("134217728", Read("memory/dure-x/s1/memory.limit_in_bytes"));
        Assert.Equal("150000", Read("cpu/dure-x/s1/cpu.cfs_quota_us"));
        Assert.Equal("64", Read("pids/dure-x/s1/pids.max"));
        Assert.Equal((1L, 2L, 5000L), (group.MemoryKills, group.ForkRefusals, group.CpuMicros));
        Assert.Equal(4, group.JoinFiles.Count);
    }

    [Fact]
    public void Without_permission_nothing_is_promised()
    {
        var tree = CgroupTree.Create(new CgroupMounts(new Dictionary<string, string>(StringComparer.Ordinal) { ["memory"] = "/proc" }, null, null), "dure-x");
        Assert.Equal(new EnforcedLimits(false, false, false), tree.Enforced);
        Assert.Null(tree.CreateGroup("s1"));
    }

    private void Make(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch[path])!);
        File.WriteAllText(_scratch[path], text);
    }

    private string Read(string path) => File.ReadAllText(_scratch[path]);
}
