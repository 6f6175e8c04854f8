using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Fleet.Lab;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Test.Fleet.Lab;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>One lab for all tests of applies.</summary>
[CollectionDefinition(Name)]
public sealed class ApplyLabs : ICollectionFixture<ApplyLab>
{
    public const string Name = "apply";
}

/// <summary>Another for all tests of upgrades and what is rolling, which take as long and go beside those.</summary>
[CollectionDefinition(Name)]
public sealed class UpgradeLabs : ICollectionFixture<ApplyLab>
{
    public const string Name = "upgrade";
}

/// <summary>Two real machines, n1 and n2, and a folder with their dure.yaml; skips where there can be none. Tests run the real <c>dure</c> in that folder.</summary>
public sealed class ApplyLab : IAsyncLifetime
{
    private static readonly string[] Wanted = ["psmisc", "munge", "haproxy", "keepalived", "curl", "openssl", "nginx", "bubblewrap", "slirp4netns", "libargon2-1", "libsqlite3-0", "python3"];

    private readonly Scratch _scratch = new();
    private readonly string _name = "test-" + Path.GetRandomFileName()[..8].ToLowerInvariant();

    internal RunningLab Lab { get; private set; } = null!;

    /// <summary>Where dure.yaml lies, and where <c>dure</c> is run.</summary>
    internal string Folder => _scratch["fleet"];

    /// <summary>The records of applies.</summary>
    internal string Records => _scratch["state", "dure", "applies"];

    internal string SshConfig => Lab.Folder.SshConfig;

    private LabPlaces Places => LabPlaces.Default with { State = _scratch["labs"] };

    public async ValueTask InitializeAsync()
    {
        if (await TwoMachines.WhyNotAsync(Places) is { } why)
            Assert.Skip(why);
        foreach (var folder in new[] { "fleet", "state", "run" })
            Directory.CreateDirectory(_scratch[folder], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Lab = Value(await RunningLab.UpAsync(Places, new LabSpec(_name, LabSpec.Numbered(2), Wanted), TwoMachines.Mirror, line => TestContext.Current.SendDiagnosticMessage(line), CancellationToken.None));
        Files("secrets/munge_key", string.Concat(Enumerable.Range(0, 40).Select(i => $"not-to-be-seen-{i}-")));
        File.SetUnixFileMode(_scratch["fleet", "secrets", "munge_key"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public async ValueTask DisposeAsync()
    {
        // Connections that wait to be used again outlive the command that opened them.
        foreach (var socket in Directory.Exists(_scratch["run", "dure-ssh"]) ? Directory.GetFiles(_scratch["run", "dure-ssh"]) : [])
            await Child.RunAsync(CancellationToken.None, "ssh", "-O", "exit", "-o", "ControlPath=" + socket, "any");
        if (Lab is not null)
            Value(await RunningLab.DownAsync(Places, _name, CancellationToken.None));
        _scratch.Dispose();
    }

    internal static T Value<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Ok, $"{outcome.Problem?.Kind.Id} {outcome.Problem?.Detail}");
        return outcome.Value;
    }

    internal string Address(string machine) => Lab.Record().Value.AddressOf(Lab.Record().Value.Find(machine).Value).ToString();

    /// <summary>A path inside a machine, as this host sees it.</summary>
    internal string Inside(string machine, string path) => Path.Combine(Lab.Folder.Machine(machine), "root", path.TrimStart('/'));

    /// <summary>Runs a script in a machine, whatever the network does.</summary>
    internal async Task<(int Code, string Text)> ShellAsync(string machine, string script)
    {
        var ran = Value(await Lab.ExecAsync(machine, ["sh", "-c", script], CancellationToken.None));
        return (ran.ExitCode, (ran.Output + ran.Error).TrimEnd('\n'));
    }

    /// <summary>Writes dure.yaml with these roles on n1 and n2; <paramref name="more"/> is added at its end.</summary>
    internal void Fleet(string first, string second, string more = "", string vip = "") => File.WriteAllText(_scratch["fleet", "dure.yaml"], $$"""
        fleet:
          name: test
          ssh: {config: {{SshConfig}}}
        networks:
          internal: {range: {{Lab.Record().Value.Range}}{{(vip.Length > 0 ? $", vip: {vip}" : "")}}}
        machines:
          n1: {address: {{Address("n1")}}, zone: a, roles: [{{first}}]}
          n2: {address: {{Address("n2")}}, zone: b, roles: [{{second}}]}
        {{more}}
        """);

    /// <summary>Writes a file beside dure.yaml.</summary>
    internal void Files(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch["fleet", path])!);
        File.WriteAllText(_scratch["fleet", path], text);
    }

    /// <summary>The overlay's folder is empty again.</summary>
    internal void Clear()
    {
        if (Directory.Exists(_scratch["fleet", "overlay"]))
            Directory.Delete(_scratch["fleet", "overlay"], recursive: true);
        Files("overlay/all/etc/dure-test/here", "x\n");
    }

    /// <summary>Both machines have no role any more.</summary>
    internal async Task ResetAsync()
    {
        Clear();
        Fleet("", "");
        await GoodAsync("apply", "--yes");
    }

    /// <summary>Runs <c>dure</c> beside dure.yaml.</summary>
    internal async Task<Said> DureAsync(params string[] words)
    {
        var start = Start(words);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Runs <c>dure</c> and fails the test when that fails.</summary>
    internal async Task<Said> GoodAsync(params string[] words)
    {
        var said = await DureAsync(words);
        Assert.True(said.Code == 0, $"dure {string.Join(' ', words)} ended with {said.Code}\n{said.Output}\n{said.Error}");
        return said;
    }

    /// <summary>As it is started for <see cref="DureAsync"/>, for those that end it themselves.</summary>
    internal ProcessStartInfo Start(IReadOnlyList<string> words, params IReadOnlyList<string> under)
    {
        string[] all = [.. under, RunningDure.Program, .. words];
        var start = new ProcessStartInfo(all[0], all.Skip(1))
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder,
        };
        start.Environment["XDG_RUNTIME_DIR"] = _scratch["run"];
        start.Environment["XDG_STATE_HOME"] = _scratch["state"];
        start.Environment["COLUMNS"] = "200";
        start.Environment.Remove("DURE_CONFIG");
        return start;
    }
}

/// <summary>What a command answered.</summary>
internal sealed record Said(int Code, string Output, string Error)
{
    public string All => Output + Error;

    public JsonNode Json => JsonNode.Parse(Output)!;
}
