using System.Diagnostics;
using Dure.Host.Files;
using Npgsql;

namespace Dure.Host.Data;

/// <summary>Dumps a PostgreSQL database with its own program, in the custom format that <c>pg_restore</c> reads.</summary>
internal static class PostgresDump
{
    /// <summary>Writes a dump, consistent and while in use.</summary>
    /// <exception cref="IOException">The file exists, the disk is full, or pg_dump is missing or failed.</exception>
    public static async ValueTask WriteAsync(NpgsqlConnectionStringBuilder settings, string path, CancellationToken cancel)
    {
        if (File.Exists(path))
        {
            throw new IOException($"{path} exists.");
        }
        var partial = $"{path}.partial";
        try
        {
            await RunAsync(settings, partial, cancel);
            if (DurableFile.Rename(partial, path) is not 0 and var error)
            {
                throw DurableFile.Failure("rename", path, error);
            }
            DurableFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static async Task RunAsync(NpgsqlConnectionStringBuilder settings, string path, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(FindProgram(), ["--format=custom", "--no-password", "--file", path])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        Set(start, "PGHOST", settings.Host);
        Set(start, "PGPORT", settings.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Set(start, "PGUSER", settings.Username);
        Set(start, "PGPASSWORD", settings.Password);
        Set(start, "PGDATABASE", settings.Database);
        using var dump = Process.Start(start)!;
        try
        {
            var said = await dump.StandardError.ReadToEndAsync(cancel);
            await dump.WaitForExitAsync(cancel);
            if (dump.ExitCode != 0)
            {
                throw new IOException($"pg_dump ended with {dump.ExitCode}: {said.Trim()}");
            }
        }
        finally
        {
            dump.Kill();
        }
    }

    private static void Set(ProcessStartInfo start, string name, string? value)
    {
        if (value is not null)
        {
            start.Environment[name] = value;
        }
    }

    private static string FindProgram()
    {
        const string Debian = "/usr/lib/postgresql";
        var newest = Directory.Exists(Debian)
            ? Directory.GetDirectories(Debian).OrderByDescending(folder => Path.GetFileName(folder), NumericOrder).FirstOrDefault()
            : null;
        var program = newest is null ? "/usr/bin/pg_dump" : Path.Combine(newest, "bin", "pg_dump");
        return File.Exists(program) ? program : throw new IOException("pg_dump is not installed (Debian: postgresql-client).");
    }

    private static readonly IComparer<string> NumericOrder =
        StringComparer.Create(System.Globalization.CultureInfo.InvariantCulture, System.Globalization.CompareOptions.NumericOrdering);
}
