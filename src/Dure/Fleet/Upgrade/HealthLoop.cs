using System.Globalization;
using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Observe;
using Dure.Host.Ssh;

namespace Dure.Fleet.Upgrade;

/// <summary>Runs health checks at the same time, each until it passes or its time is over, and tells <c>healthy NUMBER MS</c> or <c>unhealthy NUMBER MS TEXT</c> with tabs between.</summary>
internal static class HealthLoop
{
    /// <summary>Longest time for one try.</summary>
    private const int TrySeconds = 10;

    /// <param name="atMost">Shortens every check's own limit; null leaves it.</param>
    public static string Of(IReadOnlyList<HealthCheck> checks, TimeSpan? atMost = null)
    {
        var script = new StringBuilder();
        for (var i = 0; i < checks.Count; i++)
        {
            var limit = atMost < checks[i].Limit ? atMost.Value : checks[i].Limit;
            script.Append(CultureInfo.InvariantCulture, $$"""
                ( s=$(date +%s%3N)
                  while :; do
                    o=$(exec 2>&1 9>&-
                {{Shell.Script(checks[i].Command, TrySeconds)}}
                ); r=$?; d=$(($(date +%s%3N)-s))
                    if [ $r = 0 ]; then printf 'healthy\t{{i}}\t%s\n' $d; exit 0; fi
                    [ $d -lt {{(long)limit.TotalMilliseconds}} ] || { printf 'unhealthy\t{{i}}\t%s\t%s\n' $d "$(printf %s "$o" | tail -c 600 | base64 -w0)"; exit 1; }
                    sleep 0.3
                  done ) &

                """);
        }

        return script.Append("wait\n").ToString();
    }
}
