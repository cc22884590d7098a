#!/bin/bash
# newcomer.sh BUILD: install what was built to a prefix of its own, then walk the newcomer's path as the template's README
# has it, word for word, outside of the tree; then build the copy with CMake too. Run it with tests/e2e/with-store.sh for
# the last command, the worker; without LINNET_COUCHDB_URL that one is left out.
set -euo pipefail
build=$(readlink -f "$1")
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
work=$(mktemp -d /tmp/linnet-newcomer-XXXXXX)
trap 'rm -rf "$work"' EXIT
die() { echo "newcomer.sh: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || die "$(tail -5 "$work/install.log")"
export PATH=$work/prefix/bin:$PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name linnet.pc)")
export PKG_CONFIG_PATH
unset LINNET_PLUGIN_PATH LINNET_DATA_PATH
[ "$(command -v linnet)" = "$work/prefix/bin/linnet" ] || die "not the program that was installed"

mapfile -t commands < <(sed -n '/^```sh$/,/^```$/p' "$work/prefix/share/linnet/template/README.md" | grep -v '^```')
[ ${#commands[@]} = 5 ] || die "the path has ${#commands[@]} commands, five are promised"

mkdir "$work/home"
cd "$work/home"
echo "\$ ${commands[0]}"
eval "${commands[0]}"
[ "$(pwd)" = "$work/home/sharpness" ] || die "the copy is not where it should be"
cp "$root/tests/fuzz/corpus/picture/baseline.jpg" photo.jpg
for command in "${commands[@]:1:2}"; do
  echo "\$ $command"
  eval "$command" || die "it failed"
done
echo "\$ ${commands[3]}"
eval "${commands[3]}" | tee "$work/run.out"
grep -q '"kind":"sharpness".*"blurred":' "$work/run.out" || die "no sharpness document was printed"

if [ -n "${LINNET_COUCHDB_URL:-}" ]; then
  linnet init --quiet >"$work/init.log" || die "$(cat "$work/init.log")"
  linnet submit --no-wait --quiet photo.jpg
  # The site's own workers are here those of this build, without a model.
  echo '{"groups":{"images":{"stages":{"normalize":{}}}}}' >"$work/site.json"
  linnet worker --config "$work/site.json" --listen off --once 2>"$work/site.log" || die "$(cat "$work/site.log")"
  echo "\$ ${commands[4]}"
  eval "${commands[4]} --listen off --once" 2>"$work/worker.log" || die "$(cat "$work/worker.log")"
  id=$(curl -sS "$LINNET_COUCHDB_URL/${LINNET_PREFIX:-linnet}/_all_docs" | grep -o '"id":"[^"]*:sharpness:[^"]*"' | head -1)
  [ -n "$id" ] || die "the worker wrote no sharpness document: $(cat "$work/worker.log")"
  echo "$id"
fi

make check >"$work/check.log" 2>&1 || die "make check: $(cat "$work/check.log")"
make install >/dev/null
linnet plugin list | grep -q '^sharpness' || die "an installed plugin is not found"

cmake -S . -B build -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_INSTALL_PREFIX="$work/prefix" >"$work/cmake.log" &&
  cmake --build build >>"$work/cmake.log" && ctest --test-dir build --output-on-failure >>"$work/cmake.log" ||
  die "with CMake: $(cat "$work/cmake.log")"
cmake --install build >>"$work/cmake.log"
linnet plugin show sharpness
