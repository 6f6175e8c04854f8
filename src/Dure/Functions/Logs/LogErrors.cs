using Dure.Host;

namespace Dure.Functions.Logs;

/// <summary>Failures of looking into logs.</summary>
public static class LogErrors
{
    public static readonly ErrorKind BadSearch = new("DURE0440", "The log cannot be searched so", 400, ExitCodes.Usage,
        "Look for a text of one line, or correct the regular expression; backreferences and lookarounds are not available.");

    public static readonly ErrorKind BadWindow = new("DURE0441", "The part of the log cannot be understood", 400, ExitCodes.Usage,
        "`from` is a line's number from 0 on; `count` is 1 to 2000.");
}
