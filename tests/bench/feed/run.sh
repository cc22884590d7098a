#!/bin/bash
# run.sh [N]: from a change to its result, `linnet worker` with a stage that does nothing against a Node.js worker with nano that does the
# same, on one store, with a backlog of N observations (100000). Prints documents per CPU-second of each client and its peak memory.
#
#   BUILD=FOLDER   where Linnet is built (build)
#   LINNET_COUCHDB_URL   a CouchDB with admin credentials; without it the embedded store
#
# Exits 1 if Linnet is not at least twice the peer, or took 64 MiB of memory or more.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
n=${1:-100000}
build=$(readlink -f "${BUILD:-$root/build}")
[ -x "$build/bin/linnet" ] || { echo "run.sh: no linnet in $build: build it first (cmake --preset release && cmake --build --preset release)" >&2; exit 2; }
"$root/deploy/embedded/install.sh" "$here"
work=$(mktemp -d)
store=$(LINNET_STORE_PID='' "$root/tests/e2e/store.sh" start)
eval "$store"
finish() { "$root/tests/e2e/store.sh" stop || true; drop "$peer"; rm -rf "$work"; }
peer=${LINNET_PREFIX}-peer
drop() { [ -n "${LINNET_STORE_PID:-}" ] || curl -sS -o /dev/null -X DELETE "${LINNET_COUCHDB_URL%/}/$1"; }
trap finish EXIT

partitioned=
case $(curl -sS "${LINNET_COUCHDB_URL%/}/") in *partitioned*) partitioned=partitioned ;; esac
echo "filling two databases with $n observations each" >&2
node "$here/fill.js" "$LINNET_COUCHDB_URL" "$peer" "$n" $partitioned
node "$here/fill.js" "$LINNET_COUCHDB_URL" "$LINNET_PREFIX" "$n" $partitioned
for name in reference ops; do curl -sSf -o /dev/null -X PUT "${LINNET_COUCHDB_URL%/}/$LINNET_PREFIX-$name"; done
# An identity, as `linnet init` makes it, so that checkpoints are believed.
curl -sSf -o /dev/null -X PUT -H 'content-type: application/json' "${LINNET_COUCHDB_URL%/}/$LINNET_PREFIX-ops/identity:database" \
  -d '{"kind":"identity","uuid":"0123456789abcdef0123456789abcdef"}'
cat >"$work/worker.json" <<JSON
{"groups": {"images": {"stages": {"noop": {}}}}, "plugin_path": ["$build/tests/bench/feed"],
 "state_dir": "$work/state", "cache_dir": "$work/cache", "monitor": {"listen": "off"}, "log": {"level": "warn", "format": "text"}}
JSON

echo "the peer" >&2
python3 "$here/measure.py" "$work/peer" node "$here/peer.js" "$LINNET_COUCHDB_URL" "$peer" >&2
echo "linnet worker" >&2
python3 "$here/measure.py" "$work/linnet" "$build/bin/linnet" worker --once -c "$work/worker.json" >&2

count() { # results that stand
  curl -sS "${LINNET_COUCHDB_URL%/}/$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["doc_count"])'
}
python3 - "$n" "$work" "$(count "$peer")" "$(count "$LINNET_PREFIX")" <<'PY'
import sys
n, work, counts = int(sys.argv[1]), sys.argv[2], [int(x) for x in sys.argv[3:5]]
rates, worst = [], 0
print(f"{'client':<14}{'documents':>10}{'CPU s':>9}{'wall s':>9}{'docs/CPU-s':>12}{'us CPU/doc':>12}{'peak MiB':>10}")
for name, count in zip(("peer", "linnet"), counts):
    cpu, wall, rss = (float(x) for x in open(f"{work}/{name}").read().split())
    done = count - n
    rates.append(done / cpu)
    print(f"{name:<14}{done:>10}{cpu:>9.2f}{wall:>9.2f}{done / cpu:>12.0f}{cpu / max(done, 1) * 1e6:>12.1f}{rss:>10.1f}")
    if done != n:
        sys.exit(f"{name} wrote {done} results of {n}")
print(f"linnet does {rates[1] / rates[0]:.2f} times the documents per CPU-second of the peer")
sys.exit(0 if rates[1] >= 2 * rates[0] and rss < 64 else 1)
PY
