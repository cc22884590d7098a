#!/bin/bash
# install.sh: put the embedded store's Node packages in place, once; a second run changes nothing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
exec 9>.install.lock
flock 9
if [ -e node_modules/.installed ] && cmp -s package-lock.json node_modules/.installed; then exit 0; fi
npm ci --no-audit --no-fund --loglevel=error >&2
cp package-lock.json node_modules/.installed
