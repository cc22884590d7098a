/* What the files of common/couch share. One loop, one thread, three layers: transfers (loop.c) know libcurl
 * and libuv, requests (request.c) and the feed (changes.c) are transfers, all else is made of requests. */
#ifndef LINNET_COUCH_INTERNAL_H
#define LINNET_COUCH_INTERNAL_H

#include <curl/curl.h>

#include "common/base/buf.h"
#include "common/couch/couch.h"

/* A ring; the head stands for itself when it is empty. */
struct couch_link {
    struct couch_link *next, *prev;
};

void couch_link_init(struct couch_link *head);
void couch_link_append(struct couch_link *head, struct couch_link *link);
/* Take out of whatever ring it is in; harmless when in none. */
void couch_link_remove(struct couch_link *link);
static inline bool couch_link_empty(const struct couch_link *head) {
    return head->next == head;
}

/* One easy handle's journey through the multi handle. libcurl may call back from inside itself, where it
 * can't be called, so all that is asked for (start, cancel, resume) is noted and done by the idle handle,
 * outside. */
struct couch_transfer {
    struct couch_link link; /* in waiting, running or cancelled; first, so that a link is a transfer */
    struct linnet_couch *couch;
    CURL *easy;
    bool running; /* libcurl has it */
    bool feed;    /* does not count among the connections */
    bool resume;  /* unpause it */
    bool cancelled;
    /* It is over: with CURLE_OK, a failure of libcurl's, or CURLE_ABORTED_BY_CALLBACK when it was cancelled.
     * The easy handle is out of the multi handle again. May free the transfer. */
    void (*ended)(struct couch_transfer *transfer, CURLcode code);
};

enum { COUCH_DATABASES = 3 };

struct linnet_couch {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    uv_timer_t rest;  /* of the feeds that have just been read */
    uv_idle_t idle;   /* runs once after something was noted */
    struct couch_link waiting, running, cancelled, sockets, feeds;
    unsigned nrunning; /* requests that libcurl has, feeds apart */
    unsigned handles;  /* libuv handles that are not closed yet */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
    struct curl_slist *json_headers; /* of every request with a JSON body and no If-Match */

    char *base; /* "http://host:port/path", no credentials, no slash at the end */
    char *user, *password;
    char *user_agent;
    char *names[COUCH_DATABASES];
    bool partitions[COUCH_DATABASES]; /* as the last probe of each saw it */
    unsigned connections;
    long connect_timeout_ms, request_timeout_ms;
    size_t response_limit;
};

/* ---- loop.c ---- */
/* Make the multi handle and the libuv handles. LINNET_E_NOMEM. */
int couch_loop_open(struct linnet_couch *couch);
/* Close what couch_loop_open made; `couch_client_free` runs once libuv is done with all handles. */
void couch_loop_close(struct linnet_couch *couch);
/* Count a libuv handle that must be closed before the client's memory goes. */
void couch_handle_opened(struct linnet_couch *couch);
void couch_handle_closed(struct linnet_couch *couch);
/* Note that there is something to do outside of libcurl's callbacks. */
void couch_kick(struct linnet_couch *couch);
/* A new easy handle with everything set that all transfers share, for curl_easy_cleanup(); NULL: out of
 * memory. */
CURL *couch_easy_get(struct linnet_couch *couch);
/* Queue a transfer whose easy handle is set up. It starts from the loop. */
void couch_transfer_start(struct couch_transfer *transfer);
/* Take it back; `ended` runs from the loop, with CURLE_ABORTED_BY_CALLBACK. */
void couch_transfer_cancel(struct couch_transfer *transfer);
/* Unpause it from the loop. */
void couch_transfer_resume(struct couch_transfer *transfer);
/* The error code of a failure of libcurl's. */
int couch_curl_error(CURLcode code);

/* ---- client.c ---- */
void couch_client_free(struct linnet_couch *couch);

/* ---- request.c ---- */
/* The error code of an HTTP status, 0 below 400. */
int couch_status_error(long status);
/* Parse what the store sent; what CouchDB accepts but jansson does not is mended in place first.
 * LINNET_E_PARSE if it is no JSON, LINNET_E_NOMEM. */
int couch_parse(char *text, size_t size, json_t **out);

/* ---- rows.c ---- */
/* The rows of an answer; their texts lie in the text that was read, or in its tree. All zero: none. */
struct couch_rows {
    struct linnet_couch_row *rows;
    size_t n, capacity;
};
void couch_rows_done(struct couch_rows *rows);
/* Read the answer to _all_docs or _bulk_docs, whose text is written to and must outlive the rows. *tree: set where they
 * borrow from a tree of it too (a new reference). LINNET_E_PARSE if it is none, LINNET_E_NOMEM; end `rows` in any case. */
int couch_rows_read(char *text, size_t size, struct couch_rows *rows, json_t **tree);

/* ---- documents.c ---- */
/* "/<database>/<id>" and so on: append `/` and the escaped segment; ids of design and local documents keep
 * their first slash. */
int couch_append_id(struct linnet_buf *out, const char *id);

/* ---- changes.c ---- */
/* The client goes: stop the feed; its owner closes it as ever. */
void couch_feed_detach(struct couch_link *link);

#endif
