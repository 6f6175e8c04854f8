using Dure.Host.Identity;

namespace Dure.Apps.Access;

/// <summary>A link that leads into an app that is not for everybody. Its secret is known to whoever has it; here only its hash.</summary>
/// <param name="Note">What whoever made it wrote beside it.</param>
public sealed record AppLink(string Id, string App, string Owner, string Note, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt, long Visits)
{
    private const int IdLength = 8;

    public static string NewId() => SecretText.NewId(IdLength);

    /// <summary>Takes the text of a link's key apart: <c>ID.SECRET</c>.</summary>
    public static (string Id, string Secret)? Parse(string? key) =>
        key is { Length: IdLength + 1 + SecretText.Length } && key[IdLength] == '.' && !key.Any(char.IsControl) ? (key[..IdLength], key[(IdLength + 1)..]) : null;
}
