namespace Dure.Fleet.Apply;

/// <summary>
/// The functions that every apply's script begins with (POSIX shell). They keep what they replace, so that it can be put back: <c>$U</c> is the folder of this apply,
/// <c>$S/originals</c> holds what was there before any apply. What they tell has fields with tabs between; <see cref="ApplyRun"/> reads it.
/// </summary>
internal static class ApplyLibrary
{
    public const string Text = """
        LC_ALL=C.UTF-8; export LC_ALL
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
        DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND
        umask 022
        mkdir -p $S && chmod 700 $S && mkdir -p $S/units $S/originals "$U/files" "$U/units"
        exec 9>>$S/lock
        if ! flock -n 9; then rm -rf -- "$U"; printf 'busy\t%s\n' "$(cat $S/holder 2>/dev/null)"; exit 3; fi
        # fresh DIGEST: no other apply was here since the plan was made
        fresh() {
          if [ "$(cat $S/manifest 2>/dev/null | sha256sum | cut -c1-64)" != "$1" ]; then rm -rf -- "$U"; printf 'stale\t%s\n' "$(cat $S/holder 2>/dev/null)"; exit 3; fi
          printf '%s\n' "$WHO" >$S/holder; rm -f $S/started
          # What a machine that lost its power in the middle may have kept.
          allow
        }
        M=
        n=0
        packed() { base64 -w0; }
        # keep PATH: what is there can be put back, by this apply's undo and when the role goes
        keep() {
          case $1 in $S/*) return 0;; esac
          n=$((n+1)); while [ -e "$U/files/$n.undo" ]; do n=$((n+1)); done
          original "$1"
          if [ -e "$1" ] || [ -L "$1" ]; then
            cp -a -- "$1" "$U/files/$n.old"
            printf 'rm -rf -- "%s"; cp -a -- "%s" "%s"\n' "$1" "$U/files/$n.old" "$1" >"$U/files/$n.undo"
            if [ ! -e "$o" ] && [ ! -L "$o" ] && [ ! -e "$o.none" ]; then rm -rf -- "$S/original.new"; cp -a -- "$1" "$S/original.new"; mv -T -- "$S/original.new" "$o"; fi
          else
            printf 'rm -rf -- "%s"\n' "$1" >"$U/files/$n.undo"
            [ -e "$o" ] || : >"$o.none"
          fi
        }
        # original PATH: sets o to where it is kept as it was before any apply
        original() {
          w=$1; case $w in *%*) w=$(printf '%s' "$w" | sed 's/%/%25/g');; esac
          o=
          while :; do case $w in */*) o=${o}${w%%/*}%2F; w=${w#*/};; *) o=$S/originals/$o$w; return 0;; esac; done
        }
        # put PATH MODE OWNER GROUP CHECK: the text comes on standard input as base64
        put() {
          d=${1%/*}; [ -d "${d:-/}" ] || mkdir -p -- "$d"
          # Always the same name: what was cut short is written over by the next.
          new="$d/.${1##*/}.dure-new"; export new
          umask 077; base64 -d >"$new"; umask 022
          # A new file is root's already, but in a folder that gives its own group to what is made in it.
          if [ "$3:$4" != root:root ] || [ -g "${d:-/}" ]; then chown "$3:$4" "$new"; fi
          chmod "$2" "$new"
          if [ -n "$5" ]; then sh -c "$5" || { rm -f -- "$new"; echo "$1 was not accepted"; return 1; }; fi
          keep "$1"
          if [ -d "$1" ] && [ ! -L "$1" ]; then rm -rf -- "$1"; fi
          sync -- "$new"; mv -fT -- "$new" "$1"
        }
        restore() {
          keep "$1"; original "$1"
          rm -rf -- "$1"
          if [ -e "$o" ] || [ -L "$o" ]; then cp -a -- "$o" "$1"; fi
        }
        # unblock PATH BEGIN END: the lines between the marks go, and the file with them when there was none before
        unblock() {
          [ -f "$1" ] && grep -qxF -- "$3" "$1" || return 0
          keep "$1"; awk -v b="$2" -v e="$3" '$0 == b { skip = 1 } !skip { print } $0 == e { skip = 0 }' "$1" >"$S/unblocked"
          cat "$S/unblocked" >"$1"; rm -f "$S/unblocked"
          [ -s "$1" ] || [ ! -e "$o.none" ] || rm -f -- "$1"
        }
        forget() { original "$1"; rm -rf -- "$o" "$o.none"; }
        # was UNIT: how it can be made as it was; sets a to its state and e to that of its file
        was() {
          a=$(systemctl show -p ActiveState -p UnitFileState -- "$1" 2>/dev/null) || :
          case $a in *UnitFileState=*) e=${a##*UnitFileState=};; *) e=;; esac
          a=${a#*ActiveState=}; a=${a%%
        *}
          [ ! -e "$U/units/$1" ] || return 0
          { if [ "$e" = masked ]; then echo "systemctl mask -- $1"; else echo "systemctl unmask -- $1"; fi
            case $e in enabled) echo "systemctl enable -- $1";; disabled|'') echo "systemctl disable -- $1";; esac
            case $a in active|reloading|activating) echo "systemctl restart --no-block -- $1";; *) echo "systemctl stop -- $1; systemctl reset-failed -- $1 2>/dev/null || :";; esac
            # With its files it gets back the stamp of what it was started with.
            if read -r s 2>/dev/null <"$S/units/$1"; then echo "echo '$s' >$S/units/$1"; else echo "rm -f $S/units/$1"; fi; } >"$U/units/$1" 2>/dev/null
        }
        # ready REREAD UNIT...: they can be started, and start with the machine; what they were stays known. REREAD: systemd has yet to read its units, which it does once for all of them.
        ready() {
          r=$1; shift; l=
          for u in "$@"; do
            was "$u"
            if [ "$e" = masked ]; then systemctl unmask -- "$u" || :; fi
            case $e in enabled|static) ;; *) l="$l $u";; esac
            [ "$a" != failed ] || systemctl reset-failed -- "$u" 2>/dev/null || :
          done
          # One that cannot be enabled must not keep the others from it.
          if [ -n "$l" ] && systemctl enable -- $l 2>/dev/null; then return 0; fi
          for u in $l; do systemctl enable --no-reload -- "$u" 2>/dev/null || :; done
          [ -z "$r$l" ] || systemctl daemon-reload
        }
        stamp() { printf '%s\n' "$2" >"$S/units/.$1.new"; mv -f "$S/units/.$1.new" "$S/units/$1"; }
        # why UNIT: what it said last
        why() { systemctl status --no-pager -n 0 -- "$1" 2>&1 | sed -n 's/^ *\(Active:\|Process:\)/\1/p'; journalctl --no-pager -q -o cat -n 15 -u "$1" 2>&1; }
        # up UNIT SECONDS: it is active; stayed sees later whether it still is
        up() {
          i=0
          while :; do
            a=$(systemctl is-active -- "$1" 2>/dev/null) || :
            case $a in
              active) printf '%s %s\n' "$B" "$1" >>$S/started; return 0;;
              failed|inactive) [ $i -lt 3 ] || { why "$1"; return 1; };;
            esac
            i=$((i+1)); [ $i -lt $(($2*5)) ] || { why "$1"; echo "$1 is $a after $2 s"; return 1; }
            sleep 0.2
          done
        }
        # stayed: a moment after the last start, every unit that was started is still active
        stayed() {
          [ -f $S/started ] || return 0
          sleep 0.3
          # Names of units have no spaces in them.
          if [ "$(systemctl is-active -- $(cut -d ' ' -f 2 $S/started) | sort -u)" != active ]; then
            while read -r b u; do
              a=$(systemctl is-active -- "$u" 2>/dev/null) || :
              [ "$a" = active ] || { why "$u" >"$U/log" 2>&1; rm -f $S/started; ended "$b" 1; }
            done <$S/started
          fi
          rm -f $S/started
        }
        waitfor() {
          i=0
          until sh -c "$1" >/dev/null 2>&1; do i=$((i+1)); [ $i -lt $(($2*2)) ] || { echo "after $2 s this still failed: $1"; sh -c "$1" 2>&1 | tail -n 5; return 1; }; sleep 0.5; done
        }
        # No service starts while packages are installed. The file answers for this apply alone: when its shell is gone, services start as ever.
        deny() { [ -e /usr/sbin/policy-rc.d ] && ! grep -q dure-apply /usr/sbin/policy-rc.d && return 0
          printf '#!/bin/sh\n# dure-apply: no starts while %s lives\n[ "$(cat /proc/sys/kernel/random/boot_id)" = %s ] && kill -0 %s 2>/dev/null && exit 101\nexit 0\n' $$ "$(cat /proc/sys/kernel/random/boot_id)" $$ >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; }
        allow() { ! grep -q dure-apply /usr/sbin/policy-rc.d 2>/dev/null || rm -f /usr/sbin/policy-rc.d; }
        apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef -o Dpkg::Use-Pty=0 "$@" 9>&-; }
        install() {
          [ -z "$(dpkg --audit 2>/dev/null)" ] || dpkg --configure -a --force-confold
          deny
          apt -y --no-install-recommends install "$@" || { apt update && apt -y --no-install-recommends install "$@"; }
          allow
        }
        # undone FOLDER: what that part of the apply replaced is put back, the last first; then units are what they were
        undone() {
          for f in $(ls "$1/files" 2>/dev/null | grep undo | sort -rn); do sh "$1/files/$f" || printf 'not undone: %s\n' "$(cat "$1/files/$f")"; done
          systemctl daemon-reload
          for f in "$1"/units/*; do [ -f "$f" ] && sh "$f" 2>&1; done
        }
        undo() {
          if [ -n "$M" ]; then : >"$U/confirmed"; unguard; U=$M; fi
          [ ! -d "$U/guarded" ] || undone "$U/guarded"
          undone "$U"
          if [ -f "$U/manifest.before" ]; then cp "$U/manifest.before" $S/manifest; else rm -f $S/manifest; fi
          # Packages stay, and stay ours: they go when their role goes.
          awk -F '\t' '$1 == "package" { print $3 }' $S/manifest.next 2>/dev/null | while read -r p; do
            [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || continue
            awk -F '\t' -v p="$p" '$1 == "package" && $3 == p { f = 1 } END { exit !f }' $S/manifest 2>/dev/null || awk -F '\t' -v p="$p" '$1 == "package" && $3 == p' $S/manifest.next >>$S/manifest
          done
          rm -f $S/manifest.next
          allow
        }
        begin() { B=$1; printf 'begin\t%s\n' "$1"; }
        # ended NUMBER CODE: what the change said lies in $U/log
        ended() {
          if [ "$2" = 0 ]; then printf 'done\t%s\n' "$1"; return 0; fi
          printf 'failed\t%s\t%s\t%s\n' "$1" "$2" "$(tail -c 3000 "$U/log" | packed)"
          undo >"$U/undo.log" 2>&1; printf 'undone\t%s\n' "$(tail -c 1500 "$U/undo.log" | packed)"
          exit 1
        }

        """;
}
