using System.Text.Json;
using Dure.Host.Configuration;

namespace Dure.Host.Commands;

/// <summary>What a running server writes to <c>run/server.json</c>.</summary>
/// <param name="Store">Address of the S3 endpoint; null when there is none.</param>
public sealed record RunningServer(int Pid, string Url, DateTimeOffset Started, string Version, string? Store = null)
{
    private const string SystemData = "/var/lib/dure";

    /// <summary>What the file on this data folder says; null when there is none. It may be left over from a server that was killed.</summary>
    public static RunningServer? Read(string data)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathIn(data)), HostJson.Default.RunningServer);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    public static string PathIn(string data) => Path.Combine(data, "run", "server.json");

    /// <summary>
    /// The data folder that commands mean: the configured one; when nobody configured one and no server runs on the default,
    /// the one that this user last started a server on, or the system's, if a server runs there.
    /// </summary>
    public static string Locate(ConfigurationSources sources)
    {
        var (data, isDefault) = ConfigurationLoader.DataFolder(sources);
        if (!isDefault)
            return data;
        var started = Memory(sources) is { } pointer && File.Exists(pointer) ? File.ReadAllText(pointer).Trim() : "";
        string[] known = [data, started, SystemData];
        // What a killed server left says where it was, but not before one that runs.
        // By its process: its lock is not everybody's to look at.
        return Array.Find(known, static folder => folder.Length > 0 && Read(folder) is { } server && Directory.Exists($"/proc/{server.Pid}"))
            ?? Array.Find(known, static folder => folder.Length > 0 && Read(folder) is not null) ?? data;
    }

    /// <summary>Remembers, for this user, which folder a server was started on.</summary>
    public static void Remember(ConfigurationSources sources, string data)
    {
        try
        {
            if (Memory(sources) is { } pointer)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
                File.WriteAllText(pointer, data + "\n");
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A home that cannot be written to costs a --data on later commands, nothing else.
        }
    }

    /// <summary>The file in which this user's last server is remembered; null without a home.</summary>
    public static string? Memory(ConfigurationSources sources) =>
        sources.Environment.GetValueOrDefault("XDG_STATE_HOME") is { Length: > 0 } state ? Path.Combine(state, "dure", "server")
        : sources.Environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? Path.Combine(home, ".local", "state", "dure", "server")
        : null;
}
