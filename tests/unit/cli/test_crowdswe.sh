#!/bin/sh
# test_crowdswe.sh LINNET: a crowd in the layout of the published one (answers.json by number of observation and user, the machine among the users;
# ground_truth.txt and authors.txt by line) gives, by one command, the table that the same crowd gives as CSV.
set -eu
linnet=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/set/answers" "$work/set/aggregation"
awk -v work="$work" 'BEGIN {
  srand(7)
  answers = work "/set/answers/answers.json"; votes = work "/votes.csv"; truths = work "/truth.csv"
  print "observation,user,taxon,author" > votes
  print "observation,taxon" > truths
  printf "{" > answers
  for (i = 0; i < 400; i++) {
    truth = int(rand() * rand() * 15); known = i % 7 != 3
    print (known ? truth : -1) > (work "/set/answers/ground_truth.txt")
    if (known) print i "," truth > truths
    author = int(rand() * 40)
    print author > (work "/set/aggregation/authors.txt")
    printf "%s\"%d\": {", (i ? ", " : ""), i > answers
    n = 1 + int(rand() * rand() * 6); split("", seen)
    for (v = 0; v < n; v++) {
      user = v ? int(rand() * 40) : author
      if (user in seen) continue
      seen[user] = 1
      said = rand() < 0.4 + user / 80 ? truth : int(rand() * 15)
      printf "%s\"%d\": %d", (v ? ", " : ""), user, said > answers
      print i "," user "," said "," (v == 0) > votes
    }
    if (i % 3 == 0) printf ", \"AI\": %d", int(rand() * 15) > answers
    printf "}" > answers
  }
  print "}" > answers
}'
timeless() { sed -E 's/"seconds":[-0-9.e]+//g'; }
"$linnet" consensus compare --crowdswe "$work/set" --json --quiet | timeless >"$work/published"
"$linnet" consensus compare --votes "$work/votes.csv" --truth "$work/truth.csv" --json --quiet | timeless >"$work/own"
[ -s "$work/own" ] && diff "$work/own" "$work/published"
"$linnet" consensus compare --crowdswe "$work/set" --quiet >"$work/table"
for heading in all 'two votes or more' 'voters disagree'; do grep -q "^$heading: [1-9][0-9]* observations" "$work/table"; done
for method in linnet plantnet community majority twothird wawa dawid-skene glad; do
  [ "$(grep -c "^$method  *[01]\.[0-9]" "$work/table")" = 3 ] || { echo "$method has not three rows" >&2; cat "$work/table" >&2; exit 1; }
done
