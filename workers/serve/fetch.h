/* Pictures by URL: a fetch by this server on somebody's behalf, so with every care. Hosts must be on the
 * configuration's list, redirects too, and so many at most; what a name resolves to must be a public address,
 * which is checked of the very socket that is opened; bytes and time are bounded; http and https only, no
 * credentials. Loop thread. */
#ifndef LINNET_SERVE_FETCH_H
#define LINNET_SERVE_FETCH_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "common/base/error.h"
#include "workers/host/bytes.h"

struct serve_fetcher;

struct serve_fetch_options {
    uv_loop_t *loop;
    const json_t *hosts; /* allowed: "example.org", or ".example.org" for all below it; borrowed */
    bool private_too;    /* private addresses are allowed (tests, an intranet) */
    long timeout_ms;
    unsigned redirects; /* most */
};

/* `error` 0: `bytes` is borrowed; else `detail` has words: LINNET_E_DENIED (not allowed), LINNET_E_LIMIT (too
 * large), LINNET_E_TIMEOUT, LINNET_E_CONNECT, LINNET_E_NOT_FOUND (an answer that is not 200). */
typedef void serve_fetched_callback(void *arg, int error, const char *detail, struct linnet_bytes *bytes);

/* LINNET_E_NOMEM. */
int serve_fetcher_open(const struct serve_fetch_options *options, struct serve_fetcher **out);
/* Fetch at most `limit` bytes. `done` is never called from inside. LINNET_E_DENIED with words,
 * LINNET_E_NOMEM: it will not be called. */
int serve_fetch(struct serve_fetcher *fetcher, const char *url, size_t limit, serve_fetched_callback *done,
                void *arg, struct linnet_error *err);
/* What is under way ends with LINNET_E_CANCELLED. NULL is safe. */
void serve_fetcher_close(struct serve_fetcher *fetcher);

/* Is a host on the list? */
bool serve_host_allowed(const json_t *hosts, const char *host);
/* Is an address one of the public internet: not loopback, private, link-local, shared, multicast, reserved,
 * nor one of these in IPv6's clothes (IANA's special-purpose registries, RFC 6890)? */
bool serve_address_public(const struct sockaddr *address);

#endif
