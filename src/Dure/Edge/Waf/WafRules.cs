namespace Dure.Edge.Waf;

/// <summary>
/// What ModSecurity reads, once for a whole nginx: the engine's limits, our own rules, and the OWASP core rules as the distribution packages them. A location's own lines
/// (<see cref="WafLocation"/>) are asked before these, so that they can say how strict to be.
/// </summary>
internal static class WafRules
{
    /// <summary>Where each refused request has its line of JSON. Its rotation copies: ModSecurity never opens a file twice.</summary>
    public const string Log = "/var/log/dure/waf.log";

    private const string Rules = "/usr/share/modsecurity-crs/rules/";

    /// <summary>Our rule about Log4j in what comes before the body; <see cref="LookupInBody"/> is the same about the body.</summary>
    public const int Lookup = 27010;

    /// <summary>Our rule about Log4j in a body.</summary>
    public const int LookupInBody = 27011;

    /// <summary>A body is refused because what it says it is cannot be read.</summary>
    public const int Unreadable = 27020;

    /// <summary>The first of our rules about requests whose body passes by.</summary>
    public const int BulkFirst = 27030;

    // A lookup, plain or in pieces: ${jndi:...}, ${${lower:j}ndi:...}, ${${::-j}ndi:...}, ${j${env:X:-n}di:...}. A template of JavaScript, ${a ? `${b}` : c}, is none: no colon follows a word inside.
    private const string LookupPattern = @"(?:\$|&dollar;?|&#0*36;?|&#x0*24;?)(?:\{|&l(?:brace|cub);?|&#0*123;?|&#x0*7b;?)\s*(?:(?:j\s*n\s*d\s*i|ctx|base64)\s*:|[^}]{0,80}\$\{\s*[a-z0-9_.+-]{0,40}\s*:)";

    private const string Decoded = "t:none,t:urlDecodeUni,t:urlDecodeUni,t:jsDecode,t:lowercase,t:removeNulls";

    /// <summary>The file.</summary>
    /// <param name="log">Where refused requests are written.</param>
    public static string Text(string log = Log) =>
        $$"""
        {{NginxSnippet.Mark}}: the web application firewall. Profiles and exclusions stand with each location.
        SecRequestBodyAccess On
        # Who sends more is not refused: the rest is not looked at.
        SecRequestBodyLimit {{WafNginx.LookedAtBytes}}
        SecRequestBodyLimitAction ProcessPartial
        SecArgumentsLimit {{WafNginx.LookedAtValues}}
        SecRequestBodyJsonDepthLimit 256
        # What is answered is passed on as it comes: events, WebSockets, downloads.
        SecResponseBodyAccess Off
        SecPcreMatchLimit 250000
        SecPcreMatchLimitRecursion 250000
        SecTmpDir /tmp/
        SecDataDir /tmp/
        SecArgumentSeparator &
        SecCookieFormat 0
        # Without headers and bodies: they hold tokens.
        SecAuditEngine RelevantOnly
        SecAuditLogRelevantStatus "^000$"
        SecAuditLogParts AHZ
        SecAuditLogType Serial
        SecAuditLogFormat JSON
        SecAuditLog {{log}}
        SecDefaultAction "phase:1,nolog,auditlog,pass"
        SecDefaultAction "phase:2,nolog,auditlog,pass"

        SecAction "id:27000,phase:1,pass,nolog,t:none,setvar:tx.crs_setup_version=334,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.outbound_anomaly_score_threshold=4,\
          setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE',setvar:'tx.allowed_http_versions=HTTP/1.0 HTTP/1.1 HTTP/2 HTTP/2.0',\
          setvar:'tx.allowed_request_content_type=|application/x-www-form-urlencoded| |multipart/form-data| |multipart/related| |text/xml| |application/xml| |application/soap+xml| |application/json| |application/problem+json| |application/merge-patch+json| |application/x-ndjson| |application/graphql| |application/cloudevents+json| |application/octet-stream| |application/gzip| |application/x-gzip| |application/zip| |application/x-tar| |application/vnd.apache.arrow.stream| |application/x-protobuf| |application/csp-report| |text/plain| |text/csv| |image/png| |image/jpeg|',\
          setvar:'tx.restricted_headers=/proxy/ /lock-token/ /if/ /accept-charset/ /content-encoding/'"
        SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application/(?:[a-z0-9.-]{1,64}\+)?|text/)xml" "id:27001,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=XML"
        SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]{1,64}\+)?json" "id:27002,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=JSON"

        # Log4j: in the packaged rules, headers of any name pass.
        SecRule REQUEST_LINE|REQUEST_HEADERS|REQUEST_HEADERS_NAMES|ARGS_GET|ARGS_GET_NAMES "@rx {{LookupPattern}}" \
          "id:{{Lookup}},phase:1,deny,status:403,nolog,auditlog,{{Decoded}},msg:'Log4j lookup',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-log4j'"
        SecRule ARGS_POST|ARGS_POST_NAMES|FILES|FILES_NAMES|XML:/*|REQUEST_BODY "@rx {{LookupPattern}}" \
          "id:{{LookupInBody}},phase:2,deny,status:403,nolog,auditlog,{{Decoded}},msg:'Log4j lookup',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-log4j'"
        SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" "id:{{Unreadable}},phase:2,deny,status:403,nolog,auditlog,t:none,msg:'The parts of the form cannot be told apart',severity:'CRITICAL',tag:'attack-protocol'"
        SecRule REQBODY_ERROR "!@eq 0" "id:27022,phase:2,deny,status:403,nolog,auditlog,t:none,msg:'The body cannot be read as what it says it is',severity:'CRITICAL',tag:'attack-protocol',chain"
          SecRule INBOUND_DATA_ERROR "@eq 0" "t:none,chain"
          SecRule &ARGS "@lt {{WafNginx.LookedAtValues}}" "t:none"
        SecRule TX:/^MSC_/ "!@streq 0" "id:27021,phase:2,deny,status:403,nolog,auditlog,t:none,msg:'A rule gave up on this request',severity:'CRITICAL',tag:'attack-dos'"

        # Nobody reads these bodies (nginx passes them by): what comes before the body is looked at here, because the packaged rules do so only once the body is there.
        SecRule REQUEST_HEADERS:Content-Length "@rx {{WafNginx.BulkPattern}}" "id:27003,phase:1,pass,nolog,t:none,setvar:tx.dure_bulk=1"
        SecRule &TX:dure_bulk "@eq 0" "id:27004,phase:1,pass,nolog,t:none,skipAfter:DURE_NOT_BULK"
        SecRule ARGS_GET|ARGS_GET_NAMES|REQUEST_COOKIES|REQUEST_HEADERS:User-Agent|REQUEST_HEADERS:Referer "@detectSQLi" "id:{{BulkFirst}},phase:1,deny,status:403,nolog,auditlog,t:none,t:utf8toUnicode,t:urlDecodeUni,t:removeNulls,msg:'SQL injection',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-sqli'"
        SecRule ARGS_GET|ARGS_GET_NAMES|REQUEST_COOKIES|REQUEST_HEADERS:User-Agent|REQUEST_HEADERS:Referer "@detectXSS" "id:27031,phase:1,deny,status:403,nolog,auditlog,t:none,t:utf8toUnicode,t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:removeNulls,msg:'Script in a request',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-xss'"
        SecRule REQUEST_URI_RAW|ARGS_GET "@rx (?:^|[/\\=?])\.\.(?:[/\\]|$)" "id:27032,phase:1,deny,status:403,nolog,auditlog,t:none,t:urlDecodeUni,t:urlDecodeUni,msg:'A path that climbs out of its folder',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-lfi'"
        SecRule ARGS_GET|REQUEST_COOKIES "@pmFromFile {{Rules}}lfi-os-files.data" "id:27033,phase:1,deny,status:403,nolog,auditlog,t:none,t:utf8toUnicode,t:urlDecodeUni,t:normalizePathWin,t:lowercase,msg:'A file of the system',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-lfi'"
        SecRule ARGS_GET|REQUEST_COOKIES "@pmFromFile {{Rules}}unix-shell.data" "id:27034,phase:1,deny,status:403,nolog,auditlog,t:none,t:urlDecodeUni,t:cmdLine,t:normalizePath,t:lowercase,msg:'A command for a shell',logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-rce'"
        SecMarker DURE_NOT_BULK

        # A hashed asset is a file: past what stands above, no rule has anything to ask.
        SecRule TX:dure_asset "@eq 1" "id:27040,phase:1,allow:request,nolog,t:none"

        Include {{Rules}}REQUEST-*.conf
        # A lab reaches its machines by their addresses.
        SecRuleRemoveById 920350

        """;
}
