#!/bin/bash
# run.sh [--batch N] [--rounds N] [--networks A,B@SIZE,...] [--no-start] [--int8] [--json]: the ConvNet engine beside ONNX Runtime, on one thread each, in turns.
#
# Exports networks of Debian's python3-torchvision with random weights (kept in build/bench-nn), installs onnxruntime-node (npm, without
# its scripts) and prints for each network the difference of the outputs, the pictures that a second of CPU time does and what it takes to
# start (medians); with --int8 also int8's pictures, its error beside that of its roundings alone (root mean squares), and ONNX Runtime's on the
# same ranges, weights and pictures (qdq.py), which the engine imports too. Networks: those of torchvision, dinov2_vits14, dinov2_vitb14; NAME@SIZE for pictures of another size.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$root/build/bench-nn
mkdir -p "$work"
[ -x "$root/build/bin/nn_run" ] || { echo "run.sh: build first (cmake --preset release, cmake --build --preset release)" >&2; exit 2; }
if [ ! -d "$work/node_modules/onnxruntime-node" ]; then
  cp "$here/package.json" "$work/"
  (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --silent)
fi
cp "$here/bench.js" "$here/qdq.py" "$work/"
/usr/bin/python3 "$here/export.py" "$work" "$@" 2>/dev/null
exec node "$work/bench.js" "$root/build/bin/nn_run" "$work" "$@"
