using System.CommandLine;
using Dure.Host.Identity;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure signin</c>: a link that signs a browser in, once.</summary>
internal static class SigninCommand
{
    private static readonly Option<string?> User = new("--user") { Description = "Whom it signs in; without, the owner.", HelpName = "NAME" };

    public static Verb Make() =>
        new Verb("signin", "Print a link that signs a browser in to the portal: once, within ten minutes.",
            ("dure signin", "as the owner"),
            ("dure signin --user ada", "for a person who has no password, or forgot it"),
            ("dure signin --format json", "for a program"))
        .With(User)
        .Calls(async (call, client, cancel) =>
        {
            var made = await MakeAsync(client, call.Get(User), cancel);
            if (!made.Ok)
            {
                return made.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(made.Value, SigninJson.Default.LinkView);
            }
            else
            {
                call.Screen.Line(made.Value.Url);
                call.Screen.Note($"Signs in {made.Value.Name}, once, within ten minutes. Whoever has the link is {made.Value.Name}: give it to nobody else.");
            }

            return ExitCodes.Ok;
        });

    /// <summary>A link for the owner at a server that was just started here; null when there is none, or nobody to read it.</summary>
    public static async Task<string?> LinkAsync(Screen screen, RunningServer running, string data, CancellationToken cancel)
    {
        if (screen.Format == OutputFormat.Json || !File.Exists(OwnerToken.PathIn(data)))
        {
            return null;
        }

        using var client = new DureClient(new ServerEndpoint(new Uri(running.Url), (await File.ReadAllTextAsync(OwnerToken.PathIn(data), cancel)).Trim(), data));
        var made = await MakeAsync(client, null, cancel);
        return made.Ok ? made.Value.Url : null;
    }

    /// <summary>Asks the server for a link.</summary>
    /// <param name="name">Null for the owner.</param>
    public static Task<Outcome<LinkView>> MakeAsync(DureClient client, string? name, CancellationToken cancel) =>
        client.SendAsync(HttpMethod.Post, $"/api/people/{Uri.EscapeDataString(name ?? "-")}/link", null, SigninJson.Default.LinkView, cancel);
}
