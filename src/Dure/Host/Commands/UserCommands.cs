using System.CommandLine;
using Dure.Host.Identity;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure user</c>: who may sign in to the portal.</summary>
internal static class UserCommands
{
    private static readonly string[] AllRoles = ["owner", "member", "viewer"];
    private static readonly Argument<string> Name = new("name") { Description = "The account." };
    private static readonly Argument<string> NewRole = new Argument<string>("role") { Description = "owner (everything), member (invokes and deploys) or viewer (looks)." }.AcceptOnlyFromAmong(AllRoles);
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };
    private static readonly Option<string?> DisplayName = new("--display-name") { Description = "How the person is called.", HelpName = "TEXT" };
    private static readonly Option<string?> Email = new("--email") { Description = "Address by which an identity provider's account is recognized at its first sign-in.", HelpName = "ADDRESS" };
    private static readonly Option<bool> NoPassword = new("--no-password") { Description = "Without a password: the person signs in through an identity provider or a one-time link." };

    private static readonly Option<string> Role = new Option<string>("--role")
    {
        Description = "owner (everything), member (invokes and deploys) or viewer (looks).",
        DefaultValueFactory = _ => "member",
    }.AcceptOnlyFromAmong(AllRoles);

    public static Verb Make() => new Verb("user", "Say who may sign in to the portal, and what they may do.")
        .With(MakeAdd(), MakeList(), MakeSetRole(), MakePassword(), MakeDisable(disabled: true), MakeDisable(disabled: false), MakeRemove());

    private static Verb MakeAdd() =>
        new Verb("add", "Make an account. The password is asked for, or read from standard input.",
            ("dure user add ada", "asks for a password; a member"),
            ("dure user add grace --role viewer --email grace@lab.example --no-password", "signs in through the identity provider"),
            ("pwgen 20 1 | dure user add ada", "the password from another program"))
        .With(Name, Role, DisplayName, Email, NoPassword)
        .Calls(async (call, client, cancel) =>
        {
            string? password = null;
            if (!call.Get(NoPassword))
            {
                var read = await PasswordInput.ReadAsync(call, call.Get(Name)!, cancel);
                if (!read.Ok)
                {
                    return read.Problem;
                }

                password = read.Value;
            }

            var body = DureClient.Json(new AddPersonRequest(call.Get(Name)!, call.Get(DisplayName), call.Get(Role), call.Get(Email), password), SigninJson.Default.AddPersonRequest);
            var added = await client.SendAsync(HttpMethod.Post, "/api/people", body, SigninJson.Default.PersonView, cancel);
            return Say(call, added, person => $"{person.Name} is a {person.Role}." + (password is null ? $" `dure signin --user {person.Name}` makes a link to sign in with." : ""));
        });

    private static Verb MakeList() =>
        new Verb("list", "List the accounts.", ("dure user list", "who may sign in"))
        .Alias("ls")
        .Calls(async (call, client, cancel) =>
        {
            var people = await client.ListAsync("/api/people", int.MaxValue, SigninJson.Default.PageViewPersonView, cancel);
            if (!people.Ok)
            {
                return people.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(people.Value, SigninJson.Default.IReadOnlyListPersonView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("name", 12), new("role"), new("called", 12), new("e-mail"), new("signs in by"), new("sessions", RightAligned: true), new("seen"), new("state")],
                [.. people.Value.Select(person => (IReadOnlyList<string>)
                [
                    person.Name, person.Role, person.DisplayName, person.Email ?? "-", person.Provider ?? (person.Password ? "password" : "link"), $"{person.Sessions}",
                    Phrase.Ago(person.LastSeenAt, call.Time), person.DisabledAt is null ? "enabled" : "disabled",
                ])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeSetRole() =>
        new Verb("set-role", "Change what somebody may do, at once.", ("dure user set-role ada owner", "ada may do everything"))
        .With(Name, NewRole)
        .Calls(async (call, client, cancel) =>
            Say(call, await ChangeAsync(call, client, new ChangePersonRequest(null, call.Get(NewRole), null, null), cancel), person => $"{person.Name} is a {person.Role} now."));

    private static Verb MakePassword() =>
        new Verb("passwd", "Set a password. It is asked for, or read from standard input; the account's sessions end.",
            ("dure user passwd ada", "asks twice and does not show it"),
            ("pwgen 20 1 | dure user passwd ada", "from another program"))
        .With(Name)
        .Calls(async (call, client, cancel) =>
        {
            var read = await PasswordInput.ReadAsync(call, call.Get(Name)!, cancel);
            if (!read.Ok)
            {
                return read.Problem;
            }

            var set = await client.SendAsync(HttpMethod.Put, PathOf(call) + "/password", DureClient.Json(new PasswordRequest(read.Value, null), SigninJson.Default.PasswordRequest), cancel);
            return Done(call, set, $"The password of {call.Get(Name)} is set, and all sessions of the account have ended.");
        });

    private static Verb MakeDisable(bool disabled) =>
        (disabled
            ? new Verb("disable", "Keep somebody out: sessions and tokens of the account end at once.", ("dure user disable ada", "what ada made stays"))
            : new Verb("enable", "Let somebody in again.", ("dure user enable ada", "as before; tokens are to be made anew")))
        .With(Name)
        .Calls(async (call, client, cancel) =>
            Say(call, await ChangeAsync(call, client, new ChangePersonRequest(null, null, null, disabled), cancel), person => $"{person.Name} is {(disabled ? "disabled" : "enabled")}."));

    private static Verb MakeRemove() =>
        new Verb("remove", "Remove an account with its sessions and tokens; what it made stays.", ("dure user remove ada", "asks first"))
        .Alias("rm")
        .With(Name, Yes)
        .Calls(async (call, client, cancel) =>
        {
            var sure = await call.ConfirmAsync($"Remove the account {call.Get(Name)}?", call.Get(Yes), cancel);
            return sure.Ok ? Done(call, await client.SendAsync(HttpMethod.Delete, PathOf(call), null, cancel), $"{call.Get(Name)} is removed.") : sure.Problem;
        });

    private static Task<Outcome<PersonView>> ChangeAsync(Call call, DureClient client, ChangePersonRequest change, CancellationToken cancel) =>
        client.SendAsync(HttpMethod.Patch, PathOf(call), DureClient.Json(change, SigninJson.Default.ChangePersonRequest), SigninJson.Default.PersonView, cancel);

    private static string PathOf(Call call) => "/api/people/" + Uri.EscapeDataString(call.Get(Name)!);

    private static Outcome<int> Say(Call call, Outcome<PersonView> outcome, Func<PersonView, string> text)
    {
        if (!outcome.Ok)
        {
            return outcome.Problem;
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(outcome.Value, SigninJson.Default.PersonView);
        }
        else
        {
            call.Screen.Say(text(outcome.Value));
        }

        return ExitCodes.Ok;
    }

    private static Outcome<int> Done(Call call, Outcome<bool> outcome, string text)
    {
        if (!outcome.Ok)
        {
            return outcome.Problem;
        }

        call.Screen.Say(text);
        return ExitCodes.Ok;
    }
}
