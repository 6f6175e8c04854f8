using System.CommandLine;

namespace Dure.Host.Commands;

/// <summary>Options that every verb takes.</summary>
public static class GlobalOptions
{
    public static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "table for people, json for programs; DURE_FORMAT sets the default.",
        HelpName = "table|json",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("DURE_FORMAT") is "json" ? "json" : "table",
    }.AcceptOnlyFromAmong("table", "json");

    public static readonly Option<bool> Quiet = new("--quiet", "-q")
    {
        Description = "No talk on standard error but warnings and errors.",
        Recursive = true,
    };

    public static readonly Option<string?> Url = new("--url")
    {
        Description = "The server; else DURE_URL, else the one that runs on this machine.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> Token = new("--token")
    {
        Description = "The token to sign in with. Better DURE_TOKEN: arguments can be seen by others on the machine.",
        HelpName = "TOKEN",
        Recursive = true,
    };

    public static readonly Option<string?> Data = new("--data")
    {
        Description = "Folder of everything Dure keeps; the server on it is the one spoken to.",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<string?> Config = new("--config")
    {
        Description = "The configuration file, instead of ./dure.yaml or /etc/dure/dure.yaml.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static IReadOnlyList<Option> All { get; } = [Format, Quiet, Url, Token, Data, Config];
}
