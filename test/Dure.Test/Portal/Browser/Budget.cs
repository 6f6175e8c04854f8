namespace Dure.Test.Portal.Browser;

/// <summary>How much may go over the wire.</summary>
internal static class Budget
{
    /// <summary>Bytes of all scripts and styles together, compressed: what a day of looking at everything costs.</summary>
    public const long Everything = 400 * 1024;

    private const long Page = 150 * 1024;

    /// <summary>Bytes of the first load of a view, with its data.</summary>
    public static long FirstLoad(string path) => Page;
}
