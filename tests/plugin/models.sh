#!/bin/bash
# models.sh BUILD: the stages that need a model, run without a store on drawn photographs of one plant, and held to the
# contract on what that makes.
set -euo pipefail
build=$(readlink -f "$1")
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
work=$(mktemp -d /tmp/linnet-models-XXXXXX)
trap 'rm -rf "$work"' EXIT
die() { echo "models.sh: $*" >&2; exit 1; }

# References as a folder: the backbone, floras, and the model that ships, its file beside it.
"$build/bin/linnet-flora" backbone --out "$work/references" >/dev/null
sed '1s/{/{ "_attachments": { "model.onnx": {} },/' "$root/tests/data/model/model.json" >"$work/references/model.json"
mkdir "$work/references/model"
cp "$root/tests/data/model/flora-inception.onnx" "$work/references/model/model.onnx"

taxon=$(sed -n 2p "$root/tests/data/model/labels.csv" | cut -d, -f2)
for organ in flower leaf; do
  "$build/bin/linnet-flora" picture --taxon "$taxon" --organ $organ --seed 5 --out "$work/$organ.jpg" >/dev/null
done
mkdir "$work/samples"
"$build/bin/linnet" run --references "$work/references" --plugin normalize --plugin convnet --plugin fusion \
  --out "$work/samples/one" "flower=$work/flower.jpg" "leaf=$work/leaf.jpg" >"$work/first.jsonl"
[ "$(grep -c '"kind":"prediction"' "$work/first.jsonl")" = 2 ] || die "two views, but not two predictions: $(cat "$work/first.jsonl")"
[ "$(grep -c '"kind":"identification"' "$work/first.jsonl")" = 1 ] || die "no identification: $(cat "$work/first.jsonl")"
grep '"kind":"identification"' "$work/first.jsonl" | grep -q '"views":{"used":2,"of":2}' || die "not both views were fused"

# The same again makes the same, and nothing again of what is there.
"$build/bin/linnet" run --references "$work/references" --plugin normalize --plugin convnet --plugin fusion \
  "flower=$work/flower.jpg" "leaf=$work/leaf.jpg" >"$work/second.jsonl"
cmp <(sort "$work/first.jsonl") <(sort "$work/second.jsonl") || die "a second run makes something else"
"$build/bin/linnet" run --references "$work/references" --plugin normalize --plugin convnet --plugin fusion \
  "$work/samples/one"/*.json >"$work/again.jsonl" 2>/dev/null
[ ! -s "$work/again.jsonl" ] || die "what was there was made again: $(cat "$work/again.jsonl")"

for plugin in convnet fusion; do
  "$build/bin/linnet" plugin check --references "$work/references" --samples "$work/samples" $plugin || die "$plugin breaks its contract"
done
