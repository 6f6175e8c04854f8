using System.Text.Json;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Dure.Fleet.Lab;

/// <summary>Where labs and their images lie on this host.</summary>
/// <param name="State">One folder per lab.</param>
/// <param name="Cache">Images and packages, shared by all labs.</param>
internal sealed record LabPlaces(string State, string Cache)
{
    public static readonly LabPlaces Default = new("/var/lib/dure-lab", "/var/cache/dure-lab");

    /// <summary>Locks; gone with the next start of this host.</summary>
    public const string Locks = "/run/dure-lab";

    public LabFolder Lab(string name) => new(System.IO.Path.Combine(State, name));

    /// <summary>The labs that are recorded, with whatever their record says.</summary>
    public IEnumerable<LabFolder> Labs() => Directory.Exists(State) ? Directory.GetDirectories(State).Order(StringComparer.Ordinal).Select(folder => new LabFolder(folder)) : [];
}

/// <summary>The folder of one lab.</summary>
internal sealed record LabFolder(string Path)
{
    public string Name => System.IO.Path.GetFileName(Path);

    public string Record => this["lab.json"];

    public string Key => this["id_ed25519"];

    public string KnownHosts => this["known_hosts"];

    /// <summary>For <c>ssh -F</c>.</summary>
    public string SshConfig => this["ssh_config"];

    public string this[string file] => System.IO.Path.Combine(Path, file);

    public string Machine(string name) => this["machines/" + name];

    /// <summary>What the lab has recorded, or DURE0841.</summary>
    public Outcome<LabRecord> Read()
    {
        try
        {
            return LabRecord.Parse(File.ReadAllBytes(Record), Record);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return LabErrors.NoSuchLab.With($"There is no {Record}.");
        }
    }

    public void Write(LabRecord record) =>
        DurableFile.Write(Record, JsonSerializer.SerializeToUtf8Bytes(record, LabJson.Default.LabRecord), UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>Changes the record; others that change it at the same time wait.</summary>
    public async Task<Outcome<LabRecord>> ChangeAsync(Func<LabRecord, LabRecord> change, CancellationToken cancel)
    {
        using var held = await LabLock.TakeAsync("record-" + Name, TimeSpan.FromSeconds(10), cancel);
        if (held is null)
            return LabErrors.Busy.With($"The record of the lab {Name} is being changed.");
        var read = Read();
        if (!read.Ok)
            return read;
        var changed = change(read.Value);
        Write(changed);
        return changed;
    }
}

/// <summary>Keeps two of us from doing the same at once, also in different processes. Free again when its holder dies.</summary>
internal sealed class LabLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private LabLock(SafeFileHandle file) => _file = file;

    /// <summary>The lock, or null when another holds it for longer than we wait.</summary>
    public static async Task<LabLock?> TakeAsync(string name, TimeSpan wait, CancellationToken cancel)
    {
        Directory.CreateDirectory(LabPlaces.Locks);
        var file = Posix.Open(Path.Combine(LabPlaces.Locks, name + ".lock"));
        var began = TimeProvider.System.GetTimestamp();
        while (!Posix.TryLock(file))
        {
            if (TimeProvider.System.GetElapsedTime(began) > wait)
            {
                file.Dispose();
                return null;
            }
            await Task.Delay(10, cancel);
        }
        return new(file);
    }

    public void Dispose() => _file.Dispose();
}
