#!/bin/bash
# layering.sh: the arrows between the rooms, as CONTRIBUTING.md has them. An include that sees up, or into a plugin, fails.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
cd "$root"
failed=0

# allow ROOM REGEX: includes of our own files in ROOM must match REGEX.
allow() {
  local bad
  bad=$(grep -rnE '^#include "(common|workers|plugins|tests)/' --include='*.[ch]' --include='*.cu' "$1" 2>/dev/null | grep -vE "#include \"($2)")
  [ -z "$bad" ] || { printf '%s may include only %s:\n%s\n' "$1" "$2" "$bad"; failed=1; }
}

allow common/sdk 'common/sdk/'
allow common/base 'common/base/'
allow common/couch 'common/(base|couch)/'
allow common/taxonomy 'common/(base|taxonomy)/'
allow common/consensus 'common/(base|taxonomy|consensus)/'
allow common/similar 'common/(base|similar)/'
allow common/calibration 'common/(base|calibration)/'
allow common/nn 'common/(base|nn)/'
allow workers 'common/|workers/'
for plugin in plugins/*/; do
  name=$(basename "$plugin")
  # common/base/error.h comes with the headers of nn and taxonomy: codes and messages are part of their contract.
  allow "plugins/$name" "common/(sdk|nn|taxonomy|consensus)/|common/base/error\.h|plugins/$name/"
done
# CouchDB is spoken to by the host alone, and the supervisor's side knows no plugin.
grep -rlE 'common/couch|curl/curl.h' plugins && { echo "a plugin talks to CouchDB"; failed=1; }

# The top level is README's table of contents and nothing else.
extra=$(git ls-files 2>/dev/null | grep -v '^\.' | cut -d/ -f1 | sort -u |
  grep -vxE 'README.md|LICENSE|CHANGES.md|CONTRIBUTING.md|CMakeLists.txt|CMakePresets.json|common|workers|plugins|couchapp|schemas|deploy|tests')
[ -z "$extra" ] || { echo "not of the top level: $extra"; failed=1; }

# One file, one job.
long=$(git ls-files '*.c' '*.h' '*.cu' '*.js' 2>/dev/null | grep -vE 'tests/data/model|vendor' | xargs -r wc -l | awk '$1 > 600 && $2 != "total" {print $2 ": " $1 " lines"}')
[ -z "$long" ] || { printf 'over 600 lines:\n%s\n' "$long"; failed=1; }
exit $failed
