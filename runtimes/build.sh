#!/bin/sh
# Builds everything that runs inside sandboxes into the folder OUT (see README.md). Usage: runtimes/build.sh OUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUT}
cc=${CC:-gcc}
strict="-std=c11 -O2 -Wall -Wextra -Werror"
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out/digest"

cd "$here/native"
# Static, so that it runs in any root file system and starts without a loader.
$cc $strict -static -o "$out/dure-init.new" dure-init.c confine.c listener.c plain.c program.c frames.c zygote.c
mv "$out/dure-init.new" "$out/dure-init"
$cc $strict -shared -fPIC -o "$out/libdure-enter.so.new" enter.c confine.c
mv "$out/libdure-enter.so.new" "$out/libdure-enter.so"
if [ -f dure-spawn.c ]; then
    $cc $strict -static -o "$out/dure-spawn.new" dure-spawn.c
    mv "$out/dure-spawn.new" "$out/dure-spawn"
fi

for part in python node cpp go; do
    rm -rf "$out/$part.new"
    cp -R "$here/$part" "$out/$part.new"
    find "$out/$part.new" -name __pycache__ -prune -exec rm -rf {} +
    rm -rf "$out/$part"
    mv "$out/$part.new" "$out/$part"
done

# The sandbox shows the folder read-only: without this every start would compile the shim again.
for python in /usr/bin/python3 /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9]; do
    [ -x "$python" ] || continue
    "$python" -I -m compileall -q --invalidation-mode unchecked-hash "$out/python" >/dev/null
done
chmod -R a+rX "$out"

# Names the whole: folders with the same digest hold the same. Written last, so that a build that was cut short has none.
(cd "$out" && find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum | cut -c 1-16) >"$out/digest.new"
mv "$out/digest.new" "$out/digest"
