using System.CommandLine;
using Dure.Edge.Certificates;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Programs;
using Dure.Host.Terminal;

namespace Dure.Edge.Commands;

/// <summary><c>dure cert ca</c>: certificates for links between machines, from an authority of one's own.</summary>
internal static class AuthorityCommands
{
    private const string Units = "/etc/systemd/system/";

    private static readonly Option<string?> Folder = new("--ca") { Description = "The authority's folder; without, /etc/dure/ca for root and ~/.config/dure/ca for others.", HelpName = "FOLDER" };
    private static readonly Option<string?> Identity = new("--identity") { Description = "Key of age that opens the root's key; without, age.key beside the folder.", HelpName = "FILE" };
    private static readonly Option<string[]> Permitted = new("--names") { Description = "A domain or a network that it may vouch for; may be repeated.", HelpName = "DOMAIN", Required = true };
    private static readonly Option<string?> Recipient = new("--recipient") { Description = "Public key of age, or of ssh, for the root's key; without, one is made.", HelpName = "KEY" };
    private static readonly Argument<string[]> Names = new("name") { Description = "Host names and addresses; the first is what the files are called.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Into = new("--into") { Description = "Where NAME.pem, NAME.key and root.pem are put.", HelpName = "FOLDER", DefaultValueFactory = _ => "." };
    private static readonly Option<string?> Reload = new("--reload") { Description = "Run when they are new, now and after each renewal.", HelpName = "COMMAND" };
    private static readonly Option<bool> All = new("--all") { Description = "Also what is not due." };
    private static readonly Option<bool> Timer = new("--timer") { Description = "Renew every day from now on, by a timer of systemd." };
    private static readonly Argument<string> Name = new("name") { Description = "As `dure cert ca list` has it." };

    private static string Home => Environment.IsPrivilegedProcess ? "/etc/dure" : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "dure");

    public static Verb Make() => new Verb("ca", "Keep an authority for links between machines.").With(MakeInit(), MakeIssue(), MakeList(), MakeRenew(), MakeRevoke());

    private static string FolderOf(Call call) => Path.GetFullPath(call.Get(Folder) ?? Path.Combine(Home, "ca"));

    private static string IdentityOf(Call call) => Path.GetFullPath(call.Get(Identity) ?? Path.Combine(Path.GetDirectoryName(FolderOf(call)) ?? "/", "age.key"));

    private static InternalAuthority Of(Call call) => new(FolderOf(call), IdentityOf(call), call.Time);

    private static Verb MakeInit() =>
        new Verb("init", "Make an authority that may vouch for certain names only; its key is encrypted with age.",
            ("dure cert ca init --names lab.internal --names 10.0.0.0/8", "and an age key beside it, to be kept elsewhere"),
            ("dure cert ca init --names lab.internal --recipient age1...", "for a key that lies elsewhere already"))
        .With(Permitted, Recipient, Folder, Identity)
        .Runs(async (call, cancel) =>
        {
            if (NameConstraint.Read(call.Get(Permitted)!, out var wrong) is not { } names)
                return AuthorityErrors.BadName.With($"'{Dure.Host.Texts.Shown.Safely(wrong)}'");
            var made = await Of(call).InitAsync(names, call.Get(Recipient), cancel);
            if (!made.Ok)
                return made.Problem;
            call.Screen.Line(made.Value);
            call.Screen.Say("Machines that trust this file trust it for these names, and for nothing else.");
            return ExitCodes.Ok;
        });

    private static Verb MakeIssue() =>
        new Verb("issue", "Give a machine a certificate for 90 days.",
            ("dure cert ca issue n1.lab.internal 10.0.0.11 --into /etc/ssl/dure", "for a name and an address"),
            ("dure cert ca issue db.lab.internal --into /etc/ssl/dure --reload 'systemctl reload postgresql'", "and tell who uses it"))
        .With(Names, Into, Reload, Folder, Identity)
        .Runs(async (call, cancel) =>
        {
            var names = call.Get(Names)!.Select(name => name.ToLowerInvariant()).ToList();
            if (names.Find(name => Uri.CheckHostName(name) is not (UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6)) is { } wrong)
                return AuthorityErrors.BadName.With($"'{Dure.Host.Texts.Shown.Safely(wrong)}'");
            var issued = await Of(call).IssueAsync(names, call.Get(Into)!, call.Get(Reload), cancel);
            return issued.Ok ? Print(call.Screen, [issued.Value]) : issued.Problem;
        });

    private static Verb MakeList() =>
        new Verb("list", "List what the authority gave.", ("dure cert ca list", "with the days that are left"), ("dure cert ca list --format json", "for a program"))
        .With(Folder)
        .Runs(async (call, cancel) =>
        {
            var listed = await new InternalAuthority(FolderOf(call), "", call.Time).ListAsync(cancel);
            return listed.Ok ? Print(call.Screen, listed.Value, "The authority gave nothing yet: dure cert ca issue NAME") : listed.Problem;
        });

    private static Verb MakeRenew() =>
        new Verb("renew", "Give certificates anew that are past two thirds of their life, and run their hooks.",
            ("dure cert ca renew", "what is due"),
            ("dure cert ca renew --timer", "and every day from now on"))
        .With(All, Timer, Folder, Identity)
        .Runs(async (call, cancel) =>
        {
            var renewed = await Of(call).RenewAsync(call.Get(All), cancel);
            if (!renewed.Ok)
                return renewed.Problem;
            if (call.Get(Timer) && await InstallTimerAsync(call, cancel) is { } failed)
                return failed;
            return Print(call.Screen, renewed.Value, "Nothing is due.");
        });

    private static Verb MakeRevoke() =>
        new Verb("revoke", "Take the trust from a certificate.", ("dure cert ca revoke n1.lab.internal", "revoked.pem of the authority's folder names it from then on"))
        .With(Name, Folder, Identity)
        .Runs(async (call, cancel) =>
        {
            var revoked = await Of(call).RevokeAsync(call.Get(Name)!, cancel);
            if (!revoked.Ok)
                return revoked.Problem;
            call.Screen.Line(Of(call).RevocationFile);
            call.Screen.Say($"{revoked.Value.Name} is revoked for whoever reads this list: nginx by ssl_crl, HAProxy by crl-file");
            return ExitCodes.Ok;
        });

    private static async Task<Problem?> InstallTimerAsync(Call call, CancellationToken cancel)
    {
        // A launcher's own builds are replaced by later ones.
        var program = Environment.GetEnvironmentVariable("DURE_LAUNCHER") is { Length: > 0 } launcher ? Path.GetFullPath(launcher) : Environment.ProcessPath!;
        var words = new[] { program, "cert", "ca", "renew", "--ca", FolderOf(call), "--identity", IdentityOf(call) };
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root ? $"Environment=\"DOTNET_ROOT={root}\"\n" : "";
        await File.WriteAllTextAsync(Units + "dure-cert-ca.service", $"[Unit]\nDescription=Dure: certificates of the internal authority\n\n[Service]\nType=oneshot\n{dotnet}ExecStart={string.Join(' ', words.Select(word => $"\"{word.Replace("%", "%%", StringComparison.Ordinal)}\""))}\n", cancel);
        await File.WriteAllTextAsync(Units + "dure-cert-ca.timer", "[Unit]\nDescription=Dure: certificates of the internal authority, every day\n\n[Timer]\nOnCalendar=daily\nRandomizedDelaySec=1h\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n", cancel);
        string[][] lines = [["systemctl", "daemon-reload"], ["systemctl", "enable", "--quiet", "--now", "dure-cert-ca.timer"]];
        foreach (var line in lines)
        {
            var ran = await HostProgram.RunAsync(line, cancel);
            if (ran.ExitCode != 0)
                return AuthorityErrors.Reload.With($"{string.Join(' ', line)}: {ran.Why}");
        }

        return null;
    }

    private static Outcome<int> Print(Screen screen, List<IssuedCertificate> issued, string none = "")
    {
        if (screen.Format == OutputFormat.Json)
            screen.Json(issued, IssuedJson.Default.ListIssuedCertificate);
        else if (issued.Count == 0)
            screen.Say(none);
        else
        {
            screen.Table([new("name"), new("state", Painted: true), new("days", RightAligned: true), new("names", 12), new("folder", 12)],
            [
                .. issued.Select(one => (IReadOnlyList<string>)[one.Name, one.RevokedAt is not null ? "revoked" : one.ExpiresAt < screen.Time.GetUtcNow() ? "expired" : "ok",
                    FormattableString.Invariant($"{Math.Floor((one.ExpiresAt - screen.Time.GetUtcNow()).TotalDays)}"), string.Join(' ', one.Names), one.Folder]),
            ]);
        }

        return ExitCodes.Ok;
    }
}
