namespace Dure.Fleet.Roles.Etcd;

/// <summary>
/// What runs before each start of etcd and says whether this machine founds the cluster with the others or joins the one that there is. A machine whose disk was replaced cannot
/// come back as the member that it was, since what that member had promised to the others is gone: it is taken out of the cluster and added anew, which needs a majority of
/// the others. When the majority's disks are lost, only a backup helps: <c>etcdctl snapshot restore</c>, by a person. Patroni then writes its state again by itself.
/// </summary>
internal static class EtcdJoin
{
    /// <summary>The script for one machine. It writes an environment file for the unit.</summary>
    public static string Script(RoleScope scope)
    {
        var others = scope.Members.Where(machine => machine != scope.Machine).Select(machine => $"http://{Quoting.Host(scope.Fleet.AddressOf(machine))}:2379");
        var founders = scope.Members.Select(machine => $"{machine.Name}={EtcdRole.Peer(scope.Fleet, machine)}");
        return $"""
            #!/bin/sh
            # Before etcd starts: does this machine found the cluster with the others, or join the one that there is?
            set -eu
            name='{scope.Machine.Name}'
            self='{EtcdRole.Peer(scope.Fleet, scope.Machine)}'
            others='{string.Join(' ', others)}'
            founders='{string.Join(',', founders)}'
            {Body}
            """;
    }

    private const string Body =
        """
        folder=/var/lib/etcd/default
        answer=/run/dure-etcd/environment
        export ETCDCTL_API=3
        mkdir -p /run/dure-etcd

        members=
        for other in $others; do
            members=$(etcdctl --endpoints="$other" --command-timeout=2s member list 2>/dev/null) || members=
            [ -z "$members" ] || break
        done
        mine=$(printf '%s\n' "$members" | awk -F', ' -v url="$self" '$4 == url { print $1 }')

        if [ -d "$folder/member" ]; then
            if [ -z "$members" ] || [ -n "$mine" ]; then
                : >"$answer"
                exit 0
            fi
            # It was taken out of the cluster while it was away: what it holds is history.
            mv "$folder/member" "$folder/member.left-$(date +%s)"
        fi

        if [ -z "$members" ]; then
            # etcd itself refuses to found a cluster in which this machine was a member before.
            printf 'ETCD_INITIAL_CLUSTER="%s"\nETCD_INITIAL_CLUSTER_STATE="new"\n' "$founders" >"$answer"
            exit 0
        fi

        [ -z "$mine" ] || etcdctl --endpoints="$other" --command-timeout=5s member remove "$mine"
        # The others take a new member only when they have been connected for five seconds.
        tries=0
        until added=$(etcdctl --endpoints="$other" --command-timeout=5s member add "$name" --peer-urls="$self"); do
            tries=$((tries + 1))
            [ "$tries" -lt 20 ] || exit 1
            sleep 1
        done
        printf '%s\n' "$added" | grep '^ETCD_INITIAL_CLUSTER' >"$answer"

        """;
}
