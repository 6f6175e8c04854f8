using System.CommandLine;
using System.CommandLine.Completions;

namespace Dure.Host.Commands;

/// <summary><c>dure completion</c>: scripts for shells, and the hidden verb that they ask.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # Completion of dure for bash. For this shell: . <(dure completion bash)
        # For all: dure completion bash > ~/.local/share/bash-completion/completions/dure
        _dure() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]/#\~/$HOME}" complete -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null | cut -f1)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _dure dure

        """;

    private const string Zsh = """
        #compdef dure
        # Completion of dure for zsh. For this shell: source <(dure completion zsh)
        # For all: dure completion zsh > a file _dure in a folder of $fpath
        _dure() {
            local line label
            local -a labels lines
            for line in "${(@f)$("${words[1]/#\~/$HOME}" complete -- "${BUFFER[1,CURSOR]}" 2>/dev/null)}"; do
                [[ -n $line ]] || continue
                label=${line%%$'\t'*}
                labels+=("$label")
                lines+=("$label  -- ${line#*$'\t'}")
            done
            if (( ${#labels} )); then compadd -l -d lines -a labels; else _files; fi
        }
        if (( $+functions[compdef] )); then compdef _dure dure; fi

        """;

    private const string Fish = """
        # Completion of dure for fish: dure completion fish > ~/.config/fish/completions/dure.fish
        complete -c dure -e
        complete -c dure -f -a '(dure complete -- (commandline -cp) 2>/dev/null)'
        complete -c dure -n '__fish_seen_subcommand_from deploy' -F

        """;

    private static readonly Argument<string> Line = new("line");

    /// <param name="prepare">Fetches what completing this line needs, such as the names of functions.</param>
    public static Verb[] Make(Func<ParseResult, CancellationToken, Task> prepare) =>
    [
        new Verb("completion", "Print a script that completes commands, options and names in your shell.").With(
            Script("bash", Bash, ". <(dure completion bash)"),
            Script("zsh", Zsh, "source <(dure completion zsh)"),
            Script("fish", Fish, "dure completion fish > ~/.config/fish/completions/dure.fish")),
        new Verb("complete", "What can come next on a line.", ("dure complete -- 'dure fn in'", "prints invoke")) { Hidden = true }
            .With(Line)
            .Runs(async (call, cancel) =>
            {
                foreach (var item in await CompleteAsync(call.Root, call.Get(Line)!, prepare, cancel))
                {
                    call.Screen.Line($"{item.Label}\t{item.Detail ?? item.Documentation}");
                }

                return ExitCodes.Ok;
            }),
    ];

    /// <summary>What can come next after the text, which begins with the program's name.</summary>
    internal static async Task<IReadOnlyList<CompletionItem>> CompleteAsync(
        Command root, string line, Func<ParseResult, CancellationToken, Task> prepare, CancellationToken cancel)
    {
        var afterProgram = line.IndexOf(' ', StringComparison.Ordinal) is var space and >= 0 ? line[(space + 1)..] : "";
        var parsed = root.Parse(afterProgram, CommandLine.Parsing);
        await prepare(parsed, cancel);
        var word = afterProgram[(afterProgram.LastIndexOf(' ') + 1)..];
        return
        [
            .. parsed.GetCompletions(afterProgram.Length)
                .Where(item => item.Label.StartsWith('-') == word.StartsWith('-') && item.Label.StartsWith(word, StringComparison.Ordinal) && item.Label is not ("-?" or "/?" or "/h"))
                .DistinctBy(item => item.Label, StringComparer.Ordinal),
        ];
    }

    private static Verb Script(string shell, string text, string use) =>
        new Verb(shell, $"Print the script for {shell}.", (use, shell == "fish" ? "for every shell from now on" : "for the shell that you are in"))
            .Runs(async (call, cancel) =>
            {
                await call.Screen.Out.WriteAsync(text.AsMemory(), cancel);
                return ExitCodes.Ok;
            });
}
