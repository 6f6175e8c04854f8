namespace Dure.Test.Fleet.Roles;

/// <summary>The programs of the roles that hold data.</summary>
internal static class DataValidators
{
    public static ValidatorRoot Data { get; } = ValidatorRoot.Of(
        "data",
        ["postgresql-15|postgresql-17|postgresql-16|postgresql-14", "patroni", "python3-psycopg2", "etcd-server", "etcd-client", "redis-server", "redis-sentinel",
            "redis-tools", "mariadb-server", "galera-4", "curl", "iproute2", "procps", "python3-pymysql"],
        ["postgres", "mysql", "etcd", "redis"]);
}
