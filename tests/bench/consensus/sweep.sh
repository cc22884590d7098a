#!/bin/bash
# sweep.sh [OBSERVATIONS]: the methods side by side on drawn crowds, the link between skill and activity swept from none to strong, and with part of the
# answers at genus level. The crowds were fixed by the published marginals before any method saw them (model.h). Prints the tables of
# common/consensus/README.md.
#
#   BUILD=FOLDER   where Linnet is built (build)
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
build=$(readlink -f "${BUILD:-$here/../../../build}")
crowd=${CROWD:-$build/tests/bench/consensus/bench_consensus_crowd} linnet=${LINNET:-$build/bin/linnet}
n=${1:-100000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for setting in link=-0.5 link=0 link=0.5 link=0.9 "link=0.5 genus=0.5"; do
  "$crowd" "$work" seed=20240305 observations="$n" users=$((n * 855 / 6700)) species=2000 experts=$((n / 6700 + 1)) $setting
  "$linnet" consensus compare --votes "$work/votes.csv" --taxa "$work/taxa.csv" --truth "$work/truth.csv" --quiet --json >"$work/${setting// /,}.json"
done
python3 - "$work" <<'PY'
import glob, json, os, sys
for path in sorted(glob.glob(sys.argv[1] + "/*.json"), key=lambda p: (len(os.path.basename(p)) > 14, float(os.path.basename(p).split("=")[1].split(",")[0].removesuffix(".json")))):
    methods = json.load(open(path))
    any_ = next(iter(methods.values()))
    print(f"\n{os.path.basename(path).removesuffix('.json')}: {any_['all']['n']} observations, {any_['shared']['n']} with two votes or more, {any_['disputed']['n']} disputed\n")
    print("| method | accuracy, shared | coverage | macro | accuracy, disputed | coverage | coarse and true | valid, shared | right of valid |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, scores in methods.items():
        s, d = scores["shared"], scores["disputed"]
        settled = "" if scores["converged"] else " (not settled)"
        print(f"| {name}{settled} | {s['accuracy']:.3f} | {s['coverage']:.3f} | {s['macro']:.3f} | {d['accuracy']:.3f} | {d['coverage']:.3f} | {d['coarse']:.3f} | {s['valid']:.3f} | {s['valid_right']:.3f} |")
PY
