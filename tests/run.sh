#!/bin/bash
# run.sh: every test of Linnet, from nothing.
#
#   tests/run.sh [--no-install] [STEP...]
#
# Steps, in order: install build unit e2e clang quickstart fuzz asan tsan tidy; without names, all of them. With LINNET_COUCHDB_URL
# (admin credentials in it) the tests run against that CouchDB, under prefixes of their own; else against the embedded store.
# As many tests at once as there are processors; those that hold how long something takes run alone.
# LINNET_FUZZ_SECONDS: how long each fuzz target runs (5).
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"
. deploy/lib/packages.sh
jobs=$(nproc)
logs=${LINNET_TEST_LOGS:-$root/build/test-logs}
mkdir -p "$logs"
export OMP_WAIT_POLICY=passive
command -v ccache >/dev/null && export CMAKE_C_COMPILER_LAUNCHER=ccache

configure_and_build() { # configure_and_build PRESET: in build-PRESET (build for release)
  cmake --preset "$1" >"$logs/configure-$1.log" 2>&1 && cmake --build --preset "$1" -j "$jobs" >"$logs/build-$1.log" 2>&1 && return
  grep -A20 -hE '^CMake Error|^FAILED' "$logs/configure-$1.log" "$logs/build-$1.log" | head -n 60
  return 1
}

# What waits (for a store, for a browser, for leases to run out) leaves a processor idle. Meanwhile, and at the lowest priority, the other
# builds are made and clang-tidy runs; the steps that need them wait for what is not there yet.
aside= # the process
run_aside() { # run_aside JOB...: builds by their presets, or tidy
  local job
  rm -f "$logs"/aside-*.status
  (
    renice -n 19 -p "$BASHPID" >/dev/null
    for job; do
      case $job in
      tidy) tests/tidy.sh ;;
      *) configure_and_build "$job" ;;
      esac >"$logs/aside-$job.log" 2>&1
      echo $? >"$logs/aside-$job.part"
      mv "$logs/aside-$job.part" "$logs/aside-$job.status"
    done
  ) &
  aside=$!
  trap 'kill "$aside" 2>/dev/null' EXIT
}
done_aside() { # done_aside JOB: what it said, and whether it went well; 2 if it was not begun
  [ -n "$aside" ] && [[ " $jobs_aside " == *" $1 "* ]] || return 2
  until [ -e "$logs/aside-$1.status" ]; do kill -0 "$aside" 2>/dev/null || break; sleep 0.2; done
  cat "$logs/aside-$1.log"
  [ "$(cat "$logs/aside-$1.status" 2>/dev/null)" = 0 ]
}
aside_or() { # aside_or JOB COMMAND...: the command, unless that job is being done aside
  local job=$1
  shift
  done_aside "$job"
  case $? in 0) ;; 2) "$@" ;; *) return 1 ;; esac
}
build() { aside_or "$1" configure_and_build "$1"; } # build PRESET

step_install() { install_packages tests/packages.txt; }
step_build() { configure_and_build release && cmake --build --preset release --target web >"$logs/build-web.log" 2>&1 || { tail -n 30 "$logs/build-web.log"; return 1; }; }
step_unit() { ctest --preset release -j "$jobs" -LE e2e; }
step_e2e() { ctest --preset release -j "$jobs" -L e2e; }
step_clang() { build clang; }
# Sanitizers keep their shadow where newer kernels may put libraries: with more than 28 bits of randomness in addresses they fail
# by chance ("unexpected memory mapping").
unshuffled() {
  if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ] && setarch -R true 2>/dev/null; then
    setarch -R "$@"
  else
    "$@"
  fi
}
# Sanitizers see what one process does; the page, the packages and the long runs of e2e are left to the release build. So is what
# draws hundreds of the tests' own pictures (data_pictures draws each kind once) and, under ThreadSanitizer, what has one thread. Their
# options are in CMakePresets.json, what they may not report in tests/*.supp.
step_asan() { build asan && unshuffled ctest --preset asan -j "$jobs" -LE 'e2e|node|package|drawing'; }
threaded='^(test_base|test_couch|serve_|host_|worker_|unit_nn_engine|unit_plugins_(convnet|normalize)|plugin_|sharpness_contract)'
step_tsan() { build tsan && unshuffled ctest --preset tsan -j "$jobs" -R "$threaded" -LE 'e2e|node|package'; }
step_fuzz() { build fuzz && unshuffled tests/fuzz/smoke.sh "${LINNET_FUZZ_SECONDS:-5}"; }
step_tidy() { aside_or tidy tests/tidy.sh; }
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
  -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
  install | build | unit | e2e | clang | asan | tsan | fuzz | tidy | quickstart) steps+=("$word") ;;
  *) echo "run.sh: no step '$word'; see --help" >&2; exit 2 ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=(install build unit e2e clang quickstart fuzz asan tsan tidy)

jobs_aside= # what follows e2e and can be made while it waits
for step in "${steps[@]}"; do
  case $step in
  e2e) jobs_aside=' ' ;;
  clang | asan | tsan | fuzz | tidy) [ -z "$jobs_aside" ] || jobs_aside+=" $step" ;;
  esac
done

passed=0 failed=0 summary=
for step in "${steps[@]}"; do
  [ $step = install ] && [ $install = no ] && continue
  [ $step = e2e ] && run_aside $jobs_aside
  printf '\n== %s\n' "$step"
  begin=$SECONDS
  if "step_$step"; then passed=$((passed + 1)) word=passed; else failed=$((failed + 1)) word=FAILED; fi
  summary+=$(printf '%-12s %s in %d s' "$step" "$word" $((SECONDS - begin)))$'\n'
done
printf '\n%s%d passed, %d failed\n' "$summary" "$passed" "$failed"
[ $failed = 0 ]
