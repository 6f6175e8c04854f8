using System.CommandLine;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure token</c>: who may sign in.</summary>
internal static class TokenCommands
{
    private static readonly string[] Scopes = ["invoke", "deploy", "read", "admin"];

    private static readonly Argument<string> Name = new("name") { Description = "Who or what it is for." };
    private static readonly Argument<string> Id = new("id") { Description = "As `dure token list` shows it." };

    private static readonly Option<string[]> Scope = new Option<string[]>("--scope")
    {
        Description = "What it may do: invoke, deploy, read or admin; may be given often.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => ["invoke", "read"],
    }.AcceptOnlyFromAmong(Scopes);

    private static readonly Option<int?> ExpiresInDays = new("--expires-in-days") { Description = "Days until it ends; without, it does not.", HelpName = "DAYS" };

    public static Verb Make() => new Verb("token", "Make, list and revoke tokens.").With(MakeCreate(), MakeList(), MakeRevoke());

    private static Verb MakeCreate() =>
        new Verb("create", "Make a token and print it, once.",
            ("dure token create notebook --scope invoke read", "for a notebook that calls functions"),
            ("dure token create ci --scope deploy --expires-in-days 90", "for a pipeline that deploys"))
        .With(Name, Scope, ExpiresInDays)
        .Calls(async (call, client, cancel) =>
        {
            var body = DureClient.Json(new CreateTokenRequest(call.Get(Name)!, call.Get(Scope)!, call.Get(ExpiresInDays)), HostJson.Default.CreateTokenRequest);
            var created = await client.SendAsync(HttpMethod.Post, "/api/tokens", body, HostJson.Default.CreatedTokenView, cancel);
            if (!created.Ok)
            {
                return created.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(created.Value, HostJson.Default.CreatedTokenView);
            }
            else
            {
                call.Screen.Line(created.Value.Token);
                call.Screen.Note("Keep it now: it is not shown again. Use it as DURE_TOKEN.");
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeList() =>
        new Verb("list", "List the tokens, without their secrets.", ("dure token list", "who may sign in"))
        .Calls(async (call, client, cancel) =>
        {
            var tokens = await client.ListAsync("/api/tokens", int.MaxValue, HostJson.Default.PageViewTokenView, cancel);
            if (!tokens.Ok)
            {
                return tokens.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(tokens.Value, HostJson.Default.IReadOnlyListTokenView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("id"), new("name", 12), new("scopes", 12), new("created"), new("last used"), new("expires")],
                [.. tokens.Value.Select(token => (IReadOnlyList<string>)
                [
                    token.Id, token.Name, string.Join(' ', token.Scopes), Phrase.Ago(token.CreatedAt, call.Time),
                    Phrase.Ago(token.LastUsedAt, call.Time), Phrase.Ago(token.ExpiresAt, call.Time),
                ])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeRevoke() =>
        new Verb("revoke", "End a token at once.", ("dure token revoke t_4f2a", "whoever has it is signed out"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var revoked = await client.SendAsync(HttpMethod.Delete, "/api/tokens/" + Uri.EscapeDataString(call.Get(Id)!), null, cancel);
            if (!revoked.Ok)
            {
                return revoked.Problem;
            }

            call.Screen.Say($"Token {call.Get(Id)} is revoked.");
            return ExitCodes.Ok;
        });
}
