namespace Dure.Host.Identity;

/// <summary>What a person is in the lab.</summary>
public enum Role
{
    /// <summary>Looks.</summary>
    Viewer,

    /// <summary>Invokes and deploys.</summary>
    Member,

    /// <summary>Everything, people included.</summary>
    Owner,
}

/// <summary>What a role may do, and how it is written.</summary>
public static class Roles
{
    /// <summary>What a role allows.</summary>
    public static Scopes Scopes(this Role role) => role switch
    {
        Role.Owner => Identity.Scopes.Read | Identity.Scopes.Invoke | Identity.Scopes.Deploy | Identity.Scopes.Admin,
        Role.Member => Identity.Scopes.Read | Identity.Scopes.Invoke | Identity.Scopes.Deploy,
        _ => Identity.Scopes.Read,
    };

    /// <summary>Its word.</summary>
    public static string Word(this Role role) => role switch { Role.Owner => "owner", Role.Member => "member", _ => "viewer" };

    /// <summary>The role of a word; null when it is none.</summary>
    public static Role? Parse(string? word) => word switch { "owner" => Role.Owner, "member" => Role.Member, "viewer" => Role.Viewer, _ => null };
}
