#!/bin/bash
# run.sh [--observations N] [--names N] [--pages N] [--flora-names N] [--only review,names,pages]: the web app's times, as a table, in Debian's Chromium.
#
#   review   first review card on a slow phone (4 times slowed CPU, slow 4G as Lighthouse has it: 150 ms, 1.6 Mbit/s) with N observations
#            (100000) in the store; the next card; a letter of a search offline in a flora of N scientific names (20000: about 5,000 species)
#   names    search by `linnet serve` over a catalogue of N names (1400000: about 400,000 accepted taxa)
#   pages    what N open pages (1000), each following an observation by `linnet serve`, cost the store's writes
#
#   LINNET_COUCHDB_URL   a CouchDB with admin credentials; without it the embedded store, which takes long to fill
#   LINNET_BUILD_DIR     where Linnet is built (build)
#
# Exits 1 if a figure is more than is allowed.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=$(readlink -f "${LINNET_BUILD_DIR:-$root/build}")
[ -x "$build/bin/linnet" ] || { echo "run.sh: build first (cmake --preset release, cmake --build --preset release)" >&2; exit 2; }
"$root/deploy/embedded/install.sh"
"$root/deploy/embedded/install.sh" "$root/tests/web"
cmake --build "$build" --target web >/dev/null
exec node "$here/measure.js" "$build" "$@"
