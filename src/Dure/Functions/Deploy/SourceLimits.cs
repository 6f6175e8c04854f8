namespace Dure.Functions.Deploy;

/// <summary>What a package may hold. Checked by the command line before it sends and by the server while it receives.</summary>
/// <param name="BytesMax">All files together, unpacked, bytes. 4 GiB by default.</param>
/// <param name="FilesMax">Files, folders and links together. 200,000 by default.</param>
/// <param name="PathBytesMax">One path inside the package, UTF-8 bytes. 1,024 by default.</param>
/// <param name="DepthMax">Folders inside folders. 64 by default.</param>
/// <param name="FreeBytesMin">Unpacking stops before less than this is free on the disk, bytes. 512 MiB by default.</param>
public sealed record SourceLimits(
    long BytesMax = 4L << 30,
    int FilesMax = 200_000,
    int PathBytesMax = 1024,
    int DepthMax = 64,
    long FreeBytesMin = 512L << 20);

/// <summary>What an entry of a source tree is.</summary>
public enum SourceKind
{
    File,
    Folder,
    Link,
}

/// <summary>One entry of a source tree.</summary>
/// <param name="Path">Relative, with <c>/</c> between its parts.</param>
/// <param name="Executable">Files: mode 0555 rather than 0444.</param>
/// <param name="Length">Files: bytes.</param>
/// <param name="Content">Files: SHA-256, 64 lower-case hex digits, once read; links: the target as written.</param>
public sealed record SourceEntry(string Path, SourceKind Kind, bool Executable, long Length, string? Content);
