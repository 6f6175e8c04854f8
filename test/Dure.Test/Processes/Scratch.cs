namespace Dure.Test.Processes;

/// <summary>A folder of a test's own, gone when the test ends.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch(string? under = null) => Path = under is null
        ? Directory.CreateTempSubdirectory("dure-test-").FullName
        : Directory.CreateDirectory(System.IO.Path.Combine(under, $"dure-test-{System.IO.Path.GetRandomFileName()}")).FullName;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>A path inside.</summary>
    public string this[params string[] names] => System.IO.Path.Combine([Path, .. names]);

    public void Dispose()
    {
        const int tries = 5;
        for (var n = 1; ; n++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (IOException) when (n < tries)
            {
                // Somebody who is about to end has put a file there meanwhile.
            }
        }
    }
}
