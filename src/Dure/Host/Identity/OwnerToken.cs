using System.Text;
using Dure.Host.Files;

namespace Dure.Host.Identity;

/// <summary>
/// The token of whoever owns the data folder: made at first start, kept in <c>&lt;data&gt;/keys/owner.token</c> for the owner's eyes only. To
/// replace it, delete the file and start again.
/// </summary>
public static class OwnerToken
{
    /// <summary>The name of the token and of the things that the owner makes.</summary>
    public const string Name = "owner";

    /// <summary>Where it is kept.</summary>
    public static string PathIn(string data) => Path.Combine(KeyFolder.PathIn(data), "owner.token");

    /// <summary>Sees to it that the file holds a valid token, and that no other owner's token is valid.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static async Task EnsureAsync(TokenStore tokens, string data, CancellationToken cancel)
    {
        var path = PathIn(data);
        var text = KeyFolder.Read(path)?.Trim();
        if (text is not null && tokens.Authenticate(text) is not null)
        {
            return;
        }
        // A token that the database does not know of belongs to one that was lost or replaced: the file stands.
        if (text is null || !TokenText.TryParse(text, out var id, out _) || await tokens.ExistedAsync(id.ToString(), cancel))
        {
            // The file first: a crash in between leaves a token that the database does not know of.
            text = TokenText.Make();
            KeyFolder.Write(path, Encoding.ASCII.GetBytes(text + "\n"));
        }
        await tokens.AddAsync(text, Name, Scopes.Admin, Name, expiresIn: null, replaces: Name, cancel);
    }
}
