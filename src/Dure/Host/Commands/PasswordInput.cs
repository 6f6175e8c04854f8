using Spectre.Console;

namespace Dure.Host.Commands;

/// <summary>Reads a password: asked for twice on a terminal, else the first line of standard input; never from the command line, which others can see.</summary>
internal static class PasswordInput
{
    public static async Task<Outcome<string>> ReadAsync(Call call, string of, CancellationToken cancel)
    {
        if (call.Screen.Traits is { InIsTerminal: true, ErrIsTerminal: true })
        {
            var first = await new TextPrompt<string>($"Password of {Markup.Escape(of)}:").Secret(null).ShowAsync(call.Screen.Talk, cancel);
            var second = await new TextPrompt<string>("Once more:").Secret(null).ShowAsync(call.Screen.Talk, cancel);
            return first == second ? first : CommandErrors.Usage.With("The two are not the same.");
        }

        var line = await Console.In.ReadLineAsync(cancel);
        return string.IsNullOrEmpty(line) ? CommandErrors.Usage.With("Standard input is empty, so there is no password.") : line;
    }
}
