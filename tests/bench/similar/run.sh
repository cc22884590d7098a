#!/bin/bash
# run.sh [N [DIMS]]: N embeddings (100000) of DIMS dimensions (512) that are made up, clustered as plants are; Linnet's index against
# hnswlib in one process each, in turns, three rounds. Prints questions a second of CPU at equal recall (the least effort that gives
# 0.98 or more of the 10 nearest), memory, and how long opening takes; exits 1 if it is less than 1.2 times hnswlib's questions a
# second, more than 0.6 of its memory, or 100 ms or more to open.
#
#   BUILD=FOLDER   where Linnet is built (build)
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=$(readlink -f "${BUILD:-$root/build}")
n=${1:-100000} dims=${2:-512}
[ -x "$build/bin/bench-similar" ] || { echo "run.sh: no bench-similar in $build: build it first" >&2; exit 2; }
[ -d /usr/include/hnswlib ] || { echo "run.sh: hnswlib (libhnswlib-dev) is wanted to compare with" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
g++ -std=c++11 -O3 -march=native -DNDEBUG -o "$work/peer" "$here/peer.cpp" -lpthread
uptime >&2
"$build/bin/bench-similar" make "$n" "$dims" "$work/data"
efforts="12 16 20 24 32 40 48 64 80 96 104 112 120 128 136 144 152 160 176 192 256 320 400 512"
"$build/bin/bench-similar" build "$work/data" "$work/ours.index" >"$work/ours"
"$work/peer" build "$work/data" "$work/peer.index" >"$work/theirs"
for round in 1 2 3; do
  "$build/bin/bench-similar" search "$work/data" "$work/ours.index" $efforts >>"$work/ours"
  "$work/peer" search "$work/data" "$work/peer.index" $efforts >>"$work/theirs"
done
cat "$work/ours" >&2
uptime >&2
python3 - "$work" "$n" "$dims" <<'PY'
import collections, statistics, sys
work, n, dims = sys.argv[1:]
def read(name):
    rates, recall, rest = collections.defaultdict(list), {}, collections.defaultdict(list)
    for line in open(f"{work}/{name}"):
        words = line.split()
        if words[0] == "effort":
            rates[int(words[1])].append(float(words[5])); recall[int(words[1])] = float(words[3])
        else:
            for key, value in zip(words[::2], words[1::2]): rest[key].append(float(value))
    enough = [effort for effort in sorted(rates) if recall[effort] >= 0.98]
    if not enough: sys.exit(f"{name}: no effort gives a recall of 0.98")
    return statistics.median(rates[enough[0]]), recall[enough[0]], enough[0], {key: statistics.median(values) for key, values in rest.items()}
ours, theirs = read("ours"), read("theirs")
print(f"{n} embeddings of {dims} dimensions {'effort':>9}{'recall':>8}{'per s':>8}{'MiB':>9}{'open ms':>9}{'build s':>9}")
for name, (rate, recall, effort, rest) in (("linnet", ours), ("hnswlib", theirs)):
    print(f"{name:<35}{effort:>7}{recall:>8.4f}{rate:>8.0f}{rest['memory_mib']:>9.1f}{rest['open_ms']:>9.1f}{rest['build_cpu_s']:>9.1f}")
rate, memory, opened = ours[0] / theirs[0], ours[3]["memory_mib"] / theirs[3]["memory_mib"], ours[3]["open_ms"]
print(f"linnet answers {rate:.2f} times as many (1.2 wanted) in {memory:.2f} of the memory (0.6 allowed), opens in {opened:.1f} ms "
      f"(under 100); its checksum takes {ours[3]['verify_ms']:.0f} ms once")
sys.exit(0 if rate >= 1.2 and memory <= 0.6 and opened < 100 else 1)
PY
