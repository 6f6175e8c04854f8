using System.Text;
using System.Text.Json;
using Dure.Functions.Worker;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>What the server and its worker say to each other is read as it was meant, or refused; never anything else.</summary>
public sealed class WorkerWireTest
{
    private static readonly Gen<string> Word = Gen.Elements("", "s12", "python:0f", "Straße 🧪", "a\tb\n\"c\"\\", "\u0000\u001f", "</script>", new string('x', 50));

    private static readonly Gen<string?> Maybe = Gen.Frequency((1, Gen.Constant<string?>(null)), (3, Word.Select(static word => (string?)word)));

    private static readonly Gen<long> Count = Gen.Elements(0L, 1, -1, int.MaxValue, 1L << 40, long.MaxValue);

    private static readonly Gen<int> Small = Gen.Elements(0, 1, -1, 256, int.MaxValue, -int.MaxValue);

    private static readonly Gen<bool> Flag = Gen.Elements(true, false);

    private static readonly Gen<SandboxSpec> Spec =
        from mode in Gen.Elements(Enum.GetValues<SandboxMode>())
        from network in Gen.Elements(Enum.GetValues<SandboxNetwork>())
        from prewarm in Maybe
        from command in Word.ListOf()
        from code in Maybe
        from deps in Maybe
        from names in Word.ListOf()
        from mounts in (from source in Word from target in Word from writable in Flag select new SandboxMount(source, target, writable)).ListOf()
        from memory in Count
        from cpu in Small
        from gpus in Small.ListOf()
        select new SandboxSpec(mode, prewarm, [.. command], code, deps, names.Distinct(StringComparer.Ordinal).ToDictionary(static name => name, static name => name + "=", StringComparer.Ordinal),
            [.. mounts], network, new SandboxLimits(memory, cpu, cpu, memory, cpu), [.. gpus]);

    private static readonly Gen<ToWorker> Asked = Gen.OneOf(
        Small.SelectMany(_ => Word, static (protocol, server) => (ToWorker)new ServerHello(protocol, server)),
        Word.SelectMany(_ => Spec, static (slot, spec) => (ToWorker)new StartSandbox(slot, spec)),
        Word.SelectMany(_ => Small, static (slot, grace) => (ToWorker)new StopSandbox(slot, grace)),
        Gen.Constant((ToWorker)new ServerBeat()),
        from prewarm in Word from size in Small from deps in Maybe select (ToWorker)new KeepPool(prewarm, size, deps),
        Small.Select(static grace => (ToWorker)new EndWorker(grace)));

    private static readonly Gen<FromWorker> Told = Gen.OneOf(
        from word in Word
        from number in Small
        from memory in Count
        from flag in Flag
        from slots in (from slot in Word from generic in Flag from started in Flag select new LiveSlot(slot, generic, started)).ListOf()
        from gpus in Small.ListOf()
        select (FromWorker)new WorkerHello(number, word, number, word, [.. slots], memory, number, [.. gpus], new EnforcedLimits(flag, !flag, flag)),
        Word.SelectMany(_ => Flag, static (slot, generic) => (FromWorker)new SandboxStarted(slot, generic)),
        Word.SelectMany(_ => Word, static (slot, detail) => (FromWorker)new SandboxStartFailed(slot, detail, detail)),
        from word in Word from number in Small from count in Count select (FromWorker)new SandboxExited(word, number, number, word, word, count, count),
        from word in Word from count in Count select (FromWorker)new SandboxLog(word, "out", count, word),
        from slots in (from slot in Word from count in Count select new SlotUsage(slot, count, count, count)).ListOf() from at in Count select (FromWorker)new SandboxUsage([.. slots], at),
        Gen.Constant((FromWorker)new WorkerBeat()));

    [Fact]
    public void What_the_server_says_is_read_as_it_was_said() => Prop.ForAll(Asked.ToArbitrary(), static message =>
    {
        var line = WorkerWire.Line(message);
        Assert.Equal(line.Length - 1, Array.IndexOf(line, (byte)'\n'));
        Assert.Equivalent(message, WorkerWire.ReadToWorker(line), strict: true);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void What_the_worker_says_is_read_as_it_was_said() => Prop.ForAll(Told.ToArbitrary(), static message =>
    {
        var line = WorkerWire.Line(message);
        Assert.Equal(line.Length - 1, Array.IndexOf(line, (byte)'\n'));
        Assert.Equivalent(message, WorkerWire.ReadFromWorker(Encoding.UTF8.GetString(line)), strict: true);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void A_damaged_line_is_refused_or_read_and_nothing_else() => Prop.ForAll(
        (from message in Asked from at in Gen.Choose(0, 1_000_000) from value in Gen.Choose(0, 255) from cut in Flag select (message, at, value, cut)).ToArbitrary(),
        static damage =>
        {
            var line = WorkerWire.Line(damage.message);
            var at = damage.at % line.Length;
            line[at] = (byte)damage.value;
            try
            {
                _ = WorkerWire.ReadToWorker(damage.cut ? line.AsMemory(0, at) : line);
            }
            catch (JsonException)
            {
                // Refused, as it should be.
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void What_older_programs_leave_out_and_newer_ones_add_does_no_harm()
    {
        var usage = Assert.IsType<SandboxUsage>(WorkerWire.ReadFromWorker("""{"later":{"a":[1]},"slots":[{"slot":"s1","cpuMicros":5}],"op":"usage"}"""));
        Assert.Equal(0, usage.Ts);
        Assert.Equal(new SlotUsage("s1", 5, 0, 0), Assert.Single(usage.Slots));
        Assert.Equal(new KeepPool("node", 2), WorkerWire.ReadToWorker("""{"op":"pool","prewarm":"node","size":2,"depsDirectory":null}"""u8.ToArray()));
    }

    [Theory]
    [InlineData("""{"op":"start","slot":"s1","spec":7}""", "$.spec")]
    [InlineData("""{"op":"start","slot":"s1","spec":{"mode":"Magic","environment":{"KEY":"hush"},"limits":{}}}""", "$.mode")]
    [InlineData("""{"op":"stop","slot":7}""", "$.slot")]
    [InlineData("""{"op":"stop","slot":"s1","graceMs":9999999999}""", "$.graceMs")]
    [InlineData("""{"op":"fly"}""", "$.op")]
    [InlineData("[]", "$.")]
    [InlineData("""{"op":"stop","slot":"\ud800"}""", null)]
    public void A_line_that_is_wrong_is_refused_by_the_name_of_what_is_wrong_and_never_its_content(string line, string? path)
    {
        var refused = Assert.Throws<JsonException>(() => WorkerWire.ReadToWorker(Encoding.UTF8.GetBytes(line)));
        Assert.Equal(path, refused.Path);
        Assert.DoesNotContain("hush", refused.ToString(), StringComparison.Ordinal);
    }
}
