using System.Text;

namespace Dure.Host.Identity;

/// <summary>What a new password must be. Long rather than odd: people remember sentences, and guessing is slowed down.</summary>
internal static class PasswordRules
{
    /// <summary>UTF-8.</summary>
    public const int BytesMost = 1024;

    private const int LengthLeast = 12;
    private const int DifferentLeast = 5;

    /// <summary>What is wrong with it; says nothing of the password itself.</summary>
    public static IReadOnlyList<Fault> Check(string? password, string name)
    {
        if (password is null || password.Length < LengthLeast)
            return [new Fault("password", $"At least {LengthLeast} characters; a short sentence is good.")];
        if (Encoding.UTF8.GetByteCount(password) > BytesMost)
            return [new Fault("password", $"At most {BytesMost} bytes.")];
        if (password.Distinct().Count() < DifferentLeast)
            return [new Fault("password", $"At least {DifferentLeast} different characters.")];
        return name.Length > 2 && password.Length < name.Length + LengthLeast && password.Contains(name, StringComparison.OrdinalIgnoreCase)
            ? [new Fault("password", "Not the account's name with something added.")] : [];
    }
}
