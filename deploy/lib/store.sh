# Sourced by quickstart.sh: find_store sets LINNET_COUCHDB_URL, starting a store if none is there. What it starts goes into
# `started`, data into `dir`.

free_port() {
  node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'
}

secret() { # secret NAME: a password of our own, made once
  [ -s "$dir/$1" ] || (umask 077; head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$dir/$1")
  cat "$dir/$1"
}

wait_for_store() { # wait_for_store URL PID LOG
  for _ in $(seq 600); do
    curl -fs -o /dev/null "$1/_up" && return
    kill -0 "$2" 2>/dev/null || { tail -5 "$3" >&2; die "the store did not start; see $3"; }
    sleep 0.1
  done
  die "the store does not answer at $1; see $3"
}

start_installed() { # an installed CouchDB, as a node of our own on the loopback
  local couchdb=$1 port
  port=$(free_port)
  mkdir -p "$dir/couchdb/data"
  cat >"$dir/couchdb/local.ini" <<INI
[couchdb]
single_node = true
database_dir = $dir/couchdb/data
view_index_dir = $dir/couchdb/data
[chttpd]
bind_address = 127.0.0.1
port = $port
[admins]
admin = $(secret admin.password)
INI
  local home; home=$(dirname "$(dirname "$(readlink -f "$couchdb")")")
  ERL_FLAGS="-couch_ini $home/etc/default.ini $dir/couchdb/local.ini" "$couchdb" >>"$dir/store.log" 2>&1 </dev/null &
  started+=($!)
  wait_for_store "http://127.0.0.1:$port" $! "$dir/store.log"
  export LINNET_COUCHDB_URL="http://admin:$(secret admin.password)@127.0.0.1:$port"
}

start_container() { # the official image, by docker or podman
  local engine=$1 port
  port=$(free_port)
  mkdir -p "$dir/container"
  "$engine" run --rm --name "linnet-quickstart-$port" -p "127.0.0.1:$port:5984" -v "$dir/container:/opt/couchdb/data" \
    -e COUCHDB_USER=admin -e COUCHDB_PASSWORD="$(secret admin.password)" couchdb:3 >>"$dir/store.log" 2>&1 </dev/null &
  started+=($!)
  wait_for_store "http://127.0.0.1:$port" $! "$dir/store.log"
  export LINNET_COUCHDB_URL="http://admin:$(secret admin.password)@127.0.0.1:$port"
}

start_embedded() {
  "$root/deploy/embedded/install.sh"
  : >"$dir/store.url"
  LINNET_STORE_ADMIN="admin:$(secret admin.password)" node "$root/deploy/embedded/store.js" --dir "$dir/embedded" --port 0 \
    </dev/null >"$dir/store.url" 2>>"$dir/store.log" &
  started+=($!)
  local pid=$! url=
  for _ in $(seq 300); do
    url=$(head -1 "$dir/store.url")
    [ -z "$url" ] || break
    kill -0 $pid 2>/dev/null || { tail -5 "$dir/store.log" >&2; die "the embedded store did not start; see $dir/store.log"; }
    sleep 0.1
  done
  [ -n "$url" ] || die "the embedded store did not answer within 30 s; see $dir/store.log"
  export LINNET_COUCHDB_URL="http://admin:$(secret admin.password)@${url#http://}"
}

find_store() {
  local couchdb engine
  couchdb=$(command -v couchdb || ls /opt/couchdb/bin/couchdb 2>/dev/null || true)
  for engine in docker podman; do
    if command -v $engine >/dev/null && $engine image inspect couchdb:3 >/dev/null 2>&1; then break; fi
    engine=
  done
  if [ -n "${LINNET_COUCHDB_URL:-}" ]; then say "store: the one that LINNET_COUCHDB_URL names"
  elif [ -n "$couchdb" ]; then say "store: the installed CouchDB, $couchdb"; start_installed "$couchdb"
  elif [ -n "$engine" ]; then say "store: the official image of CouchDB, by $engine"; start_container "$engine"
  else say "store: the embedded one (no CouchDB and no container image of it is here)"; start_embedded; fi
}
