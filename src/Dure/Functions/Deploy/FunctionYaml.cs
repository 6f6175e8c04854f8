using System.Globalization;
using System.Text.RegularExpressions;
using System.Text;
using Dure.Functions.Worker;
using Dure.Host.Configuration;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Reads <c>function.yaml</c>. Every mistake is reported at once, with line and column. <c>examples/function.yaml</c> shows every key.</summary>
public static partial class FunctionYaml
{
    /// <summary>The file, in the function's folder.</summary>
    public const string FileName = "function.yaml";

    /// <summary>The runtimes there are.</summary>
    public static readonly IReadOnlyList<string> Runtimes = ["python", "node", "go", "cpp", "csharp", "bootstrap"];

    private const long MemoryMin = 16L << 20;
    private const long MemoryMax = 64L << 40;
    private const int EnvironmentBytesMax = 128 * 1024;

    private static readonly Dictionary<string, string> s_runtimeSpellings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["nodejs"] = "node", ["node.js"] = "node", ["javascript"] = "node", ["js"] = "node", ["typescript"] = "node", ["ts"] = "node", ["py"] = "python",
        ["golang"] = "go", ["c++"] = "cpp", ["cxx"] = "cpp", ["c#"] = "csharp", ["cs"] = "csharp", ["dotnet"] = "csharp", ["custom"] = "bootstrap", ["provided"] = "bootstrap",
    };

    /// <summary>The settings that the text asks for; DURE0104 with every fault.</summary>
    public static Outcome<FunctionSettings> Parse(string text)
    {
        var (settings, faults) = YamlFields.Parse(text, FileName, Settings, new FunctionSettings());
        if (faults.Count == 0)
            return settings;
        return DeployErrors.YamlInvalid.With(
            faults.Count == 1 ? $"{FileName} has a mistake." : $"{FileName} has {faults.Count} mistakes.", [.. faults.OrderBy(LineOf)]);
    }

    private static FunctionSettings Settings(YamlFields fields)
    {
        var settings = new FunctionSettings
        {
            Name = fields.Checked("name", static n => FunctionName.Check(n).Problem?.Detail),
            Runtime = Runtime(fields),
            Handler = fields.Checked("handler", HandlerFault),
            Mode = fields.Choice("mode", ("shim", SandboxMode.Shim), ("plain", SandboxMode.Plain), ("runtime-api", SandboxMode.RuntimeApi)),
            Build = fields.Checked("build", static b => b.Contains('\0') ? "it holds a NUL byte" : null),
            MemoryBytes = fields.Bytes("memory", MemoryMin, MemoryMax),
            CpuMillis = Cpu(fields),
            Processes = fields.Number("processes", 4, 1_000_000),
            TmpBytes = fields.Bytes("tmp", 0, MemoryMax),
            OpenFiles = fields.Number("open_files", 16, 1_048_576),
            Gpus = fields.Number("gpu", 0, 64),
            Timeout = fields.Duration("timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(3650), "none"),
            Environment = Environment(fields),
            Secrets = Secrets(fields),
            Network = fields.Choice("network", ("none", SandboxNetwork.None), ("egress", SandboxNetwork.Egress)),
            Schedule = Schedule(fields),
            Concurrency = fields.Number("concurrency", 1, 1_000),
            Instances = fields.Number("instances", 0, 10_000),
            IdleTimeout = fields.Duration("idle_timeout", TimeSpan.Zero, TimeSpan.FromDays(30)),
            Retries = Retries(fields),
            AtMostOnce = fields.Flag("at_most_once"),
            Idempotent = fields.Flag("idempotent"),
            Durability = fields.Choice("durability", ("durable", Durability.Durable), ("relaxed", Durability.Relaxed)),
        };
        fields.RefuseUnknown();
        RefuseContradictions(fields, settings);
        return settings;
    }

    private static void RefuseContradictions(YamlFields fields, FunctionSettings settings)
    {
        if (settings is { AtMostOnce: true, Retries.Max: > 0 })
            fields.Fault(fields.Node("retries")!, "`at_most_once: true` never runs again, so `retries` must be 0");
        if (settings is { AtMostOnce: true, Idempotent: true })
            fields.Fault(fields.Node("idempotent")!, "`idempotent: true` says that running again does no harm, `at_most_once: true` that it must not be; choose one");
        foreach (var name in settings.Secrets ?? [])
        {
            if (settings.Environment?.ContainsKey(name) == true)
                fields.Fault(fields.Node("secrets")!, $"`{name}` is both a secret and in `environment`; it can be only one");
        }

        if (settings is { Retries: { } retries } && retries.FirstDelay > retries.LongestDelay)
            fields.Fault(fields.Node("retries")!, "`retries.first_delay` is longer than `retries.longest_delay`");
    }

    private static string? HandlerFault(string handler) =>
        ("/" + handler + "/").Contains("/../", StringComparison.Ordinal) || handler.StartsWith('/')
            ? "it must lie in the folder: no `..` and no leading `/`"
            : HandlerPattern().IsMatch(handler) ? null : "it must be module.function (handler.handler) or a program's path in the folder, without spaces";

    private static string? Runtime(YamlFields fields)
    {
        if (fields.Scalar("runtime") is not { } text)
            return null;
        if (Runtimes.Contains(text.Text, StringComparer.Ordinal))
            return text.Text;
        var bare = text.Text.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '-', 'x');
        var meant = Runtimes.Contains(bare, StringComparer.Ordinal) ? bare : s_runtimeSpellings.GetValueOrDefault(bare);
        var hint = meant is null ? Spelling.DidYouMean(text.Text, Runtimes) : $" Did you mean `{meant}`?";
        fields.Fault(text, $"there is no runtime \"{SourcePaths.Show(text.Text)}\"; there are {string.Join(", ", Runtimes)}.{hint}");
        return null;
    }

    private static int? Cpu(YamlFields fields)
    {
        if (fields.Scalar("cpu") is not { } text)
            return null;
        if (text.Text is "none" or "0")
            return 0;
        var millis = text.Text.EndsWith('m') ? text.Text[..^1] : null;
        const decimal most = 1024;
        if (decimal.TryParse(millis ?? text.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && (millis is null ? number : number / 1000) is >= 0.01m and <= most and var cores)
            return (int)(cores * 1000);
        fields.Fault(text, $"`cpu` must be a number of cores from 0.01 to {most}, such as 0.5 or 2, or none; it is \"{SourcePaths.Show(text.Text)}\"");
        return null;
    }

    private static Dictionary<string, string>? Environment(YamlFields fields)
    {
        var values = fields.Variables("environment", VariableFault, static value => value is not YamlText text ? "must be a single value" : text.Text.Contains('\0') ? "holds a NUL byte" : null);
        if (values is null)
            return null;
        if (values.Sum(v => Encoding.UTF8.GetByteCount(v.Key) + Encoding.UTF8.GetByteCount(v.Value)) > EnvironmentBytesMax)
            fields.Fault(fields.Node("environment")!, $"`environment` takes more than {EnvironmentBytesMax / 1024} KiB; put the values in a file of the folder");
        return values;
    }

    private static List<string>? Secrets(YamlFields fields)
    {
        if (fields.Node("secrets") is not { } node)
            return null;
        var names = new List<string>();
        foreach (var item in node is YamlList list ? list.Items : [node])
        {
            if (item is not YamlText text)
                fields.Fault(item, "`secrets` must be a list of names; values never stand in function.yaml (`dure secrets set NAME`)");
            else if (VariableFault(text.Text) is { } what)
                fields.Fault(item, what);
            else if (names.Contains(text.Text, StringComparer.Ordinal))
                fields.Fault(item, $"`{text.Text}` is there twice");
            else
                names.Add(text.Text);
        }

        return names;
    }

    private static string? VariableFault(string name)
    {
        if (!VariablePattern().IsMatch(name))
            return $"\"{SourcePaths.Show(name)}\" cannot be the name of an environment variable: letters, digits and `_`, not a digit first, at most 128";
        return name.StartsWith("DURE_", StringComparison.Ordinal) || name is "AWS_LAMBDA_RUNTIME_API" or "_HANDLER" or "LAMBDA_TASK_ROOT"
            ? $"`{name}` is set by Dure itself"
            : null;
    }

    private static FunctionSchedule? Schedule(YamlFields fields)
    {
        var node = fields.Node("schedule");
        if (node is null)
            return null;
        var inner = node is YamlMap map ? fields.Map("schedule", map) : null;
        var cron = inner is null ? node as YamlText : inner.Scalar("cron");
        var zone = inner?.Scalar("time_zone");
        inner?.RefuseUnknown();
        if (cron is null)
        {
            fields.Fault(node, "`schedule` must be five fields, such as \"0 3 * * *\", or `cron:` and `time_zone:`");
            return null;
        }

        var parsed = CronSchedule.Parse(cron.Text);
        foreach (var fault in parsed.Problem?.Faults ?? [])
            fields.Fault(cron, $"schedule \"{SourcePaths.Show(cron.Text)}\", {fault.Where}: {fault.What}");
        if (zone is not null && !TimeZoneInfo.TryFindSystemTimeZoneById(zone.Text, out _))
            fields.Fault(zone, $"\"{SourcePaths.Show(zone.Text)}\" is no time zone of this machine; IANA names are meant, such as Europe/Berlin or UTC.{ZoneHint(zone.Text)}");
        return new(cron.Text.Trim(), zone?.Text ?? "UTC");
    }

    private static string ZoneHint(string written) => Spelling.DidYouMean(written, TimeZoneInfo.GetSystemTimeZones().Select(z => z.Id));

    private static RetryPolicy? Retries(YamlFields fields)
    {
        switch (fields.Node("retries"))
        {
            case null:
                return null;
            case YamlText text:
                return fields.Number(text, "retries", 0, 100) is { } times
                    ? new(times, FunctionSettings.FirstDelayDefault, FunctionSettings.LongestDelayDefault)
                    : null;
            case YamlMap map:
                var inner = fields.Map("retries", map)!;
                var max = inner.Number("max", 0, 100);
                var first = inner.Duration("first_delay", TimeSpan.Zero, TimeSpan.FromDays(1)) ?? FunctionSettings.FirstDelayDefault;
                var longest = inner.Duration("longest_delay", TimeSpan.Zero, TimeSpan.FromDays(7));
                inner.RefuseUnknown();
                return new(max ?? 0, first, longest ?? (first > FunctionSettings.LongestDelayDefault ? first : FunctionSettings.LongestDelayDefault));
            case var other:
                fields.Fault(other, "`retries` must be a number or `max:`, `first_delay:`, `longest_delay:`");
                return null;
        }
    }

    private static (int, int) LineOf(Fault fault)
    {
        var parts = fault.Where.Split(':');
        int At(int i) => parts.Length > i && int.TryParse(parts[i], CultureInfo.InvariantCulture, out var n) ? n : 0;
        return (At(1), At(2));
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,127}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex VariablePattern();

    [GeneratedRegex("^[A-Za-z0-9_.$@/+-]{1,256}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex HandlerPattern();
}
