namespace Dure.Host.Ssh;

/// <summary>The folder of connections that wait to be used again. A control socket's path may have 108 bytes, so it is short.</summary>
internal static class ControlFolder
{
    /// <summary>The folder of this user, made 0700; null when it cannot be made or belongs to another, and then every session connects anew.</summary>
    public static string? Make()
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        var path = string.IsNullOrEmpty(runtime) || runtime.Length > 40 || !Directory.Exists(runtime)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh", "dure")
            : Path.Combine(runtime, "dure-ssh");
        if (path.Length > 60)
            return null;
        try
        {
            var folder = Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return (folder.UnixFileMode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0 ? path : null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
