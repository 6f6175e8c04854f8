namespace Dure.Test.Processes;

/// <summary>
/// The <c>dure</c> that tests start. <c>./dure test</c> hands them a release, as users have it: compiled ahead of time, it starts in a quarter of the time of a debug build, and tests start it
/// thousands of times. Without, it is the one that was built with the tests.
/// </summary>
internal static class ProgramUnderTest
{
    /// <summary>The environment variable that says where a release lies: its Debian package, and what its archive unpacks to. No name of a setting of Dure.</summary>
    private const string Variable = "RELEASE_UNDER_TEST";

    /// <summary>The folder with the release; null when there is none yet.</summary>
    public static string? Release { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : null;

    /// <summary>The folder that the program lies in, with all it needs.</summary>
    public static string Folder { get; } = Release is null ? AppContext.BaseDirectory.TrimEnd('/') : System.IO.Path.Combine(Unpacked(Release), "bin");

    /// <summary>The program.</summary>
    public static string Path { get; } = System.IO.Path.Combine(Folder, "dure");

    /// <summary>What the archive of a release unpacked to.</summary>
    public static string Unpacked(string release) => Directory.GetDirectories(release, "dure-*").Single();
}
