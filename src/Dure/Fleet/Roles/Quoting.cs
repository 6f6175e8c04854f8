using System.Net;
using Dure.Host.Texts;

namespace Dure.Fleet.Roles;

/// <summary>Texts that nobody chose (passwords, names) as the languages of configuration files take them.</summary>
internal static class Quoting
{
    /// <summary>One word of a POSIX shell.</summary>
    public static string Shell(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>A scalar of YAML.</summary>
    public static string Yaml(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A string of PostgreSQL, with <c>standard_conforming_strings</c> on as it is by default.</summary>
    public static string Postgres(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A string of MariaDB in its default SQL mode, where a backslash escapes.</summary>
    public static string MariaDb(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A word of redis.conf.</summary>
    public static string Redis(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>An address before a colon and a port: IPv6 in brackets.</summary>
    public static string Host(IPAddress address) => Authority.Host(address.ToString());
}
