#!/bin/bash
# run.sh: every test of Linnet, from nothing.
#
#   tests/run.sh [--no-install] [STEP...]
#
# Steps, in order: install build unit e2e clang quickstart; without names, these. By name also: asan tsan fuzz tidy, which are not
# green yet (CHANGES.md says what they still find). With LINNET_COUCHDB_URL (admin
# credentials in it) the tests run against that CouchDB, under prefixes of their own; else against the embedded store.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"
. deploy/lib/packages.sh
jobs=$(nproc)
logs=${LINNET_TEST_LOGS:-$root/build/test-logs}
mkdir -p "$logs"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 OMP_WAIT_POLICY=passive
command -v ccache >/dev/null && export CMAKE_C_COMPILER_LAUNCHER=ccache

configure_and_build() { # configure_and_build PRESET: in build-PRESET (build for release)
  cmake --preset "$1" >"$logs/configure-$1.log" 2>&1 && cmake --build --preset "$1" -j "$jobs" >"$logs/build-$1.log" 2>&1 && return
  grep -A20 -hE '^CMake Error|^FAILED' "$logs/configure-$1.log" "$logs/build-$1.log" | head -n 60
  return 1
}

step_install() { install_packages tests/packages.txt; }
step_build() { configure_and_build release && cmake --build --preset release --target web >"$logs/build-web.log" 2>&1 || { tail -n 30 "$logs/build-web.log"; return 1; }; }
step_unit() { ctest --preset release -j "$jobs" -LE e2e; }
step_e2e() { ctest --preset release -L e2e; }
step_clang() { configure_and_build clang; }
# Sanitizers see what one process does; the page, the packages and the long runs of e2e are left to the release build.
step_asan() { configure_and_build asan && ctest --preset asan -j "$jobs" -LE 'e2e|node|package'; }
step_tsan() { configure_and_build tsan && ctest --preset tsan -j "$jobs" -R 'base|couch|host|worker|stage|queue|nn_engine' -LE 'e2e|node|package'; }
step_fuzz() { tests/fuzz/smoke.sh "${LINNET_FUZZ_SECONDS:-10}"; }
step_tidy() { tests/tidy.sh; }
step_quickstart() {
  local dir first second named status
  dir=$(mktemp -d)
  deploy/quickstart.sh --once --no-install --dir "$dir" | tee "$logs/quickstart-1.log" && deploy/quickstart.sh --once --no-install --dir "$dir" >"$logs/quickstart-2.log"
  status=$?
  first=$(grep -cE '^[0-9A-Z]{26} ' "$logs/quickstart-1.log")
  named=$(grep -A3 '^curl .*/v2/identify/all' "$logs/quickstart-1.log" | grep -cE '^  [0-9.]+ %  [A-Z][a-z]+ [a-z]+')
  second=$(grep -E '^0 observations with|^0 observations' "$logs/quickstart-2.log")
  rm -rf "$dir"
  [ $status = 0 ] && [ "$first" -ge 40 ] && [ -n "$second" ] && [ "$named" = 3 ] || { echo "quickstart: status $status, $first rows, $named names by curl, second run: ${second:-wrote again}"; return 1; }
}

install=yes steps=()
for word; do
  case $word in
  --no-install) install=no ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
  install | build | unit | e2e | clang | asan | tsan | fuzz | tidy | quickstart) steps+=("$word") ;;
  *) echo "run.sh: no step '$word'; see --help" >&2; exit 2 ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=(install build unit e2e clang quickstart)

passed=0 failed=0 summary=
for step in "${steps[@]}"; do
  [ $step = install ] && [ $install = no ] && continue
  printf '\n== %s\n' "$step"
  begin=$SECONDS
  if "step_$step"; then passed=$((passed + 1)) word=passed; else failed=$((failed + 1)) word=FAILED; fi
  summary+=$(printf '%-12s %s in %d s' "$step" "$word" $((SECONDS - begin)))$'\n'
done
printf '\n%s%d passed, %d failed\n' "$summary" "$passed" "$failed"
[ $failed = 0 ]
