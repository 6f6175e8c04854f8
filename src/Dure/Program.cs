using System.CommandLine;
using Dure.Apps.Commands;
using Dure.Edge.Commands;
using Dure.Fleet.Commands;
using Dure.Fleet.Cutover;
using Dure.Fleet.Drill;
using Dure.Fleet.Lab;
using Dure.Fleet.Upgrade;
using Dure.Functions.Commands;
using Dure.Functions.Dispatch;
using Dure.Functions.Worker;
using Dure.Host.Commands;
using Dure.Portal.Notifications.Commands;
using Dure.Storage;
using Dure.Storage.Commands;

// The worker is started by the server, not by people, and starts without the command line's weight.
if (args is ["worker", "--data", _, "--id", ..] and [_, .. var rest])
    return await WorkerProcess.RunAsync(rest, CancellationToken.None);
return await CommandLine.RunAsync(Dure.Verbs.Root(args is [var first, ..] ? first : null), args);

namespace Dure
{
    /// <summary>Everything that can be typed after <c>dure</c>, in the order of its help.</summary>
    internal static class Verbs
    {
        // By the word that people type, so that one alone can be made. Those of completion and docs know all others, and are found among all.
        private static readonly (string[] Names, Func<Verb> Make)[] Each =
        [
            (["up"], UpCommand.Make),
            (["down"], static () => DownCommand.Make(LeftWorker.EndAllAsync)),
            (["restart"], DownCommand.MakeRestart),
            (["status"], StatusCommand.Make),
            (["fn", "function"], FunctionCommands.Make),
            (["invocation", "inv"], InvocationCommands.Make),
            (["worker"], WorkerCommands.Make),
            (["publish"], PublishCommand.Make),
            (["apps"], AppsCommands.Make),
            (["waf"], WafCommands.Make),
            (["cert"], CertCommands.Make),
            (["init"], InitCommand.Make),
            (["check"], FleetCommands.MakeCheck),
            (["cutover"], CutoverCommand.Make),
            (["roles"], RolesCommand.Make),
            (["plan"], PlanCommand.Make),
            (["apply"], ApplyCommand.Make),
            (["upgrade"], UpgradeCommand.Make),
            (["drift"], PlanCommand.MakeDrift),
            (["history"], ApplyRecords.Make),
            (["bucket"], BucketCommands.Make),
            (["cp"], CopyCommand.Make),
            (["ls"], ListCommand.Make),
            (["rm"], RemoveCommand.Make),
            (["presign"], PresignCommand.Make),
            (["secrets", "secret"], SecretCommands.Make),
            (["signin"], SigninCommand.Make),
            (["user"], UserCommands.Make),
            (["token"], TokenCommands.Make),
            (["audit"], AuditCommand.Make),
            (["config"], ConfigCommands.Make),
            (["backup"], BackupCommands.Make),
            (["retention"], RetentionCommand.Make),
            (["storage"], StorageCommands.Make),
            (["drill"], DrillCommands.Make),
            (["lab"], LabCommands.Make),
            (["notify"], NotifyCommands.Make),
            (["support"], SupportCommand.Make),
            (["setup"], SetupCommand.Make),
            (["uninstall"], static () => UninstallCommand.Make(LeftWorker.EndAllAsync)),
        ];

        /// <param name="first">The first word that was typed. Where it is a verb's, that verb alone is made: making all takes longer than most of them run.</param>
        public static RootCommand Root(string? first = null) => CommandLine.Root(Array.Find(Each, verb => verb.Names.Contains(first, StringComparer.Ordinal)).Make is { } one ? [one()] :
        [
            .. Each.Select(verb => verb.Make()),
            .. CompletionCommand.Make((parsed, cancel) => Task.WhenAll(NameCompletion.FetchAsync(parsed, cancel), StoreCompletion.FetchAsync(parsed, cancel))),
            DocsCommand.Make(FleetPages.All),
        ]);
    }
}
