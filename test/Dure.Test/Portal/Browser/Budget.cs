namespace Dure.Test.Portal.Browser;

/// <summary>How much may go over the wire.</summary>
internal static class Budget
{
    /// <summary>Bytes of all scripts and styles together, compressed: what a day of looking at everything costs.</summary>
    public const long Everything = 400 * 1024;

    /// <summary>Bytes of the first load of a view, with its data.</summary>
    public const long FirstLoad = 150 * 1024;

    /// <summary>Bytes of the code editor, which only the pages that show code load, after they stand.</summary>
    public const long Editor = 130 * 1024;

    /// <summary>How soon a view is usable, ms, on a machine that has the time: see <see cref="PortalPage.PaceAsync"/>.</summary>
    public const double UsableMs = 1000;
}
