/* libcurl's multi handle on a libuv loop: https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket". */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "common/couch/internal.h"

/* A server sends a backlog change by change, and a loop that wakes for each of them does little else. So a
 * feed that has just been read rests, unless much lies there already: the first change is told at once, those
 * behind it come together. */
enum { FEED_REST_MS = 4, FEED_MUCH = 64 << 10 };

/* A socket of libcurl's that libuv watches. */
struct watch {
    struct couch_link link; /* first */
    struct linnet_couch *couch;
    uv_poll_t poll;
    curl_socket_t socket;
    int events;
    bool feed, resting;
};

void couch_link_init(struct couch_link *head) {
    head->next = head->prev = head;
}

void couch_link_append(struct couch_link *head, struct couch_link *link) {
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

void couch_link_remove(struct couch_link *link) {
    if (!link->next) return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

/* ---- libuv handles ---- */

void couch_handle_opened(struct linnet_couch *couch) {
    couch->handles++;
}

void couch_handle_closed(struct linnet_couch *couch) {
    if (--couch->handles || !couch->closing) return;
    void (*closed)(void *) = couch->closed;
    void *arg = couch->closed_arg;
    couch_client_free(couch);
    if (closed) closed(arg);
}

static void on_own_closed(uv_handle_t *handle) {
    couch_handle_closed(handle->data);
}

static void on_watch_closed(uv_handle_t *handle) {
    struct watch *watch = handle->data;
    struct linnet_couch *couch = watch->couch;
    free(watch);
    couch_handle_closed(couch);
}

static void close_watch(struct watch *watch) {
    couch_link_remove(&watch->link);
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

/* ---- what libcurl wants and what libuv tells ---- */

/* Hand over every transfer that has ended. Never from inside libcurl. */
static void collect(struct linnet_couch *couch) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(couch->multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        struct couch_transfer *transfer;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_multi_remove_handle(couch->multi, transfer->easy);
        couch_link_remove(&transfer->link);
        transfer->running = false;
        if (!transfer->feed) couch->nrunning--;
        transfer->ended(transfer, transfer->cancelled ? CURLE_ABORTED_BY_CALLBACK : code);
    }
    if (!couch_link_empty(&couch->waiting)) couch_kick(couch);
}

static void on_socket_event(uv_poll_t *poll, int status, int events);

static int start_watch(struct watch *watch) {
    return uv_poll_start(&watch->poll, watch->events, on_socket_event);
}

static void on_rested(uv_timer_t *timer) {
    struct linnet_couch *couch = timer->data;
    for (struct couch_link *link = couch->sockets.next; link != &couch->sockets; link = link->next) {
        struct watch *watch = (struct watch *)link;
        if (!watch->resting) continue;
        watch->resting = false;
        if (watch->events) start_watch(watch);
    }
}

static void rest(struct watch *watch) {
    struct linnet_couch *couch = watch->couch;
    int lies = 0;
    if (!ioctl(watch->socket, FIONREAD, &lies) && lies >= FEED_MUCH) return;
    watch->resting = true;
    uv_poll_stop(&watch->poll);
    if (!uv_is_active((uv_handle_t *)&couch->rest)) uv_timer_start(&couch->rest, on_rested, FEED_REST_MS, 0);
}

static void on_socket_event(uv_poll_t *poll, int status, int events) {
    struct watch *watch = poll->data;
    struct linnet_couch *couch = watch->couch;
    if (watch->feed && status >= 0 && events == UV_READABLE)
        rest(watch); /* before: the action may end the watch */
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    if (status < 0) flags = CURL_CSELECT_ERR;
    int running;
    curl_multi_socket_action(couch->multi, watch->socket, flags, &running);
    collect(couch);
}

static void on_timeout(uv_timer_t *timer) {
    struct linnet_couch *couch = timer->data;
    int running;
    curl_multi_socket_action(couch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(couch);
}

static int want_timer(CURLM *multi, long timeout_ms, void *arg) {
    (void)multi;
    struct linnet_couch *couch = arg;
    if (uv_is_closing((uv_handle_t *)&couch->timer)) return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&couch->timer);
    else
        uv_timer_start(&couch->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct watch *make_watch(struct linnet_couch *couch, curl_socket_t socket) {
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) return NULL;
    watch->couch = couch;
    watch->socket = socket;
    if (uv_poll_init_socket(couch->loop, &watch->poll, socket)) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    couch_link_append(&couch->sockets, &watch->link);
    couch_handle_opened(couch);
    curl_multi_assign(couch->multi, socket, watch);
    return watch;
}

static int want_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg) {
    struct linnet_couch *couch = arg;
    struct watch *watch = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (watch) close_watch(watch);
        curl_multi_assign(couch->multi, socket, NULL);
        return 0;
    }
    if (!watch && !(watch = make_watch(couch, socket))) return -1; /* libcurl then fails the transfers */
    struct couch_transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    watch->feed = transfer && transfer->feed;
    watch->events = (what != CURL_POLL_OUT ? UV_READABLE : 0) | (what != CURL_POLL_IN ? UV_WRITABLE : 0);
    if (watch->resting && watch->feed) return 0;
    watch->resting = false;
    return start_watch(watch) ? -1 : 0;
}

/* ---- transfers ---- */

static struct couch_transfer *first(struct couch_link *head) {
    return couch_link_empty(head) ? NULL : (struct couch_transfer *)head->next;
}

static void end_cancelled(struct linnet_couch *couch) {
    struct couch_transfer *transfer;
    while ((transfer = first(&couch->cancelled))) {
        couch_link_remove(&transfer->link);
        if (transfer->running) {
            curl_multi_remove_handle(couch->multi, transfer->easy);
            transfer->running = false;
            if (!transfer->feed) couch->nrunning--;
        }
        transfer->ended(transfer, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void unpause(struct linnet_couch *couch) {
    struct couch_link *link = couch->running.next;
    while (link != &couch->running) {
        struct couch_transfer *transfer = (struct couch_transfer *)link;
        link = link->next;
        if (!transfer->resume) continue;
        transfer->resume = false;
        curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
        link = couch->running
                   .next; /* that may have called the write function, which may have cancelled the next one */
    }
}

static void start_waiting(struct linnet_couch *couch) {
    for (struct couch_link *link = couch->waiting.next, *next; link != &couch->waiting; link = next) {
        next = link->next;
        struct couch_transfer *transfer = (struct couch_transfer *)link;
        if (!transfer->feed && couch->nrunning >= couch->connections) continue;
        couch_link_remove(link);
        if (curl_multi_add_handle(couch->multi, transfer->easy)) {
            transfer->ended(transfer, CURLE_OUT_OF_MEMORY);
            next = couch->waiting.next; /* `ended` may have changed the ring */
            continue;
        }
        transfer->running = true;
        if (!transfer->feed) couch->nrunning++;
        couch_link_append(&couch->running, link);
    }
}

static void cancel_all(struct couch_link *head) {
    struct couch_transfer *transfer;
    while ((transfer = first(head)))
        couch_transfer_cancel(transfer);
}

static void on_idle(uv_idle_t *idle) {
    struct linnet_couch *couch = idle->data;
    uv_idle_stop(idle);
    if (couch->closing) {
        while (!couch_link_empty(&couch->feeds))
            couch_feed_detach(couch->feeds.next);
        cancel_all(&couch->waiting);
        cancel_all(&couch->running);
        end_cancelled(couch);
        couch_loop_close(couch);
        return;
    }
    end_cancelled(couch);
    unpause(couch);
    start_waiting(couch);
    if (!couch_link_empty(&couch->cancelled)) couch_kick(couch);
}

void couch_kick(struct linnet_couch *couch) {
    if (!uv_is_closing((uv_handle_t *)&couch->idle)) uv_idle_start(&couch->idle, on_idle);
}

void couch_transfer_start(struct couch_transfer *transfer) {
    transfer->resume = transfer->cancelled = false;
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, (char *)transfer);
    couch_link_append(&transfer->couch->waiting, &transfer->link);
    couch_kick(transfer->couch);
}

void couch_transfer_cancel(struct couch_transfer *transfer) {
    transfer->cancelled = true;
    couch_link_remove(&transfer->link);
    couch_link_append(&transfer->couch->cancelled, &transfer->link);
    couch_kick(transfer->couch);
}

void couch_transfer_resume(struct couch_transfer *transfer) {
    if (!transfer->running) return;
    transfer->resume = true;
    couch_kick(transfer->couch);
}

/* ---- easy handles ---- */

/* Each transfer has a handle of its own. One that is used again would save 4 microseconds, but before curl
 * 8.1.1 (Debian 12 has 7.88) it remembers the last header of its last response, freed by then, and writes to
 * it if the next response begins with a folded line (curl's pull request 11103). */
CURL *couch_easy_get(struct linnet_couch *couch) {
    CURL *easy = curl_easy_init();
    if (!easy) return NULL;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, couch->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, couch->user_agent);
    if (couch->user) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, couch->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, couch->password);
    }
    return easy;
}

int couch_curl_error(CURLcode code) {
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return LINNET_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return LINNET_E_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return LINNET_E_NOMEM;
    case CURLE_ABORTED_BY_CALLBACK:
        return LINNET_E_CANCELLED;
    default:
        return LINNET_E_BROKEN;
    }
}

/* ---- from open to close ---- */

int couch_loop_open(struct linnet_couch *couch) {
    couch_link_init(&couch->waiting);
    couch_link_init(&couch->running);
    couch_link_init(&couch->cancelled);
    couch_link_init(&couch->sockets);
    couch_link_init(&couch->feeds);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!(couch->multi = curl_multi_init())) return LINNET_E_NOMEM;
    curl_multi_setopt(couch->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(couch->multi, CURLMOPT_SOCKETDATA, couch);
    curl_multi_setopt(couch->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(couch->multi, CURLMOPT_TIMERDATA, couch);
    curl_multi_setopt(couch->multi, CURLMOPT_MAXCONNECTS, (long)couch->connections + 4);
    uv_timer_init(couch->loop, &couch->timer);
    uv_timer_init(couch->loop, &couch->rest);
    uv_idle_init(couch->loop, &couch->idle);
    couch->timer.data = couch->rest.data = couch->idle.data = couch;
    couch->handles = 3;
    return 0;
}

void couch_loop_close(struct linnet_couch *couch) {
    curl_multi_cleanup(couch->multi); /* lets go of its sockets through want_socket */
    couch->multi = NULL;
    while (!couch_link_empty(&couch->sockets))
        close_watch((struct watch *)couch->sockets.next);
    uv_close((uv_handle_t *)&couch->timer, on_own_closed);
    uv_close((uv_handle_t *)&couch->rest, on_own_closed);
    uv_close((uv_handle_t *)&couch->idle, on_own_closed);
}
