using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>Prepares the folder that every sandbox sees at <c>/dure/rt</c>: the shims, <c>dure-init</c>, and <c>dure-spawn</c> for the worker itself.</summary>
public static class RuntimesFolder
{
    private const string Spawn = "dure-spawn";
    private const string Init = "dure-init";
    private const string Digest = "digest";

    /// <summary>Returns <c>&lt;data&gt;/runtimes/&lt;digest&gt;</c>, made from <paramref name="source"/> when it does not exist yet. May be called by several processes at once.</summary>
    /// <param name="data">The data folder.</param>
    /// <param name="source">Folder of the runtimes, built (it holds <c>dure-init</c> and <c>dure-spawn</c>) or source (it holds <c>build.sh</c>); null looks beside the executable and above it.</param>
    public static async Task<Outcome<string>> PrepareAsync(string data, string? source, CancellationToken cancel)
    {
        source ??= Find();
        if (source is null || !Directory.Exists(source)) return WorkerErrors.NoRuntimes.With("no folder runtimes/ beside the executable");
        var target = $"{data}/runtimes/{await DigestAsync(source, cancel)}";
        if (Directory.Exists(target)) return target;
        SlotFolder.CreatePassable(data + "/runtimes");
        var draft = $"{target}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";
        if (Directory.Exists(draft)) Directory.Delete(draft, recursive: true);
        Directory.CreateDirectory(draft);
        if (await FillAsync(source, draft, cancel) is { } problem)
        {
            Directory.Delete(draft, recursive: true);
            return problem;
        }

        OpenForAll(new DirectoryInfo(draft));
        try
        {
            Directory.Move(draft, target);
        }
        catch (IOException) when (Directory.Exists(target))
        {
            Directory.Delete(draft, recursive: true);
        }

        return target;
    }

    private static async Task<Problem?> FillAsync(string source, string draft, CancellationToken cancel)
    {
        if (File.Exists(Path.Combine(source, Spawn)) && File.Exists(Path.Combine(source, Init)))
        {
            foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(draft, Path.GetRelativePath(source, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }

            await CompileShimAsync(draft, cancel);
            return null;
        }

        var problem = await RunAsync("/bin/sh", [Path.Combine(source, "build.sh"), draft], cancel);
        if (problem is not null || File.Exists(Path.Combine(draft, Spawn))) return problem;
        return await RunAsync("gcc",
            ["-std=gnu11", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", Path.Combine(draft, Spawn), Path.Combine(source, "native", Spawn + ".c")], cancel);
    }

    /// <summary>
    /// For Pythons that the machine which built it lacked: the sandbox shows the folder read-only, so every start would compile the shim
    /// again. A Python that cannot do so costs that time, nothing else.
    /// </summary>
    private static async Task CompileShimAsync(string draft, CancellationToken cancel)
    {
        const string Name = "/usr/bin/python3.";
        foreach (var python in Directory.EnumerateFiles("/usr/bin", "python3*")
            .Where(path => path.StartsWith(Name, StringComparison.Ordinal) && path.AsSpan(Name.Length).IndexOfAnyExceptInRange('0', '9') < 0))
        {
            var compiled = $"{draft}/python/__pycache__/shim.cpython-3{python[Name.Length..]}.pyc";
            if (!File.Exists(compiled)) await RunAsync(python, ["-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", draft + "/python"], cancel);
        }
    }

    /// <summary>Beside the executable (releases), or in a folder above it (source tree).</summary>
    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "runtimes");
            if (File.Exists(Path.Combine(candidate, Spawn)) || File.Exists(Path.Combine(candidate, "native", Spawn + ".c"))) return candidate;
        }

        return null;
    }

    private static async Task<string> DigestAsync(string source, CancellationToken cancel)
    {
        // Built ones bring theirs along: reading everything again would keep lost work waiting while a worker restarts.
        if (File.Exists(Path.Combine(source, Digest))) return (await File.ReadAllTextAsync(Path.Combine(source, Digest), cancel)).Trim();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(source, file) + "\0"));
            await using var content = File.OpenRead(file);
            hash.AppendData(await SHA256.HashDataAsync(content, cancel));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static async Task<Problem?> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var error = process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            var text = (await error + await output).Trim();
            return process.ExitCode == 0 ? null : WorkerErrors.NoRuntimes.With($"{program}: {text[..Math.Min(text.Length, 2000)]}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return WorkerErrors.NoRuntimes.With($"{program}: {e.Message}");
        }
    }

    private static void OpenForAll(DirectoryInfo folder)
    {
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode Run = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        folder.UnixFileMode = Read | Run | UnixFileMode.UserWrite;
        foreach (var file in folder.EnumerateFiles())
            file.UnixFileMode = Read | UnixFileMode.UserWrite | ((file.UnixFileMode & UnixFileMode.UserExecute) != 0 ? Run : 0);
        foreach (var inner in folder.EnumerateDirectories()) OpenForAll(inner);
    }
}
