using Dure.Host.Ssh;

namespace Dure.Edge.Certificates;

/// <summary>What certbot is asked to do on an edge machine, as POSIX shell run by root. Commands are data: tests read them, and run them against a real ACME server.</summary>
/// <param name="folder">That nginx includes inside the server block that faces the world.</param>
/// <param name="httpFolder">That nginx includes inside http.</param>
internal sealed class CertbotScript(string folder, string httpFolder)
{
    /// <summary>There is no certbot.</summary>
    public const int NoCertbot = 21;

    /// <summary>nginx does not show what certbot would put there.</summary>
    public const int NotShown = 23;

    /// <summary>The ACME server, or certbot, refuses.</summary>
    public const int Refused = 24;

    private const string Hook =
        """
        #!/bin/sh
        # Made by Dure: nginx reads a certificate that was renewed.
        nginx -t -q && { systemctl reload nginx 2>/dev/null || nginx -s reload; }

        """;

    // An underscore is in no app's name.
    private string Challenge => folder + "/_acme.conf";

    /// <summary>Gets a certificate for a host, and HTTPS for it where nginx has none.</summary>
    /// <param name="email">Where the authority writes to; null for nowhere.</param>
    /// <param name="authority">The ACME directory; null for the public one.</param>
    public string Request(string host, string? email, string? authority) =>
        $$"""
        {{Begin(host)}}
        all=$(mktemp); trap 'rm -f "$all"' EXIT
        challenge={{Shell.Word(Challenge)}}
        nginx -T >"$all" 2>&1 || { nginx -t 2>&1; exit 1; }
        # One statement a line, so that it does not matter how people wrote theirs.
        statements() { sed '/^# configuration file /!{s/#.*//;s/[{;]/&\n/g;s/}/\n}\n/g}' "$all"; }
        shown() {
            mkdir -p "$1/.well-known/acme-challenge"
            echo shown >"$1/.well-known/acme-challenge/dure-probe"
            seen=
            for try in 1 2 3 4 5 6 7 8 9 10; do
                seen=$(curl -skL --max-time 5 --resolve "$host:80:127.0.0.1" --resolve "$host:443:127.0.0.1" "http://$host/.well-known/acme-challenge/dure-probe" || :)
                [ "$seen" = shown ] && break
                sleep 0.2
            done
            rm -f "$1/.well-known/acme-challenge/dure-probe"
            [ "$seen" = shown ]
        }
        # Whoever answers this host's challenges already goes on doing so.
        root=$(statements | awk -v ours="$challenge" '
            /^# configuration file / { file = $4; sub(/:$/, "", file); next }
            file != ours && $1 == "location" && /\/\.well-known\/acme-challenge/ { inside = 1; next }
            inside && $1 == "root" { sub(/;$/, "", $2); print $2; exit }
            $1 == "}" { inside = 0 }')
        if [ -z "$root" ] || ! shown "$root"; then
            root=/var/lib/dure/acme
            # Other hosts' certificates may be renewed by it already.
            if [ -e "$challenge" ]; then forget=:; else forget='rm -f'; fi
            base64 -d >"$challenge" {{Shell.Input(ChallengeText).TrimEnd('\n')}}
            nginx -t -q 2>"$all" || { cat "$all"; $forget "$challenge"; exit 1; }
            reload
            shown "$root" || { $forget "$challenge"; reload; echo "Port 80 of $host does not show what lies in $root/.well-known/acme-challenge/."; exit {{NotShown}}; }
        fi
        mkdir -p /etc/letsencrypt/renewal-hooks/deploy
        base64 -d >/etc/letsencrypt/renewal-hooks/deploy/dure-nginx {{Shell.Input(Hook).TrimEnd('\n')}}
        chmod 755 /etc/letsencrypt/renewal-hooks/deploy/dure-nginx
        certbot certonly --webroot -w "$root" -d "$host" --cert-name "$host" --non-interactive --agree-tos --keep-until-expiring {{Account(email)}} {{(authority is null ? "" : "--server " + Shell.Word(authority))}} >"$all" 2>&1 || { tail -n 12 "$all"; exit {{Refused}}; }
        systemctl enable -q --now certbot.timer 2>/dev/null || :
        nginx -T 2>/dev/null >"$all"
        if grep -q "live/$host/fullchain.pem" "$all"; then reload; echo "served here already"
        elif statements | awk -v host="$host" '
            $1 == "server" { tls = 0; named = 0 }
            $1 == "listen" && (/443/ || /ssl/) { tls = 1 }
            $1 == "server_name" { for (i = 2; i <= NF; i++) { n = $i; sub(/;$/, "", n); if (n == host) named = 1 } }
            tls && named { found = 1 }
            END { exit !found }'; then
            echo "theirs ssl_certificate /etc/letsencrypt/live/$host/fullchain.pem; ssl_certificate_key /etc/letsencrypt/live/$host/privkey.pem;"
        else
            conf={{Shell.Word($"{httpFolder}/dure-tls-{host}.conf")}}
            base64 -d >"$conf" {{Shell.Input(Site(host)).TrimEnd('\n')}}
            [ -e /proc/net/if_inet6 ] || sed -i '/listen \[::\]/d' "$conf"
            nginx -t -q 2>"$all" || { cat "$all"; rm -f "$conf"; exit 1; }
            reload
            echo "served $conf"
        fi

        """;

    /// <summary>Renews what is due; or all, or one, at once.</summary>
    public static string Renew(string? host, bool force) =>
        $$"""
        set -eu
        command -v certbot >/dev/null || exit {{NoCertbot}}
        certbot renew --no-random-sleep-on-renew --non-interactive {{(force ? "--force-renewal" : "")}} {{(host is null ? "" : "--cert-name " + Shell.Word(host))}} 2>&1 || exit {{Refused}}

        """;

    /// <summary>Prints each certificate of certbot's: its name, a space, and when it ends, as seconds.</summary>
    public const string List =
        """
        for chain in /etc/letsencrypt/live/*/fullchain.pem; do
            [ -e "$chain" ] || continue
            name=${chain%/fullchain.pem}
            end=$(openssl x509 -enddate -noout -in "$chain") && echo "${name##*/} $(date -d "${end#notAfter=}" +%s)"
        done

        """;

    private static string Begin(string host) =>
        $$"""
        set -eu
        umask 022
        host={{Shell.Word(host)}}
        command -v certbot >/dev/null || { echo 'There is no certbot.'; exit {{NoCertbot}}; }
        command -v nginx >/dev/null || { echo 'There is no nginx.'; exit {{EdgeScript.NoNginx}}; }
        reload() { systemctl reload nginx 2>/dev/null || nginx -s reload; }
        exec 9>/run/dure-edge.lock
        flock -w 30 9 || { echo 'Somebody has been changing the edge for 30 s.'; exit 1; }
        """;

    private const string ChallengeText = NginxSnippet.Mark + """
        : certificates. certbot puts what it shows its authority there.
        location ^~ /.well-known/acme-challenge/ {
            root /var/lib/dure/acme;
            default_type text/plain;
        }

        """;

    private static string Account(string? email) => email is null ? "--register-unsafely-without-email" : "-m " + Shell.Word(email);

    private string Site(string host) =>
        $$"""
        {{NginxSnippet.Mark}}: HTTPS for {{host}}.
        server {
            listen 443 ssl http2;
            listen [::]:443 ssl http2;
            server_name {{host}};
            ssl_certificate /etc/letsencrypt/live/{{host}}/fullchain.pem;
            ssl_certificate_key /etc/letsencrypt/live/{{host}}/privkey.pem;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_session_cache shared:dure_tls:10m;
            ssl_session_tickets off;
            include {{folder}}/*.conf;
            location / { return 404; }
        }

        """;
}
