namespace Dure.Host.Files;

/// <summary>Files that nobody else reads and that are gone once they are closed.</summary>
public static class ScratchFile
{
    /// <summary>A new one in the folder for temporary files, to be written and read.</summary>
    public static FileStream Create() => new(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite,
        Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });
}
