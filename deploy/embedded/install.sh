#!/bin/bash
# install.sh [FOLDER]: put the Node packages of a folder (this one by default) in place, once; a second run changes nothing.
set -euo pipefail
cd "${1:-$(dirname "$(readlink -f "$0")")}"
exec 9>.install.lock
flock 9
if cmp -s package-lock.json node_modules/.installed; then exit 0; fi
npm ci --no-audit --no-fund --loglevel=error >&2
cp package-lock.json node_modules/.installed
