#!/bin/bash
# tidy.sh: clang-tidy over all of our C, warnings as errors (.clang-tidy). Wants the build folder's compile_commands.json.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"
[ -f build/compile_commands.json ] || cmake --preset release >/dev/null || exit 1
jq -r '.[].file' build/compile_commands.json | sort -u | grep -E "^$root/(common|workers|plugins)/.*\.c$" |
  xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p build 2>/dev/null
