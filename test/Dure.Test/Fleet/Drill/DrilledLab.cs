using Dure.Fleet;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Lab;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Host;
using Dure.Test.Fleet.Lab;
using Dure.Test.Host.Commands;
using Xunit;

namespace Dure.Test.Fleet.Drill;

/// <summary>A lab of its own with a layout applied to it, ready to be drilled; gone when it is disposed of.</summary>
internal sealed class DrilledLab : IAsyncDisposable
{
    private readonly Cli _cli = new();
    private readonly string _name = TwoMachines.NewName();

    private DrilledLab()
    {
    }

    public RunningLab Lab { get; private set; } = null!;

    public DrillGround Ground { get; private set; } = null!;

    public static async Task<DrilledLab> OpenAsync(Layout layout, CancellationToken cancel)
    {
        var lab = new DrilledLab();
        try
        {
            await lab.FillAsync(layout, cancel);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Ground is not null)
            await Ground.DisposeAsync();
        await RunningLab.DownAsync(LabPlaces.Default, _name, CancellationToken.None);
        await _cli.DisposeAsync();
    }

    public static T Value<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Ok, $"{outcome.Problem?.Kind.Id} {outcome.Problem?.Detail} {string.Join("; ", outcome.Problem?.Faults ?? [])}");
        return outcome.Value;
    }

    private async Task FillAsync(Layout layout, CancellationToken cancel)
    {
        Lab = Value(await RunningLab.UpAsync(LabPlaces.Default, new LabSpec(_name, LabFleet.Machines(layout), LabFleet.Packages(layout)), TwoMachines.Mirror, line => TestContext.Current.SendDiagnosticMessage(line), cancel));
        var file = Path.Combine(_cli.Folder, "dure.yaml");
        await File.WriteAllTextAsync(file, LabFleet.Text(layout, _name, Value(Lab.Record()).Subnet, Lab.Folder.SshConfig), cancel);
        var fleet = Value(await FleetFile.LoadAsync(file, cancel));
        await FleetSecrets.MakeAsync(fleet, cancel);
        var applied = await _cli.RunAsync("apply", "--yes", "--brief", "--config", file);
        Assert.True(applied.Code == 0, applied.Out + applied.Err);
        var secrets = Value(await FleetSecrets.ReadAsync(fleet, cancel));
        Ground = new DrillGround(fleet, secrets.Of, Lab, TimeProvider.System);
    }
}
