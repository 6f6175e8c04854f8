using System.Formats.Tar;
using System.IO.Compression;
using Dure.Host.Files;
using Dure.Host;

namespace Dure.Apps;

/// <summary>Where the files of apps lie: <c>apps/ID/NUMBER/src</c> in the data folder, and beside it <c>run</c>, the script that starts it.</summary>
internal sealed class AppFolders(string data)
{
    private const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private string Root => Path.Combine(data, "apps");

    public string App(string id) => Path.Combine(Root, id);

    public string Version(string id, int number) => Path.Combine(App(id), FormattableString.Invariant($"{number}"));

    /// <summary>The picture of a version for the index, and the mark that none could be taken.</summary>
    public string Picture(string id, int number) => Path.Combine(Version(id, number), "preview.png");

    /// <summary>What an app keeps itself, where systemd does not look after it.</summary>
    public string State(string id) => Path.Combine(App(id), "state");

    /// <summary>Unpacks what was sent; it is there whole or not at all.</summary>
    /// <param name="limit">Bytes, unpacked.</param>
    /// <returns>Its size in bytes.</returns>
    public async Task<Outcome<long>> UnpackAsync(Stream package, string id, int number, AppSpec spec, long limit, CancellationToken cancel)
    {
        Directory.CreateDirectory(App(id));
        var incoming = Path.Combine(App(id), ".incoming-" + Path.GetRandomFileName());
        try
        {
            var source = Directory.CreateDirectory(Path.Combine(incoming, "src"), Open).FullName;
            var size = 0L;
            await using (var zip = new GZipStream(package, CompressionMode.Decompress))
            await using (var counted = new Counted(zip, limit, bytes => size = bytes))
                await TarFile.ExtractToDirectoryAsync(counted, source, overwriteFiles: true, cancel);
            await File.WriteAllTextAsync(Path.Combine(incoming, "run"), $"#!/bin/sh\n# How {id}, version {FormattableString.Invariant($"{number}")}, is started.\n{spec.Command}\n", cancel);
            foreach (var folder in new[] { incoming, source })
                File.SetUnixFileMode(folder, Open);
            var there = Version(id, number);
            if (Directory.Exists(there))
                Directory.Delete(there, recursive: true);
            Directory.Move(incoming, there);
            return size;
        }
        catch (TooMuchException)
        {
            return AppErrors.TooLarge.With($"{id} is larger than {Host.Texts.Quantities.Bytes(limit)}.");
        }
        catch (Exception refused) when (refused is InvalidDataException or IOException or UnauthorizedAccessException or FormatException)
        {
            return AppErrors.PackageRefused.With(refused.Message.Replace(incoming, id, StringComparison.Ordinal));
        }
        finally
        {
            if (Directory.Exists(incoming))
                Directory.Delete(incoming, recursive: true);
        }
    }

    /// <summary>The next number that no version has or had while its files are still there.</summary>
    public static int NextNumber(App? app) => 1 + Math.Max(app?.Versions.Select(version => version.Number).DefaultIfEmpty().Max() ?? 0, app?.Live ?? 0);

    public void RemoveVersion(string id, int number) => Remove(Version(id, number));

    public void RemoveApp(string id) => Remove(App(id));

    /// <summary>Removes what no version needs: of publishes that were cut off, and of apps that are gone.</summary>
    public void Sweep(IReadOnlyList<App> apps)
    {
        foreach (var folder in Directory.Exists(Root) ? Directory.GetDirectories(Root) : [])
        {
            var app = apps.FirstOrDefault(known => known.Id == Path.GetFileName(folder));
            if (app is null)
            {
                Remove(folder);
                continue;
            }

            foreach (var inner in Directory.GetDirectories(folder))
            {
                var name = Path.GetFileName(inner);
                if (name != "state" && !app.Versions.Any(version => FormattableString.Invariant($"{version.Number}") == name))
                    Remove(inner);
            }
        }
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private sealed class TooMuchException : Exception;

    /// <summary>Reads on until there is too much: a small file can unpack to a large one.</summary>
    private sealed class Counted(Stream inner, long limit, Action<long> told) : ForwardStream
    {
        private long _read;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            _read += read;
            told(_read);
            return _read > limit ? throw new TooMuchException() : read;
        }
    }
}
