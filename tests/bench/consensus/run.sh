#!/bin/bash
# run.sh [SCALE]: a drawn crowd of the size of Pl@ntNet's published one (6.7 million observations, 9.0 million votes, 823,000 users, 11,425
# species; SCALE 0.1 is a tenth), solved whole, one vote at a time, and beside a numpy script on a tenth of it.
#
#   BUILD=FOLDER   where Linnet is built (build)
#
# Prints wall and CPU seconds, for the machine may be shared, and beside them what two free processors would take: of each part the busier of
# the main thread and the other one. A run that got less than 1.5 processors is judged by that, and numpy, which has one thread, by its CPU
# seconds. Exits 1 if reading, solving and writing took over 15 s; if the peak was over 2 GiB; if the 99th percentile of a vote was 1 ms or
# more; if numpy did more than a tenth of the votes a second; or if the two differ on any label or validity.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
scale=${1:-1}
build=$(readlink -f "${BUILD:-$root/build}")
[ -x "$build/bin/linnet" ] || { echo "run.sh: no linnet in $build: build it first (cmake --preset release && cmake --build --preset release)" >&2; exit 2; }
python= # Debian's numpy is for Debian's python3, which may not be the first on the path
for name in python3 /usr/bin/python3; do "$name" -c 'import numpy' 2>/dev/null && python=$name && break; done
[ -n "$python" ] || { echo "run.sh: python3-numpy is wanted" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
draw() { # draw FOLDER SCALE
  mkdir -p "$1"
  "$build/tests/bench/consensus/bench_consensus_crowd" "$1" $(python3 -c "s=$2; print(f'observations={round(6699593*s)} users={round(855000*s)}')")
}
echo "drawing the crowd" >&2
draw "$work/whole" "$scale"
draw "$work/tenth" "$(python3 -c "print($scale / 10)")"
measure() { python3 "$root/tests/bench/feed/measure.py" "$@"; }
solve() { # solve CROWD METHOD NAME
  measure "$work/$3.run" "$build/bin/linnet" consensus solve --votes "$work/$1/votes.csv" --taxa "$work/$1/taxa.csv" --method "$2" --out "$work/$3.out" \
    --json --quiet >"$work/$3.json"
}
for method in plantnet linnet; do echo "solving by $method" >&2; solve whole $method $method; done
echo "one vote at a time" >&2
"$build/tests/bench/consensus/bench_consensus_latency" "$work/whole/votes.csv" "$work/whole/taxa.csv" >"$work/latency"
echo "a tenth, beside numpy" >&2
for turn in 1 2 3; do # in turns, and the best of each: the load may change
  solve tenth plantnet tenth$turn
  "$python" "$here/peer.py" "$work/tenth/votes.csv" "$work/peer.csv" >"$work/peer$turn"
done
tail -n +2 "$work/tenth1.out/observations.csv" | cut -d, -f1,2,5 | sort >"$work/ours.csv"
sort "$work/peer.csv" >"$work/theirs.csv"
different=$(diff "$work/ours.csv" "$work/theirs.csv" | grep -c '^<' || true)
python3 - "$work" "$different" <<'PY'
import json, os, sys
work, different = sys.argv[1], int(sys.argv[2])
def run(name):
    cpu, wall, rss = (float(x) for x in open(f"{work}/{name}.run").read().split())
    return json.load(open(f"{work}/{name}.json")), cpu, wall, rss
bad = []
PARTS = ("read", "solved", "written")
def free(report, parts):  # seconds on two free processors
    return sum(max(report["cpu_main_" + part], report["cpu_" + part] - report["cpu_main_" + part]) for part in parts)
def took(report, parts):  # seconds of these parts as they are judged; and whether by the clock on the wall
    wall, cpu = (sum(report[what + part] for part in parts) for what in ("seconds_", "cpu_"))
    return (wall, True) if cpu >= 1.5 * wall else (free(report, parts), False)
print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
print(f"{'method':<10}{'votes':>10}{'rounds':>8}" + "".join(f"{part + ' s':>11}{'CPU':>7}" for part in PARTS) + f"{'wall s':>8}{'CPU s':>8}{'free s':>8}{'peak MiB':>10}")
for method in ("plantnet", "linnet"):
    report, cpu, wall, rss = run(method)
    print(f"{method:<10}{report['votes']:>10}{report['rounds']:>8}" + "".join(f"{report['seconds_' + part]:>11.2f}{report['cpu_' + part]:>7.2f}" for part in PARTS)
          + f"{wall:>8.2f}{cpu:>8.2f}{free(report, PARTS):>8.2f}{rss:>10.0f}")
    if took(report, PARTS)[0] > 15: bad.append(f"{method} took over 15 s")
    if rss > 2048: bad.append(f"{method} took over 2 GiB")
    if not report["converged"]: bad.append(f"{method} did not settle")
p50, p99, p999, most = (float(x) for x in open(f"{work}/latency").read().split())
print(f"one vote: {p50:.2f} us at the median, {p99:.2f} at the 99th percentile, {p999:.2f} at the 99.9th, {most:.0f} at most")
if p99 >= 1000: bad.append("one vote takes 1 ms or more at the 99th percentile")
peers = [[float(x) for x in open(f"{work}/peer{turn}").read().split()] for turn in "123"]
tenths = [run(f"tenth{turn}") for turn in "123"]
votes = int(peers[0][0])
BOTH = PARTS[:2]
reports = [report for report, _, _, _ in tenths]
quiet = all(took(report, BOTH)[1] for report in reports)
ours = votes / min(took(report, BOTH)[0] if quiet else free(report, BOTH) for report in reports)
theirs = votes / min(peer[2] + peer[3] if quiet else peer[4] + peer[5] for peer in peers)
wall = min(peer[2] + peer[3] for peer in peers) / min(sum(report["seconds_" + part] for part in BOTH) for report in reports)
cpu = min(peer[4] + peer[5] for peer in peers) / min(sum(report["cpu_" + part] for part in BOTH) for report in reports)
print(f"a tenth, {votes} votes read and solved, best of three, {'by the clock' if quiet else 'on free processors'}: linnet {ours:,.0f} votes a second, numpy {theirs:,.0f}")
print(f"linnet does {ours / theirs:.1f} times the votes of numpy ({wall:.1f} by the clock on the wall as the machine was, {cpu:.1f} by CPU time of all threads); {different} observations differ")
if ours < 10 * theirs: bad.append("linnet is not ten times numpy")
if different: bad.append("linnet and numpy differ")
print("\n".join(bad))
sys.exit(1 if bad else 0)
PY
