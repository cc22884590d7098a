#!/bin/bash
# store.sh: a fresh store for a test.
#
#   eval "$(tests/e2e/store.sh start)"   LINNET_COUCHDB_URL set: that server, under a prefix of our own;
#                                        else a server of our own on a free port, with a folder of its own: the
#                                        embedded store, or what LINNET_STORE_PROGRAM starts when it is called with
#                                        PORT DIR (a CouchDB on 127.0.0.1, in the foreground, with the administrator
#                                        admin:password), so that a CouchDB too can be killed.
#                                        Sets LINNET_COUCHDB_URL (with credentials), LINNET_PREFIX,
#                                        LINNET_STORE_PID (empty: not ours) and LINNET_STORE_DIR.
#   tests/e2e/store.sh kill              kill -9 its processes (of a server of our own), and wait until they are gone
#   eval "$(tests/e2e/store.sh restart)" start it again on its port with its data
#   tests/e2e/store.sh stop              end it and remove its data; of another server, remove our databases
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
embedded=$here/../../deploy/embedded
die() { echo "store.sh: $*" >&2; exit 1; }

launch() { # launch DIR PORT PASSWORD: sets url and pid
  if [ -n "${LINNET_STORE_PROGRAM:-}" ]; then launch_program "$1" "$2"; else launch_embedded "$@"; fi
}

launch_program() { # launch_program DIR PORT: 0 is a free one
  port=$2
  [ "$port" != 0 ] || port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  url=http://127.0.0.1:$port
  setsid "$LINNET_STORE_PROGRAM" "$port" "$1/data" </dev/null >>"$1/log" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    curl -sf -o /dev/null "http://admin:password@127.0.0.1:$port/_users/_design/_auth" && return
    kill -0 "$pid" 2>/dev/null || die "$LINNET_STORE_PROGRAM ended: $(tail -5 "$1/log")"
    sleep 0.1
  done
  die "$LINNET_STORE_PROGRAM did not answer within 60 s: $(tail -5 "$1/log")"
}

launch_embedded() {
  : >"$1/url"
  LINNET_STORE_ADMIN="admin:$3" setsid node "$embedded/store.js" --dir "$1/data" --port "$2" </dev/null >"$1/url" 2>"$1/log" &
  pid=$!
  for _ in $(seq 300); do
    url=$(head -1 "$1/url")
    [ -z "$url" ] || return 0
    kill -0 "$pid" 2>/dev/null || die "the store did not start: $(cat "$1/log")"
    sleep 0.1
  done
  die "the store did not answer within 30 s: $(cat "$1/log")"
}

say() { printf 'export %s=%q\n' "$@"; }

start() {
  if [ -n "${LINNET_COUCHDB_URL:-}" ] && [ -z "${LINNET_STORE_PID:-}" ]; then
    say LINNET_COUCHDB_URL "$LINNET_COUCHDB_URL" LINNET_PREFIX "t$(od -An -N5 -tx1 /dev/urandom | tr -d ' \n')" \
      LINNET_STORE_PID "" LINNET_STORE_DIR ""
    return
  fi
  [ -n "${LINNET_STORE_PROGRAM:-}" ] || "$embedded/install.sh"
  dir=$(mktemp -d /tmp/linnet-store-XXXXXX)
  password=password
  [ -n "${LINNET_STORE_PROGRAM:-}" ] || password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
  launch "$dir" 0 "$password"
  say LINNET_COUCHDB_URL "http://admin:$password@${url#http://}" LINNET_PREFIX linnet LINNET_STORE_PID "$pid" LINNET_STORE_DIR "$dir"
}

ours() { [ -n "${LINNET_STORE_PID:-}" ] && [ -n "${LINNET_STORE_DIR:-}" ]; }

restart() {
  ours || die "this store is not ours to restart"
  credentials=${LINNET_COUCHDB_URL#http://}
  password=${credentials#admin:}
  launch "$LINNET_STORE_DIR" "${LINNET_COUCHDB_URL##*:}" "${password%%@*}"
  say LINNET_STORE_PID "$pid"
}

stop() {
  if ours; then
    kill "$LINNET_STORE_PID" 2>/dev/null || true
    for _ in $(seq 150); do kill -0 "$LINNET_STORE_PID" 2>/dev/null || break; sleep 0.1; done
    rm -rf "$LINNET_STORE_DIR"
  elif [ -n "${LINNET_COUCHDB_URL:-}" ] && [ -n "${LINNET_PREFIX:-}" ]; then
    for name in "$LINNET_PREFIX" "$LINNET_PREFIX-reference" "$LINNET_PREFIX-ops"; do
      curl -sS -o /dev/null -X DELETE "${LINNET_COUCHDB_URL%/}/$name"
    done
  fi
}

case ${1:-} in
start | restart | stop) "$1" ;;
kill)
  ours || die "this store is not ours to kill"
  children=$(cat "/proc/$LINNET_STORE_PID/task/$LINNET_STORE_PID/children" 2>/dev/null || true)
  kill -9 "$LINNET_STORE_PID" $children
  for pid in $LINNET_STORE_PID $children; do
    while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
  done
  ;;
*) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
