using static System.FormattableString;

namespace Dure.Edge.Waf;

/// <summary>What an nginx needs to have a web application firewall at all, whatever its locations ask of it.</summary>
internal static class WafNginx
{
    /// <summary>Debian's packages: the module, and the rules.</summary>
    public static readonly IReadOnlyList<string> Packages = ["libnginx-mod-http-modsecurity", "modsecurity-crs"];

    /// <summary>For inside <c>http</c>.</summary>
    public const string HttpFile = "dure-waf.conf";

    /// <summary>Read by <see cref="HttpFile"/>, and lies beside it.</summary>
    public const string RulesFile = "dure-waf.rules";

    /// <summary>A body from here on passes by: ModSecurity would hold all of it in memory, and nginx would wait for its end.</summary>
    public const int BulkBytes = 1_000_000;

    /// <summary>Of a body that does not pass by, so much is looked at: the rules take half a second for it when it is made to be slow, and 10 s for a million bytes.</summary>
    public const int LookedAtBytes = 64 << 10;

    /// <summary>Of parameters and values of JSON, so many are looked at: the rules take 0.2 ms for each, and a list of numbers may have thousands.</summary>
    public const int LookedAtValues = 500;

    /// <summary>A length of <see cref="BulkBytes"/> or more, as a header says it: zeros before it count for nothing. nginx and the rules have to agree.</summary>
    public const string BulkPattern = "^0*[1-9][0-9]{6,}$";

    /// <summary>Of a body whose length nobody said: it is read until its end before anybody looks.</summary>
    public const long UnknownBytesMost = 64L << 20;

    /// <summary>Below it nginx passes on what it does not look at. It exists inside nginx only.</summary>
    public const string Passing = "/.dure-passing";

    /// <summary>Below it nginx looks at bodies without a length.</summary>
    public const string Unknown = "/.dure-unknown";

    /// <summary>How the first line of a fleet's own file ends.</summary>
    public const string Fleets = "is the fleet's";

    public const string LogFolder = "/var/log/dure";

    public const string RotateFile = "/etc/logrotate.d/dure-waf";

    public const string Rotate = NginxSnippet.Mark + """
        .
        /var/log/dure/waf.log {
            weekly
            maxsize 20M
            rotate 8
            compress
            missingok
            notifempty
            copytruncate
        }

        """;

    /// <summary>The file for inside <c>http</c>.</summary>
    /// <param name="folder">Where the rules lie.</param>
    /// <param name="fleet">It is the fleet's: who publishes leaves it alone.</param>
    public static string Http(RateLimits rates, string folder, bool fleet = false) =>
        Invariant(
            $$"""
            {{NginxSnippet.Mark}}: the web application firewall {{(fleet ? Fleets : "of published apps")}}
            modsecurity_rules_file {{folder}}/{{RulesFile}};

            # A body of a million bytes or more passes by; one of unknown length is read first, up to a limit.
            map $request_method:$content_length $dure_body {
                default "";
                "~:{{BulkPattern[1..]}}" bulk;
                "~^(?:POST|PUT|PATCH|DELETE):$" unknown;
            }

            # Packed code, whatever its length; by the path as it was sent, as the rules see it.
            map $request_method:$request_uri $dure_upload {
                default "";
                "~^POST:/api/(?:functions|apps)/[^/?]+/versions(?:\?|$)" yes;
            }

            # Whose requests are counted: a token's, or a session's.
            map $http_authorization $dure_token {
                default $http_authorization;
                "" $cookie_dure_session;
            }


            """)
        // Without a limit as well: another location may still ask for it.
        + Invariant($"limit_req_zone $binary_remote_addr zone=dure_address:10m rate={Math.Max(1, rates.Address)}r/s;\n")
        + Invariant($"limit_req_zone $dure_token zone=dure_token:10m rate={Math.Max(1, rates.Token)}r/s;\n")
        + "limit_req_status 429;\n";

    /// <summary>The limits, for inside a location.</summary>
    public static IEnumerable<string> Limits(RateLimits rates)
    {
        if (rates.Address > 0)
            yield return Invariant($"limit_req zone=dure_address burst={rates.Address * 10} nodelay;");
        if (rates.Token > 0)
            yield return Invariant($"limit_req zone=dure_token burst={rates.Token * 10} nodelay;");
    }
}
