using Dure.Host;

namespace Dure.Apps.Access;

/// <summary>Failures of who may enter an app: DURE0930 to DURE0939.</summary>
public static class AccessErrors
{
    public static readonly ErrorKind NoPortal = new("DURE0930", "Members could not sign in", 422, ExitCodes.Usage,
        "Set signin.public_url to the portal's public address and apps.public_url to that of the apps, or publish with another visibility.");

    public static readonly ErrorKind NotLetIn = new("DURE0931", "This app is not for everybody", 401, ExitCodes.Denied, "Open it with the link that you were given, or sign in as a member of the lab.");

    public static readonly ErrorKind LinkOver = new("DURE0932", "The link does not lead in any more", 403, ExitCodes.Denied, "Ask who gave it to you for another one: links end by themselves, and can be taken back.");

    public static readonly ErrorKind HandoverOver = new("DURE0933", "Signing in did not lead back here", 403, ExitCodes.Denied, "Open the app's address again. The browser must accept cookies, and the way through the portal may take a minute.");

    public static readonly ErrorKind NotShared = new("DURE0934", "The app needs no link", 409, ExitCodes.Conflict, "Publish it with `visibility: link` or `visibility: members` in app.yaml; then links to it can be made.");

    public static readonly ErrorKind NoSuchLink = new("DURE0935", "The app has no such link", 404, ExitCodes.NotFound, "`dure apps shares ID` lists those that lead in.");
}
