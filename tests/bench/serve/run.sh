#!/bin/bash
# run.sh [--model inception-v3|flora-inception] [--seconds N] [--rounds N] [--no-peer] [--json]: linnet serve beside what a user would write
# with Node (peer.js), same model, same pictures, same machine, in turns: identifications a second, CPU time, memory; then ours under open-loop
# load at 70% of its capacity. README.md says what the figures mean. Inception v3 is made by export.py (Debian's python3-torchvision).
#
# The peer's packages (npm, without their scripts) are kept in build/bench-serve. run.sh storm [--requests N]: N requests (10,000), a third of
# them malformed, against linnet serve: each the right answer, no crash, memory flat.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=${LINNET_BUILD_DIR:-$root/build}
work=$build/bench-serve
mkdir -p "$work"
[ -x "$build/bin/linnet" ] || { echo "run.sh: build first (cmake --preset release, cmake --build --preset release)" >&2; exit 2; }
samples=$(LINNET_BUILD_DIR=$build node -e "console.log(require('$root/tests/e2e/lib').draw(12, 7, ['--size', '960']))")
if [ "${1:-}" = storm ]; then
  shift
  exec node "$here/storm.js" "$build" "$samples" "$@"
fi
if [[ " $* " != *" --no-peer "* ]] && [ ! -d "$work/node_modules/fastify" ]; then
  cp "$here/package.json" "$work/"
  (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --silent)
fi
cp "$here/peer.js" "$work/"
[[ " $* " == *" flora-inception "* ]] || /usr/bin/python3 "$here/export.py" "$work/inception-v3" "$root/tests/data/model/model.json"
exec node "$here/load.js" "$build" "$samples" "$work" "$@"
