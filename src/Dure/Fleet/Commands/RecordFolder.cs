namespace Dure.Fleet.Commands;

/// <summary>Where records of what was done from here are kept: <c>$XDG_STATE_HOME/dure</c>, else <c>~/.local/state/dure</c>, with a folder for each kind.</summary>
internal static class RecordFolder
{
    /// <param name="kind">The folder's name: <c>applies</c>, <c>drills</c>.</param>
    public static string Of(string kind)
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        return Path.Combine(string.IsNullOrEmpty(state) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state") : state, "dure", kind);
    }

    /// <summary>Keeps one, for nobody else to read.</summary>
    public static async Task KeepAsync(string kind, string name, string text, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Of(kind), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, name), text, cancel);
    }
}
