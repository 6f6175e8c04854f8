namespace Dure.Host.Identity;

/// <summary>Failures of signing in, and of handling people and their sessions.</summary>
public static class SigninErrors
{
    public static readonly ErrorKind NoSuchPerson = new("DURE0070", "There is no such account", 404, ExitCodes.NotFound,
        "`dure user list` shows the accounts; `dure user add NAME` makes one.");

    public static readonly ErrorKind PersonExists = new("DURE0071", "The account exists already", 409, ExitCodes.Conflict,
        "Take another name, or change the one that is there with `dure user set-role` or `dure user passwd`.");

    public static readonly ErrorKind LastOwner = new("DURE0072", "The last owner stays", 409, ExitCodes.Conflict,
        "Make another account an owner first (`dure user set-role NAME owner`): without an owner nobody could let people in.");

    public static readonly ErrorKind WrongPassword = new("DURE0073", "The name or the password is wrong", 401, ExitCodes.Denied,
        "Try again, or ask an owner for a one-time link (`dure signin --user NAME`). On the server's machine `dure signin` prints one for the owner.");

    public static readonly ErrorKind TooManyTries = new("DURE0074", "There were too many tries", 429, ExitCodes.Limit,
        "Wait as long as Retry-After says. A one-time link (`dure signin` on the server's machine) works meanwhile.");

    public static readonly ErrorKind LinkSpent = new("DURE0075", "The one-time link is not valid (any more)", 401, ExitCodes.Denied,
        "A link works once, and for ten minutes. `dure signin` on the server's machine prints another.");

    public static readonly ErrorKind Forged = new("DURE0076", "The request does not come from this site's own pages", 403, ExitCodes.Denied,
        "Load the page again. A program that has a session's cookie sends the header Dure-Csrf with what GET /api/session tells as `csrf`; a program of your own uses a token instead.");

    public static readonly ErrorKind NoSuchProvider = new("DURE0077", "There is no such identity provider", 404, ExitCodes.NotFound,
        "Those that are configured stand below signin.oidc in dure.yaml; the sign-in page shows a button for each.");

    public static readonly ErrorKind AnswerRefused = new("DURE0078", "The identity provider's answer cannot be trusted", 400, ExitCodes.Denied,
        "Start again from the sign-in page, in one browser and within ten minutes. If it happens again, the server's log says which check failed.");

    public static readonly ErrorKind ProviderUnreachable = new("DURE0079", "The identity provider cannot be asked", 502, ExitCodes.Unavailable,
        "The server's log says what it answered. Meanwhile a password or a one-time link (`dure signin`) works.");

    public static readonly ErrorKind NotInvited = new("DURE0080", "The identity provider knows you, but nobody let you in here", 403, ExitCodes.Denied,
        "Ask an owner to add you (`dure user add NAME --email ADDRESS`), or to allow your address with signin.oidc.NAME.allow.");

    public static readonly ErrorKind Disabled = new("DURE0081", "The account is disabled", 403, ExitCodes.Denied,
        "An owner can enable it again: `dure user enable NAME`.");

    public static readonly ErrorKind NoSuchSession = new("DURE0082", "There is no such session", 404, ExitCodes.NotFound,
        "It may have ended already; GET /api/sessions lists those that are open.");

    public static readonly ErrorKind OnlyInPerson = new("DURE0083", "Only a person who is signed in may do this", 403, ExitCodes.Denied,
        "Sign in to the portal. A token may not make further tokens, so that a stolen one ends when it is revoked.");

    public static readonly ErrorKind NoHashing = new("DURE0084", "Passwords cannot be checked on this machine", 503, ExitCodes.Missing,
        "Install the package libargon2-1: the password was stored with it. A one-time link (`dure signin`) works meanwhile.");
}
