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
return await CommandLine.RunAsync(Dure.Verbs.Root(), args);

namespace Dure
{
    /// <summary>Everything that can be typed after <c>dure</c>, in the order of its help.</summary>
    internal static class Verbs
    {
        public static RootCommand Root() => CommandLine.Root(
        [
            UpCommand.Make(),
            DownCommand.Make(LeftWorker.EndAllAsync),
            DownCommand.MakeRestart(),
            StatusCommand.Make(),
            FunctionCommands.Make(),
            InvocationCommands.Make(),
            WorkerCommands.Make(),
            PublishCommand.Make(),
            AppsCommands.Make(),
            WafCommands.Make(),
            CertCommands.Make(),
            InitCommand.Make(),
            FleetCommands.MakeCheck(),
            CutoverCommand.Make(),
            RolesCommand.Make(),
            PlanCommand.Make(),
            ApplyCommand.Make(),
            UpgradeCommand.Make(),
            PlanCommand.MakeDrift(),
            ApplyRecords.Make(),
            BucketCommands.Make(),
            CopyCommand.Make(),
            ListCommand.Make(),
            RemoveCommand.Make(),
            PresignCommand.Make(),
            SecretCommands.Make(),
            SigninCommand.Make(),
            UserCommands.Make(),
            TokenCommands.Make(),
            AuditCommand.Make(),
            ConfigCommands.Make(),
            BackupCommands.Make(),
            RetentionCommand.Make(),
            StorageCommands.Make(),
            DrillCommands.Make(),
            LabCommands.Make(),
            NotifyCommands.Make(),
            SupportCommand.Make(),
            SetupCommand.Make(),
            UninstallCommand.Make(LeftWorker.EndAllAsync),
            .. CompletionCommand.Make((parsed, cancel) => Task.WhenAll(NameCompletion.FetchAsync(parsed, cancel), StoreCompletion.FetchAsync(parsed, cancel))),
            DocsCommand.Make(FleetPages.All),
        ]);
    }
}
