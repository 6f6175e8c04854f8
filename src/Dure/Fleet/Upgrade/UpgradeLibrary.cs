namespace Dure.Fleet.Upgrade;

/// <summary>
/// What an upgrade of packages does on a machine (POSIX shell, after <see cref="Apply.ApplyLibrary"/>). <c>$W</c> is the folder of this upgrade: <c>plan</c> has a package
/// a line with its old and its new version, <c>debs/</c> is the way back, <c>begun</c> and <c>done</c> tell how far it is. <c>healthy</c> and <c>$UNITS</c> come from the caller.
/// </summary>
internal static class UpgradeLibrary
{
    /// <summary>Runs at the next start of the machine when it lost its power in between.</summary>
    public const string BootUnit = "dure-upgrade-back.service";

    public const string Text = $$$"""
        BOOT=/etc/systemd/system/{{{BootUnit}}}; WANTED=/etc/systemd/system/multi-user.target.wants/{{{BootUnit}}}
        names() { awk -F '\t' '$2 != "-" { print $1 }' "$W/plan"; }
        olds() { awk -F '\t' '$2 != "-" { print $1 "=" $2 }' "$W/plan"; }
        news() { awk -F '\t' '{ print $1 "=" $3 }' "$W/plan"; }
        added() { awk -F '\t' '$2 == "-" { print $1 }' "$W/plan"; }
        # keepold: the packages as they are installed lie in $W/debs; sets missing to those that nobody has any more
        keepold() {
          missing=; mkdir -p "$W/debs"; cd "$W/debs" || return 1
          apt download $(olds) >"$W/log" 2>&1 && return 0
          for p in $(olds); do
            apt download "$p" >>"$W/log" 2>&1 && continue
            n=${p%%=*}; a=$(dpkg-query -W -f '${Architecture}\n' "$n" | head -n 1)
            f=/var/cache/apt/archives/${n%%:*}_$(printf %s "${p#*=}" | sed 's/:/%3a/g')_$a.deb
            if [ -f "$f" ]; then cp -- "$f" . && continue; fi
            if command -v dpkg-repack >/dev/null; then dpkg-repack "$n" >>"$W/log" 2>&1 && continue; fi
            missing="$missing $p"
          done
        }
        # services: what runs of the packages that change and is meant to, and what runs of the roles
        services() {
          { dpkg-query -L $(names) 2>/dev/null | sed -n 's#^\(/usr\)\{0,1\}/lib/systemd/system/\([^/]*\.service\)$#\2#p' | while read -r u; do
              case $u in *@.service) systemctl list-units --no-legend --plain --state=running "${u%.service}*.service" | cut -d ' ' -f 1;; *) printf '%s\n' "$u";; esac
            done | while read -r u; do [ "$(systemctl show -p UnitFileState --value -- "$u")" = enabled ] && printf '%s\n' "$u"; done
            printf '%s\n' $UNITS; } | sort -u | while read -r u; do [ -n "$u" ] && [ "$(systemctl show -p SubState --value -- "$u")" = running ] && printf '%s\n' "$u"; done
          :
        }
        state() { [ ! -s "$W/services" ] || systemctl show -p Id -p ActiveState -p InvocationID -- $(cat "$W/services") 2>/dev/null; }
        # began FILE UNIT: which start of the unit a state was written in
        began() { awk -F = -v u="$2" '$1 == "Id" { i = $2 } $1 == "InvocationID" && i == u { print $2 }' "$1"; }
        # needs UNIT: it runs what is not on the disk any more, and no package's script has restarted it
        needs() {
          [ "$(systemctl show -p InvocationID --value -- "$1")" = "$(began "$W/before" "$1")" ] || return 1
          for p in $(systemctl show -p FragmentPath --value -- "$1") $(systemctl show -p ExecStart --value -- "$1" | sed -n 's/^{ path=\([^ ;]*\) .*/\1/p'); do
            for q in "$p" "$(readlink -f "$p")"; do
              grep -qxF -e "$q" -e "/usr$q" -e "${q#/usr}" "$W/files" && return 0
            done
          done
          g=/sys/fs/cgroup$(systemctl show -p ControlGroup --value -- "$1")
          for i in $(cat "$g/cgroup.procs" 2>/dev/null || systemctl show -p MainPID --value -- "$1"); do
            grep -qE ' /(usr|lib|lib64|bin|sbin|opt)/.* \(deleted\)$' "/proc/$i/maps" 2>/dev/null && return 0
          done
          return 1
        }
        # restarted: units of roles run what is installed now; whatever ran before runs
        restarted() {
          systemctl daemon-reload
          dpkg-query -L $(names) >"$W/files" 2>/dev/null
          for u in $(cat "$W/services"); do
            case " $UNITS " in *" $u "*) needs "$u" && { printf 'restart\t%s\n' "$u" >&3; systemctl restart -- "$u" || { why "$u"; return 1; }; };; esac
          done
          :
        }
        # steady: within $STEADY s everything that ran before runs, and has not started anew for two seconds
        steady() {
          [ -s "$W/services" ] || return 0
          e=$(($(date +%s)+STEADY)); state >"$W/state"
          while :; do
            sleep 2; state >"$W/state.new"
            down=$(awk -F = '$1 == "Id" { u = $2 } $1 == "ActiveState" && $2 != "active" { print u }' "$W/state.new")
            if [ -z "$down" ] && cmp -s "$W/state" "$W/state.new"; then return 0; fi
            gone=$(cat "$W/state" "$W/state.new" | awk -F = '$1 == "Id" { u = $2 } $1 == "ActiveState" && ($2 == "failed" || $2 == "inactive") && n[u]++ { print u }')
            if [ -n "$gone" ] || [ "$(date +%s)" -gt "$e" ]; then
              for u in ${gone:-${down:-$(cat "$W/services")}}; do
                [ "$(began "$W/state" "$u")" = "$(began "$W/state.new" "$u")" ] && [ -z "$down" ] && continue
                printf '%s does not stay up\n' "$u"; why "$u"
              done
              return 1
            fi
            mv -f "$W/state.new" "$W/state"
          done
        }
        allhealthy() { healthy >"$W/health"; cat "$W/health"; ! grep -q '^unhealthy' "$W/health"; }
        # said WHAT COMMAND...: when it fails, what it said is told
        said() { what=$1; shift; "$@" 3>&1 >"$W/log" 2>&1 || { printf 'failed\t%s\t%s\n' "$what" "$(tail -c 3000 "$W/log" | packed)"; return 1; }; }
        changed() {
          [ -z "$(dpkg --audit 2>/dev/null)" ] || dpkg --configure -a --force-confold
          apt -y --no-install-recommends --no-remove install $(news) || return 1
          marked
        }
        # What came because something needed it stays known as that.
        marked() { set -- $(cat "$W/auto") $(added); [ $# = 0 ] || apt-mark auto "$@" || :; }
        guard() {
          cat >$BOOT <<UNIT
        [Unit]
        Description=Dure: back to the packages from before an upgrade that was cut short
        ConditionPathExists=$W/begun

        [Service]
        Type=oneshot
        TimeoutStartSec=1h
        ExecStart=/bin/sh -c 'sh $W/back.sh >>$W/told 2>&1'

        [Install]
        WantedBy=multi-user.target
        UNIT
          mkdir -p "${WANTED%/*}"; ln -sfn $BOOT $WANTED
          : >"$W/begun"; sync
        }
        settled() {
          : >"$W/done"; rm -f $BOOT $WANTED; sync; systemctl daemon-reload
          # One way back is kept, that of the last upgrade.
          for d in "$S"/upgrades/*; do [ "$d" = "$W" ] || rm -rf -- "$d/debs"; done
          ls -1t "$S/upgrades" | tail -n +21 | while read -r old; do rm -rf -- "$S/upgrades/$old"; done
        }
        upgrade() {
          { printf '%s\n' "$WHO"; cat "$W/plan"; } >"$U/summary"
          printf 'begin\tkeep\n'
          keepold
          if [ -n "$missing" ] && [ "$WAYLESS" != yes ]; then printf 'nowayback\t%s\n' "${missing# }"; rm -rf -- "$W/debs"; exit 4; fi
          services >"$W/services"; state >"$W/before"
          apt-mark showauto $(names) >"$W/auto" 2>/dev/null
          guard
          printf 'begin\tinstall\n'
          if said 'the installation' changed && said 'a restart' restarted && printf 'begin\thealth\n' && said 'a service' steady && allhealthy; then
            settled; printf 'upgraded\n'
          else
            back
          fi
        }
        back() {
          printf 'returning\n'
          state >"$W/before"
          { [ -z "$(dpkg --audit)" ] || dpkg --configure -a --force-confold --force-confdef
            cd "$W/debs" && set -- ./*.deb && [ -e "$1" ] || set --
            gone=$(added | sed 's/$/-/')
            [ $# = 0 ] && [ -z "$gone" ] || apt -y --allow-downgrades --no-install-recommends install "$@" $gone || dpkg --force-confold --force-downgrade -i "$@"
            marked
            systemctl daemon-reload; dpkg-query -L $(names) >"$W/files"
            for u in $(cat "$W/services"); do
              a=$(systemctl show -p ActiveState --value -- "$u")
              if [ "$a" != active ] || { case " $UNITS " in *" $u "*) needs "$u";; *) false;; esac; }; then systemctl reset-failed -- "$u"; systemctl restart -- "$u"; fi
            done
          } >"$W/back.log" 2>&1
          left=
          for p in $(olds); do
            v=$(dpkg-query -W -f '${Version} ${db:Status-Status}\n' "${p%%=*}" 2>/dev/null | head -n 1)
            [ "$v" = "${p#*=} installed" ] || left="$left ${p%%=*}"
          done
          if said 'a service after the return' steady && allhealthy; then settled; printf 'returned\t%s\n' "${left# }"; else settled; printf 'unreturned\t%s\t%s\n' "${left# }" "$(tail -c 1500 "$W/back.log" | packed)"; fi
        }

        """;
}
