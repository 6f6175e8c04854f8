namespace Dure.Host.Ssh;

/// <summary>Failures of sessions to other machines.</summary>
public static class SshErrors
{
    public static readonly ErrorKind Unreachable = new("DURE0804", "A machine cannot be reached", 503, ExitCodes.Unavailable,
        "Try the ssh line that is shown by hand. Whatever lets it in without a question lets Dure in.");

    public static readonly ErrorKind SessionLost = new("DURE0805", "The session to a machine was lost", 503, ExitCodes.Unavailable,
        "Run the same command again: what was done stays done, and what was not is done then.");

    public static readonly ErrorKind NotRoot = new("DURE0806", "The user cannot become root there", 403, ExitCodes.Denied,
        "Let the user run sudo without a password, or sign in as root with a key.");
}
