using System.Diagnostics;
using System.Text;
using Dure.Functions.Dispatch;
using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>Pre-started processes are handed over in place of fresh ones.</summary>
public sealed class PoolTest : IDisposable
{
    private readonly Scratch _code = new();

    public PoolTest() => File.SetUnixFileMode(_code.Path, (UnixFileMode)0x1ED);

    public void Dispose() => _code.Dispose();

    [Fact]
    public async Task A_waiting_node_process_gets_the_code_and_the_limits_of_who_asks()
    {
        await File.WriteAllTextAsync(_code["index.mjs"], "import { readdirSync } from 'node:fs';\nexport const handler = async (event) => ({ got: event, env: process.env.GREETING, files: readdirSync('/code') });\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await KeepOneAsync(worker, "node");
        var started = (SandboxStarted)await worker.StartSandboxAsync("a", Node());
        Assert.True(started.Generic);
        await CheckAsync(worker, "a", "index.handler");
        if (worker.Hello.Limits.Memory) Assert.Equal(Node().Limits.MemoryBytes, MemoryLimits(worker).Single(limit => limit < long.MaxValue / 4));
    }

    [Fact]
    public async Task A_sandbox_kept_for_plain_programs_gets_the_command_the_code_and_the_environment_of_who_asks()
    {
        await WriteProgramAsync("#!/bin/sh\nprintf '%s %s %s %s %s' \"$GREETING\" \"${LANG:-none}\" \"$1\" \"$PWD\" \"$(cat)\"\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await KeepOneAsync(worker, "plain");
        Assert.True(((SandboxStarted)await worker.StartSandboxAsync("a", Program())).Generic);
        using var client = await FunctionClient.ConnectAsync(worker.Data, "a");
        Assert.Contains("generic", await client.ReadyAsync(), StringComparison.Ordinal);
        await client.AssignTextAsync("2", "/code/program", "two words", "GREETING=hi=there", "PATH=/usr/bin:/bin");
        Assert.Contains("ready", await client.ReadyAsync(), StringComparison.Ordinal);
        var (type, _, text) = await client.CallAsync(7, "{}");
        Assert.Equal((FrameType.Result, "hi=there none two words /code {}"), (type, text));
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_is_told_when_it_is_assigned()
    {
        await WriteProgramAsync("#!/bin/sh\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await KeepOneAsync(worker, "plain");
        await worker.StartSandboxAsync("a", Program());
        using var client = await FunctionClient.ConnectAsync(worker.Data, "a");
        await client.ReadyAsync();
        await client.AssignTextAsync("1", "/code/absent", "PATH=/usr/bin:/bin");
        var (_, why) = await client.NextAsync(FrameType.InitError);
        Assert.Contains("/code/absent cannot be started", Encoding.UTF8.GetString(why), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fork_of_the_warmed_interpreter_gets_the_code_of_who_asks()
    {
        await File.WriteAllTextAsync(_code["handler.py"], "import os\ndef handler(event, context):\n    return {'got': event, 'env': os.environ['GREETING'], 'files': os.listdir('/code')}\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.SendAsync(new KeepPool("python:", 1));
        await WaitForAsync(worker, "/run/z/w1/*/slots/*/io/fn.sock");
        await Task.Delay(100);
        var started = (SandboxStarted)await worker.StartSandboxAsync("a", Python());
        Assert.True(started.Generic);
        await CheckAsync(worker, "a", "handler.handler");
        await worker.SendAsync(new StopSandbox("a", 0));
        Assert.Equal("stopped", (await worker.EndAsync("a")).Exit.Reason);
    }

    [Fact]
    public async Task A_fork_that_takes_too_much_memory_is_ended_and_its_siblings_live()
    {
        await File.WriteAllTextAsync(_code["handler.py"], "def handler(event, context):\n    return len(bytearray(event << 20))\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        Assert.SkipUnless(worker.Hello.Limits.Memory, "No control group limits memory here.");
        await worker.SendAsync(new KeepPool("python:", 2));
        await WaitForAsync(worker, "/run/z/w1/*/slots/*/io/fn.sock", 2);
        await Task.Delay(100);
        foreach (var slot in new[] { "a", "b" }) Assert.True(((SandboxStarted)await worker.StartSandboxAsync(slot, Python())).Generic);
        using var b = await ReadyAsync(worker, "b", "handler.handler");
        using var a = await ReadyAsync(worker, "a", "handler.handler");
        await a.InvokeAsync(1, "500");
        var ending = await worker.EndAsync("a");
        Assert.Equal("memory", ending.Exit.Reason);
        Assert.Equal("1048576", (await b.CallAsync(2, "1")).Text);
    }

    [Fact]
    public async Task An_empty_pool_or_a_large_version_starts_afresh()
    {
        for (var i = 0; i < 600; i++) await File.WriteAllTextAsync(_code[$"m{i}.mjs"], "");
        await File.WriteAllTextAsync(_code["index.mjs"], "export const handler = async (event) => event;\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await KeepOneAsync(worker, "node");
        Assert.False(((SandboxStarted)await worker.StartSandboxAsync("a", Node())).Generic);
        using var client = await FunctionClient.ConnectAsync(worker.Data, "a");
        await client.ReadyAsync();
        Assert.Equal("5", (await client.CallAsync(1, "5")).Text);
    }

    [Fact]
    public async Task An_empty_python_pool_forks_for_the_one_who_asks()
    {
        await File.WriteAllTextAsync(_code["handler.py"], "import os\ndef handler(event, context):\n    return {'env': os.environ['GREETING'], 'tmp': os.statvfs('/tmp').f_blocks * os.statvfs('/tmp').f_frsize}\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.SendAsync(new KeepPool("python:", 1));
        await WaitForAsync(worker, "/run/z/w1/*/slots/*/io/fn.sock");
        var other = Python() with { Limits = Python().Limits with { TmpBytes = 5 << 20 } };
        Assert.True(((SandboxStarted)await worker.StartSandboxAsync("a", other)).Generic);
        using var client = await ReadyAsync(worker, "a", "handler.handler");
        Assert.Contains("5242880", (await client.CallAsync(1, "1")).Text, StringComparison.Ordinal);
        await worker.SendAsync(new StartSandbox("b", other));
        await worker.SendAsync(new StopSandbox("b", 0));
        Assert.Equal("stopped", (await worker.EndAsync("b")).Exit.Reason);
    }

    [Fact]
    public async Task Another_tmp_size_asked_for_repeatedly_makes_the_pool_anew_in_that_shape()
    {
        await File.WriteAllTextAsync(_code["index.mjs"], "export const handler = async (event) => event;\n");
        await using var worker = await WorkerUnderTest.StartAsync();
        await KeepOneAsync(worker, "node");
        var other = Node() with { Limits = Node().Limits with { TmpBytes = 5 << 20 } };
        foreach (var slot in new[] { "a", "b", "c" }) Assert.False(((SandboxStarted)await worker.StartSandboxAsync(slot, other)).Generic);
        await Specs.UntilAsync(() => false, TimeSpan.FromSeconds(1));
        await WaitForAsync(worker, "/run/s/_w1.*.n*/io/fn.sock");
        Assert.True(((SandboxStarted)await worker.StartSandboxAsync("d", other)).Generic);
    }

    [Fact]
    public async Task A_pool_whose_process_dies_is_filled_again()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await KeepOneAsync(worker, "node");
        foreach (var pid in Specs.Alive("/dure/rt/node/shim.mjs").Where(pid => File.ReadAllText($"/proc/{pid}/comm").StartsWith("node", StringComparison.Ordinal)))
            Process.GetProcessById(pid).Kill();
        await Specs.UntilAsync(() => Found(worker, "/run/s/_w1.*.n*/io/fn.sock") == 0, TimeSpan.FromSeconds(5));
        await WaitForAsync(worker, "/run/s/_w1.*.n*/io/fn.sock");
    }

    private async Task WriteProgramAsync(string text)
    {
        await File.WriteAllTextAsync(_code["program"], text);
        File.SetUnixFileMode(_code["program"], (UnixFileMode)0b111_101_101);
    }

    private SandboxSpec Program() => Shim("plain", "/code/program") with { Mode = SandboxMode.Plain };

    private SandboxSpec Node() => Shim("node", "/usr/bin/node", "/dure/rt/node/shim.mjs") with
    {
        Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["DURE_HANDLER"] = "index.handler" },
    };

    private SandboxSpec Python() => Shim("python:", "/usr/bin/python3", "-I", "-S", "-X", "utf8", "/dure/rt/python/shim.py");

    private SandboxSpec Shim(string prewarm, params string[] command) => Specs.Run(command) with
    {
        Mode = SandboxMode.Shim, Prewarm = prewarm, CodeDirectory = _code.Path, Limits = new SandboxLimits(200L << 20, 0, 100, 512L << 20, 1024),
    };

    private static async Task CheckAsync(WorkerUnderTest worker, string slot, string handler)
    {
        using var client = await ReadyAsync(worker, slot, handler);
        var (type, _, text) = await client.CallAsync(7, """{"x":1}""");
        Assert.Equal(FrameType.Result, type);
        Assert.Contains("\"env\":\"hi\"", text.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static async Task<FunctionClient> ReadyAsync(WorkerUnderTest worker, string slot, string handler)
    {
        var client = await FunctionClient.ConnectAsync(worker.Data, slot);
        Assert.Contains("generic", await client.ReadyAsync(), StringComparison.Ordinal);
        await client.AssignAsync(handler);
        Assert.Contains("ready", await client.ReadyAsync(), StringComparison.Ordinal);
        return client;
    }

    private static async Task KeepOneAsync(WorkerUnderTest worker, string kind)
    {
        await worker.SendAsync(new KeepPool(kind, 1));
        await WaitForAsync(worker, "/run/s/_w1.*.n*/io/fn.sock");
    }

    private static async Task WaitForAsync(WorkerUnderTest worker, string pattern, int count = 1)
    {
        await Specs.UntilAsync(() => Found(worker, pattern) >= count, TimeSpan.FromSeconds(20));
        Assert.True(Found(worker, pattern) >= count, $"{pattern} did not appear");
        await Task.Delay(50);
    }

    private static int Found(WorkerUnderTest worker, string pattern)
    {
        IEnumerable<string> found = [worker.Data];
        foreach (var part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
            found = found.SelectMany(folder => Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder, part) : []).ToList();
        return found.Count();
    }

    private static IEnumerable<long> MemoryLimits(WorkerUnderTest worker) =>
        File.ReadAllLines(worker.Data + "/run/w/w1.cgroups").SelectMany(Directory.GetDirectories)
            .Select(group => Array.Find([group + "/memory.limit_in_bytes", group + "/memory.max"], File.Exists)).OfType<string>()
            .Select(file => long.TryParse(File.ReadAllText(file), out var limit) ? limit : long.MaxValue);
}
