#!/bin/bash
# test_commands.sh PROGRAM: the commands of linnet-flora from the outside.
set -u
flora=$1 dir=$(mktemp -d) failed=0
trap 'rm -rf "$dir"' EXIT

check() { # check WORDS COMMAND...: the command succeeds
  local words=$1
  shift
  if "$@" >"$dir/out" 2>&1; then echo "ok   $words"; else echo "FAIL $words"; sed 's/^/     /' "$dir/out"; failed=1; fi
}
refuses() { # refuses PATTERN ARGUMENTS...: linnet-flora fails, and says PATTERN on stderr and nothing on stdout
  local pattern=$1
  shift
  if "$flora" "$@" >"$dir/out" 2>"$dir/err"; then echo "FAIL accepted: $*"; failed=1; return; fi
  if grep -q -- "$pattern" "$dir/err" && [ ! -s "$dir/out" ]; then echo "ok   refuses: $*"; else echo "FAIL $*: $(cat "$dir/err")"; failed=1; fi
}
rows() { tail -n +2 "$1" | wc -l; }
is() { [ "$1" = "$2" ] || { echo "$3: $1, not $2"; return 1; }; }

for command in backbone observations votes part picture sheet checklist hostile; do
  check "$command --help" "$flora" $command --help
done
refuses 'no command "draw"' draw
refuses '--out is needed' backbone
refuses 'no option --sped' backbone --sped 3
refuses 'takes a whole number from 8' backbone --species 7 --out "$dir/x"
refuses 'takes a whole number from 8' backbone --species ten --out "$dir/x"
refuses '--split takes' observations --split holdout --out "$dir/x"
refuses 'takes a number from 0 to 1' observations --label-noise 1.5 --out "$dir/x"
refuses 'no species "Rosa canina"' picture --taxon 'Rosa canina' --out "$dir/x.jpg"
refuses '--size takes' picture --taxon taxon:100001 --size 12 --out "$dir/x.jpg"
refuses '--organ takes' picture --taxon taxon:100001 --organ root --out "$dir/x.jpg"
refuses 'No such file' votes --observations "$dir/none.csv" --out "$dir/v.csv"
refuses 'No such file' observations --labels "$dir/none.csv" --out "$dir/x"

refuses '--format takes' checklist --format xls --out "$dir/x"
check "checklist" "$flora" checklist --names 500 --out "$dir/c"
check "checklist again" "$flora" checklist --names 500 --out "$dir/c2"
check "the same checklist again" diff -r "$dir/c" "$dir/c2"
check "rows have the header's columns" is "$(awk -F'|' '{print NF}' "$dir/c/wcvp_names.csv" | sort -u)" 31 columns
check "an archive" "$flora" checklist --names 500 --format dwca --out "$dir/a"
check "its rows too" is "$(awk -F'\t' '{print NF}' "$dir/a/Taxon.tsv" | sort -u)" 10 columns
check "backbone" "$flora" backbone --species 200 --out "$dir/b" --json
check "labels name every species" is "$(rows "$dir/b/labels.csv")" 200 rows
check "taxa are JSON, a document a line" jq -es 'length > 250 and all(.kind == "taxon" and (._id | startswith("taxon:")))' "$dir/b/taxa.jsonl"
check "every parent is there" jq -es '(map(._id) | INDEX(.)) as $ids | all(.[]; .parentNameUsageID == null or $ids[.parentNameUsageID] != null)' "$dir/b/taxa.jsonl"
check "synonyms have accepted names" jq -es 'map(select(.acceptedNameUsageID)) | length > 3' "$dir/b/taxa.jsonl"
check "floras have areas and species" jq -es 'length >= 2 and all(.kind == "flora" and (.taxa | length > 20) and (.area.bbox | length == 4))' "$dir/b/floras.jsonl"
check "backbone again" "$flora" backbone --species 200 --out "$dir/b2"
check "the same bytes again" diff -r "$dir/b" "$dir/b2"

draw() { "$flora" observations --species 200 --species-subset 30 --seed 4 --size 48 --non-plants 0.2 --label-noise 0.2 "$@"; }
check "observations" draw --count 30 --out "$dir/o"
check "the columns" is "$(head -1 "$dir/o/observations.csv")" \
  observation,image,organ,taxon,scientificName,observer,site,decimalLatitude,decimalLongitude,observed_at,flora,split,trueTaxon columns
check "every image is there" bash -c "cut -d, -f2 '$dir/o/observations.csv' | tail -n +2 | (cd '$dir/o' && xargs ls)"
check "no image besides" is "$(ls "$dir/o/images" | wc -l)" "$(rows "$dir/o/observations.csv")" images
check "in two parts" draw --count 10 --out "$dir/o1"
check "in two parts" draw --count 20 --from 10 --out "$dir/o2"
check "parts make the whole" bash -c "cat '$dir/o1/observations.csv' <(tail -n +2 '$dir/o2/observations.csv') | diff - '$dir/o/observations.csv'"
cp "$dir/o1/images"/* "$dir/o2/images/"
check "and so do their images" diff -r "$dir/o2/images" "$dir/o/images"
check "12 megapixels" "$flora" observations --species 200 --count 1 --megapixels 12 --plain --out "$dir/m"
check "votes" "$flora" votes --species 200 --observations "$dir/o/observations.csv" --out "$dir/v.csv" --people "$dir/p.csv" --documents "$dir/d.jsonl"
check "votes are on these observations" bash -c "comm -13 <(cut -d, -f1 '$dir/o/observations.csv' | sort -u) <(cut -d, -f1 '$dir/v.csv' | sort -u) | grep -q . && exit 1 || exit 0"
check "one vote of a user and observation" bash -c "cut -d, -f1,2 '$dir/v.csv' | sort | uniq -d | grep -q . && exit 1 || exit 0"
check "a document for every vote that is not the observer's" is "$(wc -l <"$dir/d.jsonl")" "$(awk -F, '$7 == 0' "$dir/v.csv" | wc -l)" documents
check "validations" jq -es 'all(.kind == "validation" and (.vote == "taxon") == (.taxon != null))' "$dir/d.jsonl"
check "picture" "$flora" picture --species 200 --taxon taxon:100001 --organ leaf --size 64x48 --out "$dir/p.jpg"
check "picture of no plant" "$flora" picture --taxon none --out "$dir/n.jpg"
check "part" "$flora" part --species 200 --species-subset 30
exit $failed
