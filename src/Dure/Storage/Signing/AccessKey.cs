namespace Dure.Storage.Signing;

/// <summary>What an access key allows.</summary>
[Flags]
public enum KeyScopes
{
    None = 0,

    /// <summary>List and get.</summary>
    Read = 1,

    /// <summary>Put, copy, delete.</summary>
    Write = 2,

    /// <summary>Make and delete buckets and change their configuration.</summary>
    Buckets = 4,

    /// <summary>Everything, on buckets of every user.</summary>
    Admin = 8,
}

/// <summary>An access key of the embedded store.</summary>
/// <param name="Secret">In the clear, because signatures are made with it; sealed at rest.</param>
/// <param name="User">Who owns what is made with it.</param>
/// <param name="Buckets">The only buckets it may touch; empty for no such limit.</param>
public sealed record AccessKey(string Id, string Secret, string User, KeyScopes Scopes, IReadOnlyList<string> Buckets, DateTimeOffset? ExpiresAt);
