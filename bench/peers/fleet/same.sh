#!/bin/sh
# Whether machines are as they should be, in one session each, at the same time: same.sh SSH_CONFIG CONTROL_FOLDER SCRIPT HOST...
# SCRIPT is what each machine runs: it compares digests and asks for units. Ends with 0 when all machines are.
config=$1 control=$2 script=$3
shift 3
pids=
for host do
  ssh -F "$config" -T -o BatchMode=yes -o ControlMaster=auto -o "ControlPath=$control/%C" -o ControlPersist=120 -- "$host" sh <"$script" &
  pids="$pids $!"
done
rc=0
for pid in $pids; do wait "$pid" || rc=1; done
exit $rc
