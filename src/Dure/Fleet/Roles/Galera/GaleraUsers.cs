using System.Globalization;
using System.Net.Sockets;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Slurm;

namespace Dure.Fleet.Roles.Galera;

/// <summary>Databases and users. Root signs in by its Unix user, as the distribution has it, so it has no password.</summary>
internal static class GaleraUsers
{
    /// <summary>The database of Slurm's accounting. Each member sees to it; it is the same in all of them.</summary>
    public static void Slurm(RoleScope scope)
    {
        var password = scope.Secret(SlurmDbRole.Password.Name);
        var (database, name) = (scope.Get(SlurmSettings.DbName), scope.Get(SlurmSettings.DbUser));
        var quoted = $"`{database.Replace("`", "``", StringComparison.Ordinal)}`";
        var user = $"{Quoting.MariaDb(name)}@'{Clients(scope.Fleet)}'";
        scope.Step(
            $"The database {database} and its user {name} exist",
            $"MYSQL_PWD={Quoting.Shell(password)} mariadb --no-defaults -h {scope.Address} -u {Quoting.Shell(name)} -e 'SELECT 1' {Quoting.Shell(database)} >/dev/null 2>&1",
            $"""
            mariadb --batch <<'SQL'
            CREATE DATABASE IF NOT EXISTS {quoted};
            CREATE USER IF NOT EXISTS {user} IDENTIFIED BY {Quoting.MariaDb(password)};
            ALTER USER {user} IDENTIFIED BY {Quoting.MariaDb(password)};
            GRANT ALL ON {quoted}.* TO {user};
            SQL
            """,
            secret: true);
    }

    // MariaDB knows networks of IPv4 only; others are left to the firewall and to the address that it is bound to.
    private static string Clients(FleetModel fleet)
    {
        var range = fleet.Internal.Range;
        if (range.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
            return "%";
        var mask = range.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - range.PrefixLength);
        return string.Create(CultureInfo.InvariantCulture, $"{range.BaseAddress}/{mask >> 24}.{(mask >> 16) & 255}.{(mask >> 8) & 255}.{mask & 255}");
    }
}
