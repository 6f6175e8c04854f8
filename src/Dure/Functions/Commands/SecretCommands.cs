using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;
using Spectre.Console;

namespace Dure.Functions.Commands;

/// <summary><c>dure secrets</c>: values that functions get by name and nobody sees again.</summary>
internal static class SecretCommands
{
    private static readonly Argument<string> Name = new("name") { Description = "The secret; functions get it as the environment variable of this name." };
    private static readonly Option<string?> FromFile = new("--from-file") { Description = "Read the value from a file, byte for byte.", HelpName = "FILE" };

    public static Verb Make() => new Verb("secrets", "Keep secrets for functions, encrypted and never shown again.").Alias("secret").With(MakeSet(), MakeList(), MakeUnset());

    private static Verb MakeSet() =>
        new Verb("set", "Set a secret. The value is asked for, or read from standard input or a file; never from the command line, which others can see.",
            ("dure secrets set API_KEY", "asks for the value and does not show it"),
            ("pass show api-key | dure secrets set API_KEY", "from another program; one line break at the end is dropped"),
            ("dure secrets set TLS_KEY --from-file key.pem", "from a file"))
        .With(Name, FromFile)
        .Calls(async (call, client, cancel) =>
        {
            var value = await ReadAsync(call, cancel);
            if (!value.Ok)
            {
                return value.Problem;
            }

            var body = DureClient.Json(new SetSecret(value.Value), CommandJson.Default.SetSecret);
            var set = await client.SendAsync(HttpMethod.Put, PathOf(call), body, cancel);
            if (!set.Ok)
            {
                return set.Problem;
            }

            call.Screen.Say($"{call.Get(Name)} is set. Functions that list it under `secrets` get it at their next start.");
            return ExitCodes.Ok;
        });

    private static Verb MakeList() =>
        new Verb("list", "List the names of the secrets.", ("dure secrets list", "names only; values are never shown"))
        .Alias("ls")
        .Calls(async (call, client, cancel) =>
        {
            var secrets = await client.ListAsync("/api/secrets", int.MaxValue, CommandJson.Default.PageViewSecretView, cancel);
            if (!secrets.Ok)
            {
                return secrets.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(secrets.Value, CommandJson.Default.IReadOnlyListSecretView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("name", 20), new("changed"), new("by", 8)],
                [.. secrets.Value.Select(secret => (IReadOnlyList<string>)[secret.Name, Phrase.Ago(secret.UpdatedAt, call.Time), secret.Owner ?? "-"])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeUnset() =>
        new Verb("unset", "Remove a secret.", ("dure secrets unset API_KEY", "functions that list it can no longer start"))
        .With(Name)
        .Calls(async (call, client, cancel) =>
        {
            var removed = await client.SendAsync(HttpMethod.Delete, PathOf(call), null, cancel);
            if (!removed.Ok)
            {
                return removed.Problem;
            }

            call.Screen.Say($"{call.Get(Name)} is removed.");
            return ExitCodes.Ok;
        });

    private static string PathOf(Call call) => "/api/secrets/" + Uri.EscapeDataString(call.Get(Name)!);

    private static async Task<Outcome<string>> ReadAsync(Call call, CancellationToken cancel)
    {
        try
        {
            if (call.Get(FromFile) is { } file)
            {
                return await File.ReadAllTextAsync(file, cancel);
            }

            if (call.Screen.Traits is { InIsTerminal: true, ErrIsTerminal: true })
            {
                return await new TextPrompt<string>($"Value of {Markup.Escape(call.Get(Name)!)}:").Secret(null).ShowAsync(call.Screen.Talk, cancel);
            }

            var text = await Console.In.ReadToEndAsync(cancel);
            text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
            return text.Length > 0 ? text : CommandErrors.Usage.With("Standard input is empty, so there is no value.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return CommandErrors.FileProblem.With(failure.Message);
        }
    }
}
