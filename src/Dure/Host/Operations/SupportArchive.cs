using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Dure.Host.Files;

namespace Dure.Host.Operations;

/// <summary>
/// Gathers what somebody who helps needs to see, in one archive without secrets: nothing from <c>keys/</c>, no database, no events, results or
/// logs of functions; what looks like a token or a password in an address is blotted out of every text.
/// </summary>
internal sealed partial class SupportArchive(string data)
{
    private const int LogBytes = 1 << 20;
    private static readonly TimeSpan ProgramPatience = TimeSpan.FromSeconds(5);

    private readonly List<(string Name, string Text)> _files = [];
    private readonly string[] _keys = KeysIn(data);

    /// <summary>Names and sizes of what is inside, in order.</summary>
    public IEnumerable<(string Name, int Bytes)> Contents => _files.Select(file => (file.Name, Encoding.UTF8.GetByteCount(file.Text)));

    /// <summary>Adds a text.</summary>
    public void Add(string name, string text) => _files.Add((name, Blot(text)));

    /// <summary>Adds the end of a log, if there is one.</summary>
    public void AddLog(string path)
    {
        if (LogEnd.Read(path, LogBytes) is { } text)
            Add("logs/" + Path.GetFileName(path), text);
    }

    /// <summary>Adds facts about the machine.</summary>
    public async Task AddMachineAsync(CancellationToken cancel)
    {
        var text = new StringBuilder();
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"dure {DureVersion.Text}\ndotnet {Environment.Version}\nprocessors {Environment.ProcessorCount}\nroot {Environment.IsPrivilegedProcess}\n");
        foreach (var path in new[] { "/proc/version", "/etc/os-release", "/proc/meminfo", "/proc/pressure/memory", "/proc/self/cgroup", "/proc/self/limits",
            "/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/unprivileged_userns_clone", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "/sys/fs/cgroup/cgroup.controllers" })
        {
            text.Append("\n== ").Append(path).Append('\n').Append(File.Exists(path) ? await File.ReadAllTextAsync(path, cancel) : "not there\n");
        }
        var mounts = (await File.ReadAllLinesAsync("/proc/self/mounts", cancel)).Where(line => line.Contains("cgroup", StringComparison.Ordinal));
        text.Append("\n== cgroup mounts\n").AppendJoin('\n', mounts).Append('\n');
        foreach (string[] words in new string[][] { ["bwrap", "--version"], ["python3", "--version"], ["node", "--version"], ["go", "version"], ["gcc", "--version"], ["df", "-h", data], ["df", "-i", data] })
            text.Append("\n== ").AppendJoin(' ', words).Append('\n').Append(await SayAsync(words, cancel));
        Add("machine.txt", text.ToString());
    }

    /// <summary>Writes the archive.</summary>
    public async Task WriteAsync(string path, CancellationToken cancel)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        await using var zip = new GZipStream(file, CompressionLevel.Optimal);
        await using var tar = new TarWriter(zip);
        foreach (var (name, text) in _files)
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "dure-support/" + name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) }, cancel);
    }

    private string Blot(string text)
    {
        foreach (var key in _keys)
            text = text.Replace(key, "[removed]", StringComparison.Ordinal);
        return Secrets().Replace(text, "${before}[removed]");
    }

    private static string[] KeysIn(string data)
    {
        try
        {
            return [.. Directory.EnumerateFiles(KeyFolder.PathIn(data)).SelectMany(File.ReadAllLines).SelectMany(line => line.Split(' ')).Where(word => word.Length >= 16)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static async Task<string> SayAsync(string[] words, CancellationToken cancel)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(ProgramPatience);
            using var process = Process.Start(new ProcessStartInfo(words[0], words.Skip(1)) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (said, complained) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return await said + await complained;
        }
        catch (Exception error) when (error is System.ComponentModel.Win32Exception or IOException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return error.Message + "\n";
        }
    }

    [GeneratedRegex("""(?<before>\bBearer\s+|://[^\s/:@]*:|[Pp]assword\s*[=:]\s*)[^\s@;]+|\bdure_[A-Za-z0-9_-]{16,}""", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Secrets();
}
