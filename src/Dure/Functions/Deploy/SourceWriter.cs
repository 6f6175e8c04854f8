using System.Buffers;
using System.Security.Cryptography;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>
/// Writes the entries of a package below one folder. Collects every fault and writes nothing more once there is one; never writes
/// through a link: links are made last, and an entry below a link is refused.
/// </summary>
internal sealed class SourceWriter(string root, SourceLimits limits)
{
    private const int FaultsMax = 100;
    private const long DiskCheckBytes = 16L << 20;

    private readonly Dictionary<string, SourceEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<Fault> _faults = [];
    private long _bytes;
    private long _bytesAtDiskCheck = long.MinValue / 2;

    /// <summary>Set when reading on makes no sense: a limit was reached, the disk is full, or too many faults were found.</summary>
    public Problem? Stop { get; private set; }

    public void Refuse(string path, string what)
    {
        _faults.Add(new(SourcePaths.Show(path), what));
        if (_faults.Count >= FaultsMax)
            Stop = Refused();
    }

    public void AddFolder(string rawPath)
    {
        var path = SourcePaths.Tidy(rawPath);
        if (path.Length == 0 || _entries.TryGetValue(path, out var known) && known.Kind == SourceKind.Folder)
            return;
        if (Accepts(path))
            MakeFolder(path);
    }

    public void AddLink(string rawPath, string target)
    {
        var path = SourcePaths.Tidy(rawPath);
        if (Accepts(path))
            _entries[path] = new(path, SourceKind.Link, false, 0, target);
    }

    public async Task AddFileAsync(string rawPath, bool executable, long length, Stream content, CancellationToken cancel)
    {
        var path = SourcePaths.Tidy(rawPath);
        if (!Accepts(path) || !Reserve(path, length))
            return;
        if (_faults.Count > 0)
        {
            _entries[path] = new(path, SourceKind.File, executable, length, null);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var file = new FileStream(Host(path), FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
            long written = 0;
            while (await content.ReadAsync(buffer, cancel) is > 0 and var n)
            {
                written += n;
                if (written > length && !Reserve(path, n))
                    return;
                hash.AppendData(buffer, 0, n);
                await file.WriteAsync(buffer.AsMemory(0, n), cancel);
                if (_bytes - length + written - _bytesAtDiskCheck > DiskCheckBytes && !HasSpace(_bytes - length + written))
                    return;
            }

            File.SetUnixFileMode(file.SafeFileHandle, executable ? UnixFile.Program : UnixFile.Plain);
            _entries[path] = new(path, SourceKind.File, executable, written, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public async Task AddHardLinkAsync(string rawPath, string rawTarget, CancellationToken cancel)
    {
        var target = SourcePaths.Tidy(rawTarget);
        if (!_entries.TryGetValue(target, out var known) || known.Kind != SourceKind.File)
        {
            Refuse(rawPath, $"a hard link to {SourcePaths.Show(rawTarget)}, which is not an earlier file of the package");
            return;
        }

        await using var content = _faults.Count > 0 ? Stream.Null : File.OpenRead(Host(target));
        await AddFileAsync(rawPath, known.Executable, known.Length, content, cancel);
    }

    /// <summary>Checks the links and makes them. The tree is then as the package says; it is not on the disk for certain yet.</summary>
    public Outcome<UnpackedSource> Finish()
    {
        if (Stop is not null)
            return Stop;
        var (top, entries) = WithoutWrapper();
        var links = entries.Where(e => e.Kind == SourceKind.Link).ToDictionary(e => e.Path, e => e.Content!, StringComparer.Ordinal);
        foreach (var (path, target) in links)
        {
            if (SourceLinks.Fault(path, target, links.GetValueOrDefault) is { } fault && Stop is null)
                Refuse(path, fault);
        }

        if (_faults.Count > 0)
            return Refused();
        if (entries.All(e => e.Kind == SourceKind.Folder))
            return DeployErrors.PackageRefused.With("The package holds no files.");
        foreach (var (path, target) in links)
            File.CreateSymbolicLink(Path.Combine(top, path), target);
        entries.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return new UnpackedSource(top, entries, _bytes);
    }

    private Problem Refused() =>
        DeployErrors.PackageRefused.With(
            _faults.Count >= FaultsMax ? $"More than {FaultsMax} entries are refused; these are the first." : $"{_faults.Count} of the package's entries are refused.",
            [.. _faults]);

    /// <summary>Archives of a folder often hold that one folder and all else in it: it is then taken as the top.</summary>
    private (string Top, List<SourceEntry> Entries) WithoutWrapper()
    {
        var tops = _entries.Keys.Where(p => !p.Contains('/')).Take(2).ToList();
        if (tops.Count != 1 || _entries[tops[0]].Kind != SourceKind.Folder)
            return (root, [.. _entries.Values]);
        var prefix = tops[0] + "/";
        var inside = _entries.Values.Where(e => e.Path.StartsWith(prefix, StringComparison.Ordinal));
        return (Host(tops[0]), [.. inside.Select(e => e with { Path = e.Path[prefix.Length..] })]);
    }

    private bool Accepts(string path)
    {
        if (Stop is not null)
            return false;
        if (SourcePaths.Fault(path, limits) is { } fault)
        {
            Refuse(path, fault);
            return false;
        }

        if (_entries.ContainsKey(path))
        {
            Refuse(path, "the name is there twice");
            return false;
        }

        if (_entries.Count >= limits.FilesMax)
        {
            Stop = DeployErrors.PackageTooLarge.With($"The package holds more than {limits.FilesMax} files.");
            return false;
        }

        return HasFolderFor(path);
    }

    private bool HasFolderFor(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            var parent = path[..slash];
            if (!_entries.TryGetValue(parent, out var known))
                MakeFolder(parent);
            else if (known.Kind != SourceKind.Folder)
            {
                Refuse(path, $"it lies below {SourcePaths.Show(parent)}, which is not a folder");
                return false;
            }
        }

        return true;
    }

    private void MakeFolder(string path)
    {
        _entries[path] = new(path, SourceKind.Folder, false, 0, null);
        if (_faults.Count == 0)
            BuildFiles.MakeFolder(Host(path));
    }

    private bool Reserve(string path, long bytes)
    {
        _bytes += bytes;
        if (_bytes > limits.BytesMax)
        {
            Stop = DeployErrors.PackageTooLarge.With(
                $"Unpacked, the package is larger than {Quantities.Bytes(limits.BytesMax)}; this was noticed at {SourcePaths.Show(path)} ({Quantities.Bytes(bytes)}).");
            return false;
        }

        return bytes < DiskCheckBytes || HasSpace(_bytes);
    }

    private bool HasSpace(long bytesNow)
    {
        _bytesAtDiskCheck = bytesNow;
        var free = new DriveInfo(root).AvailableFreeSpace;
        if (free > limits.FreeBytesMin)
            return true;
        Stop = DeployErrors.DiskFull.With($"{Quantities.Bytes(free)} are free on the data disk; {Quantities.Bytes(limits.FreeBytesMin)} are kept free.");
        return false;
    }

    private string Host(string path) => Path.Combine(root, path);
}
