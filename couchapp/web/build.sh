#!/bin/bash
# build.sh FOLDER: build the web app into a folder, its packages from npm first where they are missing.
set -euo pipefail
out=$(readlink -m "${1:?build.sh wants a folder}")
here=$(dirname "$(readlink -f "$0")")
"$here/../../deploy/embedded/install.sh" "$here"
cd "$here"
log=$(LINNET_WEB_OUT=$out node_modules/.bin/vite build --logLevel warn 2>&1) || { echo "$log" >&2; exit 1; }
