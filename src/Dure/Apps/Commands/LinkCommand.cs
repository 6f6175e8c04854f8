using System.CommandLine;
using Dure.Apps.Linking;
using Dure.Apps.Running;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps link</c>: a tunnel to an edge that cannot reach this machine.</summary>
internal static class LinkCommand
{
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Print what would be written on both machines, and change nothing." };
    private static readonly Option<bool> Remove = new("--remove") { Description = "Take the tunnel away from both machines." };

    public static Verb Make() =>
        new Verb("link", "Keep a tunnel open to an edge that cannot reach this machine, such as behind a home router.",
            ("sudo dure apps link --dry-run", "what would be written, here and on the edge"),
            ("sudo dure apps link", "sets it up, and waits until the edge gets through"),
            ("sudo dure apps link --remove", "nothing is left of it on either machine"))
        .With(DryRun, Remove)
        .Runs(async (call, cancel) =>
        {
            var loaded = ConfigurationLoader.Load(call.Sources());
            if (!loaded.Ok)
                return loaded.Problem;
            var apps = loaded.Value.Options.Apps;
            if (!Tunnel.Needed(apps))
                return LinkErrors.NotNeeded.With(apps.Edge is null ? "apps.edge is not set." : $"apps.address is {apps.Address}.");
            var tunnel = new Tunnel(apps);
            if (call.Get(DryRun))
            {
                call.Screen.Line($"# {Tunnel.UnitPath}");
                call.Screen.Line(tunnel.UnitText());
                call.Screen.Line($"# on {apps.Edge}, as root");
                call.Screen.Line(Tunnel.EdgeScript("PUBLIC-KEY"));
                return ExitCodes.Ok;
            }

            if (!SystemdUnits.IsThere)
                return LinkErrors.NoSystemd.With(Environment.IsPrivilegedProcess ? "This machine does not run systemd." : "This is not root.");
            var setup = new TunnelSetup(apps, call.Time);
            var problem = call.Get(Remove) ? await setup.RemoveAsync(cancel)
                : await Working.RunAsync(call.Screen, "setting up the tunnel", working => setup.SetUpAsync(working.Say, cancel));
            if (problem is not null)
                return problem;
            call.Screen.Say(call.Get(Remove) ? "the tunnel is gone" : $"{apps.Edge} reaches ports {apps.PortFirst} to {Tunnel.LastPort(apps)} of this machine");
            return ExitCodes.Ok;
        });
}
