#!/bin/bash
# smoke.sh [SECONDS]: every fuzz target for so long (5), as many at once as there are processors, from its seeds in corpus/<what>/
# if there are any. A finding fails.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
export seconds=${1:-5}
cd "$root"
work=$(mktemp -d)
export work
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
cmake --preset fuzz >"$work/log" 2>&1 && cmake --build --preset fuzz -j "$(nproc)" >>"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }

smoke() { # smoke TARGET
  local name seeds
  name=$(basename "$1")
  seeds=tests/fuzz/corpus/${name#fuzz_}
  mkdir -p "$work/$name"
  if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$work/$name/" -print_final_stats=1 \
    "$work/$name" $([ -d "$seeds" ] && echo "$seeds") >"$work/$name.log" 2>&1; then
    printf '%-28s %s runs, no finding\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")"
  else
    printf '%-28s FOUND:\n%s\n' "$name" "$(tail -40 "$work/$name.log")"
    return 1
  fi
}
export -f smoke

targets=$(find build-fuzz/bin -name 'fuzz_*' -executable | sort)
[ -n "$targets" ] || { echo "no fuzz target was built"; exit 1; }
xargs -P "$(nproc)" -n 1 bash -c 'smoke "$1"' smoke <<<"$targets"
