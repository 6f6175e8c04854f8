using Dure.Fleet.Lab;
using Dure.Host.Programs;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Lab;

/// <summary>A lab of two machines that the tests of a class share; skips where there can be none.</summary>
public sealed class TwoMachines : IAsyncLifetime
{
    /// <summary>Where images come from; debootstrap is there when a lab can be.</summary>
    internal static string Mirror => BaseImage.DefaultMirror!;
    private readonly Scratch _scratch = new();

    internal LabPlaces Places => LabPlaces.Default with { State = _scratch["labs"] };

    internal LabSpec Spec { get; } = new(NewName(), LabSpec.Numbered(2), ["psmisc"]);

    /// <summary>Why there is none; null when there is.</summary>
    internal string? Why { get; private set; }

    internal RunningLab Lab { get; private set; } = null!;

    internal LabRecord Record => Lab.Record().Value;

    /// <summary>Names of labs of tests, so that none meets another.</summary>
    public static string NewName() => "test-" + Path.GetRandomFileName()[..8].ToLowerInvariant();

    public async ValueTask InitializeAsync()
    {
        Why = await WhyNotAsync(Places);
        if (Why is null)
            Lab = Value(await UpAsync(Places, Spec));
    }

    public async ValueTask DisposeAsync()
    {
        if (Lab is not null)
            Value(await RunningLab.DownAsync(Places, Spec.Name, CancellationToken.None));
        _scratch.Dispose();
    }

    internal static Task<Outcome<RunningLab>> UpAsync(LabPlaces places, LabSpec spec) =>
        RunningLab.UpAsync(places, spec, Mirror, line => TestContext.Current.SendDiagnosticMessage(line), CancellationToken.None);

    internal static T Value<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Ok, $"{outcome.Problem?.Kind.Id} {outcome.Problem?.Detail}");
        return outcome.Value;
    }

    /// <summary>Runs a script in a machine.</summary>
    internal async Task<Ran> ShellAsync(string machine, string script) => Value(await Lab.ExecAsync(machine, ["sh", "-c", script], CancellationToken.None));

    /// <summary>Why there can be no lab here; null when there can.</summary>
    internal static async Task<string?> WhyNotAsync(LabPlaces places)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return "A lab needs Linux and root.";
        if (!LabCgroup.IsThere)
            return "No control groups are mounted here.";
        var missing = Packages.Lab.Where(package => !Packages.IsThere(package.Sign)).Select(package => package.Name).ToList();
        if (missing.Count > 0)
            return $"{string.Join(", ", missing)} not installed; `dure setup --tests` installs them.";
        if (Directory.Exists(BaseImage.PathOf(places, LabRelease.Default)))
            return null;
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) }) { Timeout = TimeSpan.FromSeconds(10) };
            using var answer = await client.GetAsync(new Uri(Mirror + "/dists/bookworm/InRelease"), HttpCompletionOption.ResponseHeadersRead);
            return answer.IsSuccessStatusCode ? null : $"No image is cached, and {Mirror} answers {(int)answer.StatusCode}.";
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or OperationCanceledException)
        {
            return $"No image is cached, and {Mirror} cannot be reached.";
        }
    }
}
