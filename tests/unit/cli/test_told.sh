#!/bin/bash
# test_told.sh LINNET: every command and every verb of it is told of by --help, by the man page and by the completion, and
# what the man page tells of is there.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../../.." && pwd)
PATH=$(dirname "$1"):$PATH
failed=0
wrong() { echo "$*"; failed=1; }

# The entries of COMMANDS, one a line, as one reads them: "model publish FILE.onnx --labels FILE.csv | ..."; and the text of one.
entries=$(sed -n '/^\.SH COMMANDS/,/^\.SH EXIT/p' "$root/deploy/man/linnet.1" | grep -A1 '^\.TP' | grep '^\.B' |
  sed 's/^\.B[IR]* //; s/\\-/-/g; s/[]["]/ /g; s/  */ /g')
told=$(cut -d' ' -f1 <<<"$entries" | sort -u)

. "$root/deploy/completion/linnet"
complete_after() { # complete_after WORD...: what may follow
  COMPREPLY=() COMP_WORDS=(linnet "$@" "") COMP_CWORD=$(($# + 1))
  _linnet
}

commands=$(cd "$root/workers/commands" && ls -- *.c | sed 's/\.c$//; s/_/-/g' | sort)
[ "$(linnet --help | sed -n 's/^  \([a-z-]*\) .*/\1/p' | sort)" = "$commands" ] || wrong "linnet --help does not list every command"
[ "$told" = "$commands" ] || wrong "the man page's commands are" $told "and not" $commands
complete_after
for command in $commands; do
  [[ " ${COMPREPLY[*]} " == *" $command "* ]] || wrong "the completion offers no $command"
done

cd "$(mktemp -d)" # an empty folder: the completion falls back on the names of files
for command in $commands; do
  help=$(linnet "$command" --help)
  entry=$(grep -E "^$command( |$)" <<<"$entries")
  verbs=$(sed -n "s/.* linnet $command \[OPTION\.\.\.\] \([a-z]\+\).*/\1/p" <<<"$help" | sort -u)
  if grep -q "^Usage: linnet $command VERB" <<<"$help"; then # its verbs have a --help each
    verbs=$(sed -n 's/^  \([a-z]*\)  .*/\1/p' <<<"$help" | sort -u)
    for verb in $verbs; do help+=$'\n'$(linnet "$command" "$verb" --help); done
  fi
  complete_after "$command"
  [ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$verbs" ] || wrong "linnet $command: the completion offers ${COMPREPLY[*]:-nothing}, there are" $verbs
  for verb in $verbs; do
    grep -qE "(^$command|\|) $verb( |$)" <<<"$entry" || wrong "the man page does not tell of linnet $command $verb"
  done
  for option in $(grep -oE -- '--[a-z-]+' <<<"$entry"); do
    grep -qE -- "$option([=, []|$)" <<<"$help" || wrong "the man page tells of linnet $command $option, which there is not"
  done
done
rmdir "$PWD"
exit $failed
