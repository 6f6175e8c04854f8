using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dure.Functions.Worker;

/// <summary>
/// The lines between the server and a worker (docs/protocol.md), each a JSON object and a line feed. By hand: what the serializer needs compiled for these few
/// messages was a third of a worker's start. Members that are not known are passed over; a number that is left out is 0, a list empty.
/// </summary>
internal static class WorkerWire
{
    // Text in any script is written as it is.
    private static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A line for the worker.</summary>
    public static byte[] Line(ToWorker message) => Line(to =>
    {
        switch (message)
        {
            case ServerHello hello:
                to.WriteString("op", "hello");
                to.WriteNumber("protocol", hello.Protocol);
                to.WriteString("server", hello.Server);
                break;
            case StartSandbox start:
                to.WriteString("op", "start");
                to.WriteString("slot", start.Slot);
                if (start.Spec is { } spec)
                    Write(to, spec);
                break;
            case StopSandbox stop:
                to.WriteString("op", "stop");
                to.WriteString("slot", stop.Slot);
                to.WriteNumber("graceMs", stop.GraceMs);
                break;
            case ServerBeat:
                to.WriteString("op", "beat");
                break;
            case KeepPool keep:
                to.WriteString("op", "pool");
                to.WriteString("prewarm", keep.Prewarm);
                to.WriteNumber("size", keep.Size);
                WriteOptional(to, "depsDirectory", keep.DepsDirectory);
                break;
            case EndWorker end:
                to.WriteString("op", "exit");
                to.WriteNumber("graceMs", end.GraceMs);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(message), message.GetType(), "a message of no known kind");
        }
    });

    /// <summary>A line for the server.</summary>
    public static byte[] Line(FromWorker message) => Line(to =>
    {
        switch (message)
        {
            case WorkerHello hello:
                to.WriteString("op", "hello");
                Write(to, hello);
                break;
            case SandboxStarted started:
                to.WriteString("op", "started");
                to.WriteString("slot", started.Slot);
                to.WriteBoolean("generic", started.Generic);
                break;
            case SandboxStartFailed failed:
                to.WriteString("op", "start-failed");
                to.WriteString("slot", failed.Slot);
                to.WriteString("error", failed.Error);
                to.WriteString("detail", failed.Detail);
                break;
            case SandboxExited exited:
                to.WriteString("op", "exited");
                Write(to, exited);
                break;
            case SandboxLog log:
                to.WriteString("op", "log");
                to.WriteString("slot", log.Slot);
                to.WriteString("stream", log.Stream);
                to.WriteNumber("ts", log.Ts);
                to.WriteString("text", log.Text);
                break;
            case SandboxUsage usage:
                to.WriteString("op", "usage");
                Write(to, usage);
                break;
            case WorkerBeat:
                to.WriteString("op", "beat");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(message), message.GetType(), "a message of no known kind");
        }
    });

    /// <summary>Reads a line, with or without its line feed, that is for the worker.</summary>
    /// <exception cref="JsonException">It is none; <see cref="JsonException.Path"/> is the member that is wrong.</exception>
    public static ToWorker ReadToWorker(ReadOnlyMemory<byte> line)
    {
        using var json = JsonDocument.Parse(line);
        return Unicode<ToWorker>(json.RootElement, static from => Op(from) switch
        {
            "hello" => new ServerHello(Int(from, "protocol"), Text(from, "server")),
            "start" => new StartSandbox(Text(from, "slot"), ReadSpec(Member(from, "spec", JsonValueKind.Object))!),
            "stop" => new StopSandbox(Text(from, "slot"), Int(from, "graceMs")),
            "beat" => new ServerBeat(),
            "pool" => new KeepPool(Text(from, "prewarm"), Int(from, "size"), Optional(from, "depsDirectory")),
            "exit" => new EndWorker(Int(from, "graceMs")),
            _ => throw Wrong("op"),
        });
    }

    /// <summary>Reads a line that is for the server.</summary>
    /// <exception cref="JsonException">As in <see cref="ReadToWorker"/>.</exception>
    public static FromWorker ReadFromWorker(string line)
    {
        using var json = JsonDocument.Parse(line);
        return Unicode<FromWorker>(json.RootElement, static from => Op(from) switch
        {
            "hello" => ReadHello(from),
            "started" => new SandboxStarted(Text(from, "slot"), Flag(from, "generic")),
            "start-failed" => new SandboxStartFailed(Text(from, "slot"), Text(from, "error"), Text(from, "detail")),
            "exited" => new SandboxExited(Text(from, "slot"), Int(from, "code"), Int(from, "signal"),
                Text(from, "reason"), Text(from, "detail"), Number(from, "cpuMicros"), Number(from, "memoryPeakBytes")),
            "log" => new SandboxLog(Text(from, "slot"), Text(from, "stream"), Number(from, "ts"), Text(from, "text")),
            "usage" => new SandboxUsage(Each(from, "slots", JsonValueKind.Object, static slot =>
                new SlotUsage(Text(slot, "slot"), Number(slot, "cpuMicros"), Number(slot, "memoryBytes"), Number(slot, "memoryPeakBytes"))), Number(from, "ts")),
            "beat" => new WorkerBeat(),
            _ => throw Wrong("op"),
        });
    }

    /// <summary>Has the code for both directions compiled, which the first lines would otherwise wait for: a worker that stands by is asked when it matters.</summary>
    public static void Warm()
    {
        var spec = new SandboxSpec(SandboxMode.Shim, "", [""], "", "", new Dictionary<string, string>(StringComparer.Ordinal) { [""] = "" }, [new SandboxMount("", "", false)], SandboxNetwork.None, SandboxLimits.Default, [0]);
        foreach (var asked in new ToWorker[] { new ServerHello(1, ""), new StartSandbox("", spec), new KeepPool("", 0) })
            _ = ReadToWorker(Line(asked));
        foreach (var told in new FromWorker[] { new WorkerHello(1, "", 0, "", [new LiveSlot("", false, false)], 0, 0, [0], new EnforcedLimits(true, true, true)), new SandboxStarted("", false) })
            _ = Line(told);
    }

    // -- writing ---------------------------------------------------------------------------------------------------------

    private static byte[] Line(Action<Utf8JsonWriter> members)
    {
        using var bytes = new MemoryStream();
        using (var to = new Utf8JsonWriter(bytes, Written))
        {
            to.WriteStartObject();
            members(to);
            to.WriteEndObject();
        }

        bytes.WriteByte((byte)'\n');
        return bytes.ToArray();
    }

    private static void Write(Utf8JsonWriter to, SandboxSpec spec)
    {
        to.WriteStartObject("spec");
        to.WriteString("mode", Word(spec.Mode));
        WriteOptional(to, "prewarm", spec.Prewarm);
        to.WriteStartArray("command");
        foreach (var word in spec.Command)
            to.WriteStringValue(word);
        to.WriteEndArray();
        WriteOptional(to, "codeDirectory", spec.CodeDirectory);
        WriteOptional(to, "depsDirectory", spec.DepsDirectory);
        to.WriteStartObject("environment");
        foreach (var (name, value) in spec.Environment)
            to.WriteString(name, value);
        to.WriteEndObject();
        to.WriteStartArray("mounts");
        foreach (var mount in spec.Mounts)
        {
            to.WriteStartObject();
            to.WriteString("source", mount.Source);
            to.WriteString("target", mount.Target);
            to.WriteBoolean("writable", mount.Writable);
            to.WriteEndObject();
        }

        to.WriteEndArray();
        to.WriteString("network", Word(spec.Network));
        to.WriteStartObject("limits");
        to.WriteNumber("memoryBytes", spec.Limits.MemoryBytes);
        to.WriteNumber("cpuMillis", spec.Limits.CpuMillis);
        to.WriteNumber("processes", spec.Limits.Processes);
        to.WriteNumber("tmpBytes", spec.Limits.TmpBytes);
        to.WriteNumber("openFiles", spec.Limits.OpenFiles);
        to.WriteEndObject();
        Write(to, "gpus", spec.Gpus);
        to.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter to, WorkerHello hello)
    {
        to.WriteNumber("protocol", hello.Protocol);
        to.WriteString("worker", hello.Worker);
        to.WriteNumber("pid", hello.Pid);
        to.WriteString("boot", hello.Boot);
        to.WriteStartArray("slots");
        foreach (var slot in hello.Slots)
        {
            to.WriteStartObject();
            to.WriteString("slot", slot.Slot);
            to.WriteBoolean("generic", slot.Generic);
            to.WriteBoolean("started", slot.Started);
            to.WriteEndObject();
        }

        to.WriteEndArray();
        to.WriteNumber("memoryBytes", hello.MemoryBytes);
        to.WriteNumber("cpuMillis", hello.CpuMillis);
        Write(to, "gpus", hello.Gpus);
        to.WriteStartObject("limits");
        to.WriteBoolean("memory", hello.Limits.Memory);
        to.WriteBoolean("cpu", hello.Limits.Cpu);
        to.WriteBoolean("processes", hello.Limits.Processes);
        to.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter to, SandboxExited exited)
    {
        to.WriteString("slot", exited.Slot);
        to.WriteNumber("code", exited.Code);
        to.WriteNumber("signal", exited.Signal);
        to.WriteString("reason", exited.Reason);
        to.WriteString("detail", exited.Detail);
        to.WriteNumber("cpuMicros", exited.CpuMicros);
        to.WriteNumber("memoryPeakBytes", exited.MemoryPeakBytes);
    }

    private static void Write(Utf8JsonWriter to, SandboxUsage usage)
    {
        to.WriteStartArray("slots");
        foreach (var slot in usage.Slots)
        {
            to.WriteStartObject();
            to.WriteString("slot", slot.Slot);
            to.WriteNumber("cpuMicros", slot.CpuMicros);
            to.WriteNumber("memoryBytes", slot.MemoryBytes);
            to.WriteNumber("memoryPeakBytes", slot.MemoryPeakBytes);
            to.WriteEndObject();
        }

        to.WriteEndArray();
        to.WriteNumber("ts", usage.Ts);
    }

    private static void Write(Utf8JsonWriter to, string name, IReadOnlyList<int> numbers)
    {
        to.WriteStartArray(name);
        for (var i = 0; i < numbers.Count; i++)
            to.WriteNumberValue(numbers[i]);
        to.WriteEndArray();
    }

    private static void WriteOptional(Utf8JsonWriter to, string name, string? text)
    {
        if (text is not null)
            to.WriteString(name, text);
    }

    private static string Word(SandboxMode mode) => mode switch
    {
        SandboxMode.Shim => "Shim",
        SandboxMode.Plain => "Plain",
        SandboxMode.RuntimeApi => "RuntimeApi",
        _ => "Run",
    };

    private static string Word(SandboxNetwork network) => network switch
    {
        SandboxNetwork.None => "None",
        SandboxNetwork.Egress => "Egress",
        _ => "Host",
    };

    // -- reading ---------------------------------------------------------------------------------------------------------

    /// <summary>Null when it is left out: that is answered, as other nonsense that has a slot.</summary>
    private static SandboxSpec? ReadSpec(JsonElement from)
    {
        if (from.ValueKind == JsonValueKind.Undefined)
            return null;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var one in Object(from, "environment").EnumerateObject())
            environment[one.Name] = one.Value.ValueKind == JsonValueKind.String ? one.Value.GetString()! : throw Wrong("environment");
        var limits = Object(from, "limits");
        return new SandboxSpec(
            Text(from, "mode") switch
            {
                "Shim" => SandboxMode.Shim,
                "Plain" => SandboxMode.Plain,
                "RuntimeApi" => SandboxMode.RuntimeApi,
                "Run" => SandboxMode.Run,
                _ => throw Wrong("mode"),
            },
            Optional(from, "prewarm"),
            Each(from, "command", JsonValueKind.String, static word => word.GetString()!),
            Optional(from, "codeDirectory"),
            Optional(from, "depsDirectory"),
            environment,
            Each(from, "mounts", JsonValueKind.Object, static mount => new SandboxMount(Text(mount, "source"), Text(mount, "target"), Flag(mount, "writable"))),
            Text(from, "network") switch
            {
                "None" => SandboxNetwork.None,
                "Egress" => SandboxNetwork.Egress,
                "Host" => SandboxNetwork.Host,
                _ => throw Wrong("network"),
            },
            new SandboxLimits(Number(limits, "memoryBytes"), Int(limits, "cpuMillis"), Int(limits, "processes"),
                Number(limits, "tmpBytes"), Int(limits, "openFiles")),
            Gpus(from));
    }

    private static WorkerHello ReadHello(JsonElement from)
    {
        var limits = Object(from, "limits");
        return new WorkerHello(
            Int(from, "protocol"), Text(from, "worker"), Int(from, "pid"), Text(from, "boot"),
            Each(from, "slots", JsonValueKind.Object, static slot => new LiveSlot(Text(slot, "slot"), Flag(slot, "generic"), Flag(slot, "started"))),
            Number(from, "memoryBytes"), Int(from, "cpuMillis"), Gpus(from), new EnforcedLimits(Flag(limits, "memory"), Flag(limits, "cpu"), Flag(limits, "processes")));
    }

    /// <summary>Bytes or escapes that are no text are noticed only when they are asked for.</summary>
    private static T Unicode<T>(JsonElement from, Func<JsonElement, T> read)
        where T : class
    {
        try
        {
            return read(from);
        }
        catch (InvalidOperationException unreadable)
        {
            throw new JsonException("not Unicode", unreadable);
        }
    }

    private static string Op(JsonElement from) => from.ValueKind == JsonValueKind.Object ? Text(from, "op") : throw Wrong("");

    /// <summary>A member of the given kind; one of kind <see cref="JsonValueKind.Undefined"/> when it is left out or null.</summary>
    private static JsonElement Member(JsonElement from, string name, JsonValueKind kind) =>
        !from.TryGetProperty(name, out var found) || found.ValueKind == JsonValueKind.Null ? default : found.ValueKind == kind ? found : throw Wrong(name);

    private static JsonElement Object(JsonElement from, string name) =>
        Member(from, name, JsonValueKind.Object) is { ValueKind: JsonValueKind.Object } found ? found : throw Wrong(name);

    private static string Text(JsonElement from, string name) => Optional(from, name) ?? throw Wrong(name);

    private static string? Optional(JsonElement from, string name) =>
        Member(from, name, JsonValueKind.String) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;

    private static long Number(JsonElement from, string name, long most = long.MaxValue)
    {
        var found = Member(from, name, JsonValueKind.Number);
        return found.ValueKind == JsonValueKind.Undefined ? 0 : found.TryGetInt64(out var number) && number <= most && number >= -most ? number : throw Wrong(name);
    }

    private static int Int(JsonElement from, string name) => (int)Number(from, name, int.MaxValue);

    private static bool Flag(JsonElement from, string name) => from.TryGetProperty(name, out var found) && found.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False or JsonValueKind.Null => false,
        _ => throw Wrong(name),
    };

    private static List<T> Each<T>(JsonElement from, string name, JsonValueKind kind, Func<JsonElement, T> read)
    {
        var all = new List<T>();
        var array = Member(from, name, JsonValueKind.Array);
        if (array.ValueKind == JsonValueKind.Undefined)
            return all;
        foreach (var element in array.EnumerateArray())
            all.Add(element.ValueKind == kind ? read(element) : throw Wrong(name));
        return all;
    }

    private static List<int> Gpus(JsonElement from) =>
        Each(from, "gpus", JsonValueKind.Number, static gpu => gpu.TryGetInt32(out var index) ? index : throw Wrong("gpus"));

    private static JsonException Wrong(string member) => new("not as docs/protocol.md has it", "$." + member, null, null);
}
