#!/bin/sh
# Builds the portal: web/build.sh OUT [required]. What is in OUT afterwards is all that a server needs; Node.js is needed here only.
# Where Node.js or the network lacks it says so and makes nothing, so that Dure can be built without its portal; `required` makes that an error.
#   web/build.sh --tools    installs also what checks and tests of the portal need
set -eu
here=$(cd "$(dirname "$0")" && pwd)
oldest=18

# In the words by which MSBuild knows a warning; at least these are shown by a quiet build.
without() {
    if [ "${2:-}" = required ]; then
        printf 'web/build.sh : error : %s\n' "$1" >&2
        exit 1
    fi
    printf 'web/build.sh : warning : The portal is left out: %s\n' "$1" >&2
    exit 0
}

out=$1
need=${2:-}
[ "$out" != --tools ] || need=required
major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
[ "$major" -ge "$oldest" ] && command -v npm >/dev/null ||
    without "it needs Node.js $oldest or later and npm to be built (sudo apt-get install -y nodejs npm)." "$need"

# One at a time: all builds of this folder share what npm installs.
mkdir -p "$here/../artifacts"
exec 9>"$here/../artifacts/web.lock"
! command -v flock >/dev/null || flock 9
cd "$here"

# What is installed stays as long as the lock file does; somebody's tools are not taken away.
tools=
[ ! -d node_modules/typescript ] && [ "$out" != --tools ] || tools=1
if [ ! node_modules/.package-lock.json -nt package-lock.json ] || [ ! -d node_modules/vite ] || { [ "$tools" ] && [ ! -d node_modules/typescript ]; }; then
    log=$(mktemp)
    omit=--omit=dev
    [ -z "$tools" ] || omit=
    if ! npm ci $omit --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
        why=$(grep -m 1 -E 'ERR!|error' "$log" || tail -n 1 "$log")
        rm -f "$log"
        without "npm could not install what it is built with ($why)." "$need"
    fi
    rm -f "$log"
fi
[ "$out" != --tools ] || exit 0

mkdir -p "$out"
out=$(cd "$out" && pwd)
begun=$(mktemp)
trap 'rm -rf "$begun" "$out.new"' EXIT
node node_modules/vite/bin/vite.js build --logLevel warn --outDir "$out.new" --emptyOutDir >&2
node scripts/compress.mjs "$out.new"
# A file that changes meanwhile must be seen as newer.
touch -r "$begun" "$out.new/index.html"
rm -rf "$out"
mv "$out.new" "$out"
