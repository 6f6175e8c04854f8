using System.Globalization;
using System.Runtime.InteropServices;
using Dure.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Store;

/// <summary>The files of contents that are too large for the database: <c>data/xx/&lt;id&gt;</c>, named after the row that refers to them.</summary>
internal sealed partial class DataFiles
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const uint StartWriting = 2;

    private readonly string _data;
    private readonly string _incoming;

    /// <summary>Makes the folders that are missing, durably.</summary>
    /// <exception cref="IOException">They cannot be made.</exception>
    public DataFiles(string folder)
    {
        (_data, _incoming) = (Path.Combine(folder, "data"), Path.Combine(folder, "incoming"));
        Directory.CreateDirectory(_incoming, FolderMode);
        Directory.CreateDirectory(_data, FolderMode);
        for (var shard = 0; shard < 256; shard++)
            Directory.CreateDirectory(FolderOf(shard), FolderMode);
        DurableFile.FlushFolder(_data);
        DurableFile.FlushFolder(folder);
        foreach (var left in Directory.EnumerateFiles(_incoming))
            File.Delete(left);
    }

    public string PathOf(long id) => Path.Combine(FolderOf(id), id.ToString("x16", CultureInfo.InvariantCulture));

    /// <exception cref="IOException">The disk is full or failed, or there is such a file already.</exception>
    public SafeFileHandle Create(long id) => Create(PathOf(id));

    /// <summary>A file beside the data that is put in place later.</summary>
    public (string Path, SafeFileHandle File) CreateIncoming()
    {
        var path = Path.Combine(_incoming, Path.GetRandomFileName());
        return (path, Create(path));
    }

    /// <exception cref="IOException">It is gone or the disk failed.</exception>
    public SafeFileHandle Open(long id) => File.OpenHandle(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);

    /// <summary>The bytes and then the name are on the disk afterwards.</summary>
    public void Flush(SafeFileHandle file, long id)
    {
        RandomAccess.FlushToDisk(file);
        DurableFile.FlushFolder(FolderOf(id));
    }

    /// <summary>Puts a flushed file in the place of a content's, durably.</summary>
    public void Replace(string incoming, long id)
    {
        var error = DurableFile.Rename(incoming, PathOf(id));
        if (error != 0)
            throw DurableFile.Failure("rename", incoming, error);
        DurableFile.FlushFolder(FolderOf(id));
    }

    /// <summary>Removes it; what is not there is no error.</summary>
    public void Delete(long id) => File.Delete(PathOf(id));

    /// <summary>Lets the disk begin with a range, so that the flush at the end is short.</summary>
    public static void BeginWriting(SafeFileHandle file, long offset, long length)
    {
        var held = false;
        file.DangerousAddRef(ref held);
        try
        {
            // Only a hint: what it answers does not matter.
            _ = sync_file_range((int)file.DangerousGetHandle(), offset, length, StartWriting);
        }
        finally
        {
            file.DangerousRelease();
        }
    }

    /// <summary>The numbers of all files, one folder at a time.</summary>
    public IEnumerable<IReadOnlyList<long>> All()
    {
        for (var shard = 0; shard < 256; shard++)
        {
            yield return
            [
                .. Directory.EnumerateFiles(FolderOf(shard))
                    .Select(static path => long.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id) ? id : 0)
                    .Where(static id => id > 0),
            ];
        }
    }

    // Nobody else reads the folders, whatever the mode of the file.
    private static SafeFileHandle Create(string path) => File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private string FolderOf(long id) => Path.Combine(_data, (id & 0xff).ToString("x2", CultureInfo.InvariantCulture));

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sync_file_range(int descriptor, long offset, long length, uint flags);
}
