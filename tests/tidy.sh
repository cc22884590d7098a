#!/bin/bash
# tidy.sh: clang-tidy over all of our C, warnings as errors (.clang-tidy). Wants the build folder's compile_commands.json. What has
# passed is remembered in build/tidy, by all that it was made of (flags, headers, comments, checks), and not looked at again.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"
[ -f build/compile_commands.json ] || cmake --preset release >/dev/null || exit 1
mkdir -p build/tidy
checks=$(cat .clang-tidy; clang-tidy --version)
export checks

check() { # check FILE COMMAND, where COMMAND compiles FILE
  local file=$1 key
  key=$({ echo "$2$checks"; cd build && eval "${2/ -o * -c / -E -CC }" 2>/dev/null; } | sha256sum | cut -d' ' -f1)
  [ -e "build/tidy/$key" ] && return
  clang-tidy --quiet -p build "$file" 2>/dev/null && : >"build/tidy/$key"
}
export -f check

jq -r --arg ours "^$root/(common|workers|plugins)/.*[.]c$" \
  'map(select(.file | test($ours))) | unique_by(.file)[] | .file, .command' build/compile_commands.json |
  xargs -P "$(nproc)" -d '\n' -n 2 bash -c 'check "$1" "$2"' check
