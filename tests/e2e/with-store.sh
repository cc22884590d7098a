#!/bin/bash
# with-store.sh COMMAND...: run a command with a fresh store in its environment (see store.sh), and end the store after it.
set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
set_up=$("$here/store.sh" start) || exit 1
eval "$set_up"
trap '"$here/store.sh" stop' EXIT
trap 'exit 130' INT TERM
"$@"
