using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>What would be packed of a file or folder on this machine: the entries that <see cref="IgnoreRules"/> leaves, in order.</summary>
internal sealed class SourceFolder
{
    private const int FaultsMax = 100;

    private readonly SourceLimits _limits;
    private readonly IgnoreRules _rules;
    private readonly List<SourceEntry> _entries = [];
    private readonly List<Fault> _faults = [];
    private long _bytes;

    private SourceFolder(string root, SourceLimits limits, IgnoreRules rules) => (Root, _limits, _rules) = (root, limits, rules);

    /// <summary>The folder that the paths of <see cref="Entries"/> are relative to.</summary>
    public string Root { get; }

    /// <summary>Sorted by path, byte by byte.</summary>
    public IReadOnlyList<SourceEntry> Entries => _entries;

    /// <summary>All files together.</summary>
    public long Bytes => _bytes;

    /// <summary>Looks at a file or a folder; every fault is listed, not only the first.</summary>
    public static Outcome<SourceFolder> Scan(string path, SourceLimits limits)
    {
        try
        {
            return File.Exists(path) ? OneFile(path, limits) : Folder(path, limits);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return DeployErrors.SourceMissing.With(e.Message);
        }
    }

    private static Outcome<SourceFolder> OneFile(string path, SourceLimits limits)
    {
        var file = new FileInfo(new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path));
        var tree = new SourceFolder(file.DirectoryName!, limits, IgnoreRules.From([]));
        if (SourcePaths.Fault(file.Name, limits) is { } fault)
            tree.Refuse(file.Name, fault);
        else
            tree.AddFile(file, file.Name);
        return tree.Done(path);
    }

    private static Outcome<SourceFolder> Folder(string path, SourceLimits limits)
    {
        var folder = new DirectoryInfo(new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path));
        if (!folder.Exists)
            return DeployErrors.SourceMissing.With($"{path} does not exist.");
        var ignore = Path.Combine(folder.FullName, IgnoreRules.FileName);
        var tree = new SourceFolder(folder.FullName, limits, IgnoreRules.From(File.Exists(ignore) ? File.ReadAllLines(ignore) : []));
        tree.AddFolder(folder, "", 1);
        tree.CheckLinks();
        if (tree._entries.Count == 0 && tree._faults.Count == 0)
            return DeployErrors.SourceMissing.With($"{path} is empty, or {IgnoreRules.FileName} leaves nothing of it.");
        return tree.Done(path);
    }

    private Outcome<SourceFolder> Done(string path)
    {
        if (_bytes > _limits.BytesMax)
            return DeployErrors.PackageTooLarge.With($"{path} holds {Quantities.Bytes(_bytes)}; {Quantities.Bytes(_limits.BytesMax)} are allowed.", Largest());
        if (_entries.Count > _limits.FilesMax)
            return DeployErrors.PackageTooLarge.With($"{path} holds more than {_limits.FilesMax} files.");
        if (_faults.Count > 0)
            return DeployErrors.PackageRefused.With($"{path}: {_faults.Count} {(_faults.Count == 1 ? "entry" : "entries")} cannot be deployed.", _faults);
        _entries.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return this;
    }

    private List<Fault> Largest() =>
        [.. _entries.OrderByDescending(e => e.Length).Take(5).Select(e => new Fault(SourcePaths.Show(e.Path), Quantities.Bytes(e.Length)))];

    private void AddFolder(DirectoryInfo folder, string prefix, int depth)
    {
        FileSystemInfo[] children;
        try
        {
            children = folder.GetFileSystemInfos();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(prefix, e.Message);
            return;
        }

        var names = children.Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var child in children)
        {
            if (_entries.Count > _limits.FilesMax || _faults.Count >= FaultsMax)
                return;
            var path = prefix + child.Name;
            var kind = UnixFile.KindOf(child.FullName);
            var isFolder = kind == SourceKind.Folder;
            if (_rules.Verdict(path, isFolder) ?? (isFolder && IsMadeAgain(child, names)))
                continue;
            if (SourcePaths.Fault(path, _limits) is { } fault)
                Refuse(path, fault);
            else if (kind == SourceKind.File)
                AddFile(new FileInfo(child.FullName), path);
            else if (kind == SourceKind.Link)
                _entries.Add(new(path, SourceKind.Link, false, 0, child.LinkTarget));
            else if (kind is null)
                Refuse(path, "a device, pipe or socket; only files, folders and links can be deployed");
            else if (depth < _limits.DepthMax)
            {
                _entries.Add(new(path, SourceKind.Folder, false, 0, null));
                AddFolder(new DirectoryInfo(child.FullName), path + "/", depth + 1);
            }
        }
    }

    /// <summary>Folders that a tool makes again from files beside them.</summary>
    private static bool IsMadeAgain(FileSystemInfo folder, HashSet<string> beside) => folder.Name switch
    {
        "node_modules" => beside.Contains("package.json") && (beside.Contains("package-lock.json") || beside.Contains("npm-shrinkwrap.json")),
        "bin" or "obj" => beside.Any(n => n.EndsWith(".csproj", StringComparison.Ordinal)),
        _ => File.Exists(Path.Combine(folder.FullName, "pyvenv.cfg")),
    };

    private void AddFile(FileInfo file, string path)
    {
        try
        {
            // Opened, not only looked at: a file that cannot be read is named now and not in the middle of the upload.
            using var open = File.OpenHandle(file.FullName);
            var executable = file.UnixFileMode.HasFlag(UnixFileMode.UserExecute);
            var length = RandomAccess.GetLength(open);
            _entries.Add(new(path, SourceKind.File, executable, length, null));
            _bytes += length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(path, e.Message);
        }
    }

    private void CheckLinks()
    {
        var links = _entries.Where(e => e.Kind == SourceKind.Link).ToDictionary(e => e.Path, e => e.Content!, StringComparer.Ordinal);
        foreach (var (path, target) in links)
        {
            if (SourceLinks.Fault(path, target, links.GetValueOrDefault) is { } fault)
                Refuse(path, fault);
        }
    }

    private void Refuse(string path, string what)
    {
        if (_faults.Count < FaultsMax)
            _faults.Add(new(SourcePaths.Show(path), what));
    }
}
