using System.CommandLine;

namespace Dure.Host.Commands;

/// <summary><c>dure setup</c>: installs the packages that this machine lacks.</summary>
internal static class SetupCommand
{
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };
    private static readonly Option<bool> All = new("--all") { Description = "Also what only some functions need: Node.js, Go, C++." };
    private static readonly Option<bool> Tests = new("--tests") { Description = "Also what Dure's own tests need." };

    public static Verb Make() =>
        new Verb("setup", "Install the programs that Dure needs and this machine lacks; asks first.",
            ("dure setup", "what the server needs"),
            ("dure setup --all --yes", "every language, without being asked"))
        .With(Yes, All, Tests)
        .Runs(async (call, cancel) =>
        {
            var use = call.Get(Tests) ? PackageUse.Tests : call.Get(All) ? PackageUse.Some : PackageUse.Server;
            var done = await Packages.EnsureAsync(call.Screen, use, call.Get(Yes), cancel);
            if (!done.Ok)
            {
                return done.Problem;
            }

            call.Screen.Note("Everything is there.");
            return ExitCodes.Ok;
        });
}
