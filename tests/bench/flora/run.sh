#!/bin/bash
# run.sh [N]: a checklist of N names (1400000) that are made up, read, resolved and written as documents, and names found in it in
# spite of typing errors; against what one would write in Python (peer.py), both in one run. Prints seconds of CPU, memory and
# microseconds; exits 1 if a lookup takes a millisecond of CPU or more at the 99th percentile.
#
#   BUILD=FOLDER   where Linnet is built (build)
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=$(readlink -f "${BUILD:-$root/build}")
n=${1:-1400000}
[ -x "$build/bin/bench-lookup" ] || { echo "run.sh: no bench-lookup in $build: build it first" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/bin/linnet-flora" checklist --names "$n" --out "$work"
uptime >&2
measure() { python3 - "$@" <<'PY'
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"cpu_s": round(used.ru_utime + used.ru_stime, 3), "peak_mib": round(used.ru_maxrss / 1024, 1)}))
PY
}
measure "$build/bin/linnet" flora import "$work/wcvp_names.csv" --floras --out "$work/taxa.jsonl" >"$work/import"
python3 "$here/peer.py" import "$work/wcvp_names.csv" >"$work/peer-import"
measure "$build/bin/linnet" flora import "$work/wcvp_names.csv" --out "$work/again.jsonl" --index "$work/names.idx" >"$work/index"
"$build/bin/bench-lookup" "$work/names.idx" "$work/taxa.jsonl" 2000 | tee "$work/lookup"
python3 "$here/peer.py" find "$work/wcvp_names.csv" "$work/taxa.jsonl" 50 >"$work/peer-find"
python3 - "$work" "$n" <<'PY'
import json, sys
work, n = sys.argv[1:]
load = lambda name: json.load(open(f"{work}/{name}"))
ours, index, peer, find = load("import"), load("index"), load("peer-import"), load("peer-find")
line = next(l for l in open(f"{work}/lookup") if l.startswith("one error"))
p50, p90, p99 = (float(x) for x in line[len("one error"):].split()[:3])
print(f"{'':<34}{'CPU s':>9}{'peak MiB':>10}")
for name, row in (("linnet: names, areas, documents", ours), ("linnet: names, documents, index", index), ("python: names, documents", peer)):
    print(f"{name:<34}{row['cpu_s']:>9.2f}{row['peak_mib']:>10.1f}")
print(f"{'lookup with one error':<34}{'p50 us':>9}{'p99 us':>10}{'right':>8}")
print(f"{'linnet':<34}{p50:>9.0f}{p99:>10.0f}{line.split()[-2]:>8}")
print(f"{'python: sqlite trigrams, difflib':<34}{find['p50_us']:>9}{find['p99_us']:>10}{find['first']:>7}%")
print(f"linnet reads {n} names in {ours['cpu_s'] / peer['cpu_s']:.2f} of the CPU (with the areas, which python leaves out), "
      f"finds in 1/{find['p50_us'] / p50:.0f} of it")
sys.exit(0 if p99 < 1000 else 1)
PY
