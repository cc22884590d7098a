#!/bin/bash
# quickstart.sh: from a fresh Debian to identified plants, in one command.
#
#   deploy/quickstart.sh [--once] [--dir DIR] [--observations N] [--no-install]
#
# Installs what is missing (apt, npm), builds, finds or starts a store, sets it up with a synthetic flora and its model, starts a
# worker and the REST API, submits sample observations with validations, waits, prints what became of them, and asks the API by curl.
# Without --once it stays up and prints the addresses; with it everything that it started is stopped. A second run is quick and changes nothing.
#
#   --once             stop after the table
#   --dir DIR          where data is kept (~/.local/share/linnet/quickstart)
#   --observations N   how many sample observations (40)
#   --no-install       install nothing; say what is missing
#
# The store is the first of: LINNET_COUCHDB_URL (with credentials), an installed CouchDB, a container engine with the
# official image, the embedded store.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
build=${LINNET_BUILD_DIR:-$root/build}
dir=${XDG_DATA_HOME:-$HOME/.local/share}/linnet/quickstart
once=no install=yes observations=40
flora_seed=3 sample_seed=2026
# What the main job needs; the tests are built by tests/run.sh.
parts=(linnet linnet-flora couchapp web linnet_nn_cpu plugin_{normalize,convnet,fusion,consensus,retrain})

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,19s/^# \{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
  case $1 in
  --once) once=yes ;;
  --no-install) install=no ;;
  --dir) dir=${2:?--dir wants a folder}; shift ;;
  --observations) observations=${2:?--observations wants a number}; shift ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
mkdir -p "$dir"

. "$root/deploy/lib/packages.sh"
. "$root/deploy/lib/store.sh"

started=()
finish() {
  status=$?
  trap - EXIT INT TERM
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do stop_process "${started[i]}"; done
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

stop_process() { # TERM, then wait up to 30 s, then KILL: the process alone, by pid
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 300); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
}

build_linnet() {
  say "building (in $build)"
  [ -f "$build/build.ninja" ] || cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$dir/configure.log" ||
    die "configuring failed; see $dir/configure.log"
  ninja -C "$build" "${parts[@]}" >"$dir/build.log" || { tail -30 "$dir/build.log" >&2; die "the build failed; see $dir/build.log"; }
  export PATH=$build/bin:$PATH
}

draw_samples() {
  [ -f "$dir/samples/.$observations" ] && return
  say "drawing $observations sample observations"
  rm -rf "$dir/samples"
  linnet-flora backbone --seed $flora_seed --out "$dir/samples/backbone" >/dev/null
  linnet-flora observations --flora-seed $flora_seed --labels "$root/tests/data/model/labels.csv" --seed $sample_seed --split test \
    --count "$observations" --out "$dir/samples" >/dev/null
  linnet-flora votes --flora-seed $flora_seed --seed $sample_seed --observations "$dir/samples/observations.csv" \
    --out "$dir/samples/votes.csv" >/dev/null
  touch "$dir/samples/.$observations"
}

set_up() {
  say "setting the store up"
  linnet init --site-key "$dir/site.key" --open-app --quiet
  linnet reference load --quiet "$dir/samples/backbone/taxa.jsonl" "$dir/samples/backbone/floras.jsonl"
  linnet model publish "$root/tests/data/model/flora-inception.onnx" --labels "$root/tests/data/model/labels.csv" \
    --description "$root/tests/data/model/model.json" --activate
}

start_worker() {
  say "starting a worker"
  port=$(free_port)
  jq -n --arg dir "$dir" --arg listen "127.0.0.1:$port" '{state_dir: ($dir + "/state"), cache_dir: ($dir + "/cache"),
    monitor: {listen: $listen}, site: {secret_key_file: ($dir + "/site.key")}}' >"$dir/worker.json"
  linnet worker --config "$dir/worker.json" >>"$dir/worker.log" 2>&1 </dev/null &
  worker=$!
  started+=("$worker")
  for _ in $(seq 600); do
    if curl -fs -o /dev/null "http://127.0.0.1:$port/readyz"; then return; fi
    kill -0 "$worker" 2>/dev/null || { tail -5 "$dir/worker.log" >&2; die "the worker did not start; see $dir/worker.log"; }
    sleep 0.1
  done
  die "the worker is not ready after 60 s: $(curl -s "http://127.0.0.1:$port/readyz")"
}

start_server() {
  say "starting the REST API"
  serve_port=$(free_port)
  jq -n --arg dir "$dir" --arg listen "127.0.0.1:$serve_port" '{listen: $listen, cache_dir: ($dir + "/cache"), signup: {open: true}}' >"$dir/serve.json"
  linnet serve --config "$dir/serve.json" >>"$dir/serve.log" 2>&1 </dev/null &
  server=$!
  started+=("$server")
  for _ in $(seq 600); do
    if curl -fs -o /dev/null "http://127.0.0.1:$serve_port/readyz"; then return; fi
    kill -0 "$server" 2>/dev/null || { tail -5 "$dir/serve.log" >&2; die "the REST API did not start; see $dir/serve.log"; }
    sleep 0.1
  done
  die "the REST API is not ready after 60 s: $(curl -s "http://127.0.0.1:$serve_port/readyz")"
}

# The line that is printed is the line that is run.
ask_server() {
  local picture organ line
  IFS=, read -r _ picture organ _ < <(sed -n 2p "$dir/samples/observations.csv")
  line="curl -s -F images=@$dir/samples/$picture -F organs=$organ http://127.0.0.1:$serve_port/v2/identify/all?nb-results=3"
  say "the same by the REST API"
  printf '%s\n' "$line"
  $line | jq -r '.results[] | "  \(.score * 1000 | round / 10) %  \(.species.scientificName)  \(.species.commonNames[0] // "")"'
}

# Every observation has an identification by now (submit waited); wait until the community's answers have settled too.
wait_for_consensus() {
  local all settled
  for _ in $(seq 300); do
    all=$(linnet list --json --limit 10000 | jq length)
    settled=$(linnet list --json --limit 10000 | jq '[.[] | select(.consensus != null)] | length')
    [ "$settled" -ge "$all" ] && return
    sleep 0.2
  done
  die "$settled of $all observations have a consensus after 60 s; see $dir/worker.log"
}

[ $install = no ] || install_packages
build_linnet
find_store
draw_samples
set_up
start_worker
start_server
say "submitting observations and validations"
linnet submit --csv "$dir/samples/observations.csv" --votes "$dir/samples/votes.csv" --timeout 300
wait_for_consensus
linnet list --limit "$observations"
first=$(linnet list --json --limit 1 | jq -r '.[0].observation')
say "one of them, whole (linnet show $first)"
linnet show "$first"
ask_server
[ $once = no ] || exit 0

app=$(sed -E 's#^(https?://)[^@/]*@#\1#' <<<"${LINNET_COUCHDB_URL%/}")/linnet/_design/app/index.html
cat <<END

Linnet is up. Leave with Ctrl-C; data stays in $dir.
  store      $LINNET_COUCHDB_URL
  app        $app
  worker     http://127.0.0.1:$port/readyz  /metrics
  the API    http://127.0.0.1:$serve_port/ (a page to try it), /docs, /openapi.json
  try        export LINNET_COUCHDB_URL='$LINNET_COUCHDB_URL' PATH=$build/bin:\$PATH
             linnet user add NAME        # an account for the app
             linnet submit leaf.jpg flower.jpg --organ leaf --organ flower
             linnet status --watch
END
wait "$worker" || die "the worker ended; see $dir/worker.log"
