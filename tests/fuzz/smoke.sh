#!/bin/bash
# smoke.sh [SECONDS]: every fuzz target for so long (10), from its seeds in corpus/<what>/ if there are any. A finding fails.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
seconds=${1:-10}
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --preset fuzz >"$work/log" 2>&1 && cmake --build --preset fuzz -j "$(nproc)" >>"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
failed=0 count=0
for target in build-fuzz/bin/fuzz_*; do
  [ -x "$target" ] || continue
  name=$(basename "$target")
  seeds=tests/fuzz/corpus/${name#fuzz_}
  mkdir -p "$work/$name"
  count=$((count + 1))
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$work/$name/" -print_final_stats=1 \
    "$work/$name" $([ -d "$seeds" ] && echo "$seeds") >"$work/$name.log" 2>&1; then
    printf '%-28s %s runs, no finding\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")"
  else
    printf '%-28s FOUND:\n' "$name"
    tail -40 "$work/$name.log"
    failed=1
  fi
done
[ $count -gt 0 ] || { echo "no fuzz target was built"; exit 1; }
exit $failed
