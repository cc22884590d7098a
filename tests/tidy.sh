#!/bin/bash
# tidy.sh: clang-tidy over all of our C, warnings as errors (.clang-tidy). Wants the build folder's compile_commands.json. What has
# passed is remembered, as ccache remembers objects, by all that it was made of (flags, headers, comments, checks), and not looked at
# again, in whatever clone: nearly all of its time is the analyzer's. LINNET_TIDY_MEMORY says where; a month unused is forgotten.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"
[ -f build/compile_commands.json ] || cmake --preset release >/dev/null || exit 1
memory=${LINNET_TIDY_MEMORY:-${XDG_CACHE_HOME:-$HOME/.cache}/linnet-tidy}
mkdir -p "$memory"
find "$memory" -type f -mtime +30 -delete
checks=$(cat .clang-tidy; clang-tidy --version)
export root memory checks

check() { # check FILE COMMAND, where COMMAND compiles FILE
  local file=$1 key text
  text=$(cd build && eval "${2/ -o * -c / -E -CC }" 2>/dev/null) || { echo "$file does not compile"; return 1; }
  key=$({ printf '%s\n' "$2" "$checks" "$text"; } | sed "s|$root|.|g" | sha256sum | cut -d' ' -f1)
  [ ! -e "$memory/$key" ] || { touch "$memory/$key"; return; }
  clang-tidy --quiet -p build "$file" 2>/dev/null && : >"$memory/$key"
}
export -f check

jq -r --arg ours "^$root/(common|workers|plugins)/.*[.]c$" \
  'map(select(.file | test($ours))) | unique_by(.file)[] | .file, .command' build/compile_commands.json |
  xargs -P "$(nproc)" -d '\n' -n 2 bash -c 'check "$1" "$2"' check
