namespace Dure.Test.Portal.Browser;

/// <summary>How somebody looks at the portal.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Theme">dark or light.</param>
/// <param name="Language">en or ko.</param>
/// <param name="Touch">A phone: touched, not pointed at.</param>
internal sealed record Viewing(int Width = 1440, int Height = 900, string Theme = "dark", string Language = "en", bool Touch = false)
{
    /// <summary>At a desk.</summary>
    public static readonly Viewing Desk = new();

    /// <summary>On a phone.</summary>
    public static readonly Viewing Phone = new(390, 844, Touch: true);
}
