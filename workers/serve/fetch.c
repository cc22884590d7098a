#include "workers/serve/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"

struct fetch {
    struct serve_fetcher *fetcher;
    CURL *easy;
    char *url;
    struct linnet_buf body;
    unsigned redirects;
    bool refused, over; /* an address that is none of ours to ask; too large */
    serve_fetched_callback *done;
    void *arg;
    struct fetch *next, *previous;
};

/* A socket that curl wants watched. */
struct watch {
    uv_poll_t poll;
    struct serve_fetcher *fetcher;
    curl_socket_t socket;
};

struct serve_fetcher {
    struct serve_fetch_options options;
    CURLM *multi;
    uv_timer_t timer;
    struct fetch *first;
    bool closing;
};

/* ---- a fetch ---- */

static void fetch_free(struct fetch *fetch) {
    if (fetch->next != NULL) fetch->next->previous = fetch->previous;
    if (fetch->previous != NULL)
        fetch->previous->next = fetch->next;
    else if (fetch->fetcher->first == fetch)
        fetch->fetcher->first = fetch->next;
    if (fetch->easy != NULL) curl_easy_cleanup(fetch->easy);
    linnet_buf_done(&fetch->body);
    free(fetch->url);
    free(fetch);
}

static void finish(struct fetch *fetch, int error, const char *detail) {
    size_t size = 0;
    struct linnet_bytes *bytes = NULL;
    if (error == 0) {
        void *data = linnet_buf_take(&fetch->body, &size);
        bytes = linnet_bytes_new(data, data != NULL ? size : 0, free);
        if (bytes == NULL) error = LINNET_E_NOMEM, detail = "out of memory";
    }
    fetch->done(fetch->arg, error, detail, bytes);
    linnet_bytes_unref(bytes);
    fetch_free(fetch);
}

static size_t on_bytes(char *data, size_t one, size_t size, void *arg) {
    struct fetch *fetch = arg;
    (void)one;
    if (linnet_buf_append(&fetch->body, data, size) == 0) return size;
    fetch->over = true;
    return 0;
}

/* The socket is made here so that the address is checked that will be spoken to, not one that a name had a
 * moment ago. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
    struct fetch *fetch = arg;
    (void)purpose;
    if (!fetch->fetcher->options.private_too && !serve_address_public(&address->addr)) {
        fetch->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Is this URL one that may be asked? */
static int check_url(const struct serve_fetcher *fetcher, const char *url, struct linnet_error *err) {
    CURLU *parsed = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    int rc = 0;
    if (parsed == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        rc = linnet_error_set(err, LINNET_E_DENIED, "it is no URL");
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        rc = linnet_error_set(err, LINNET_E_DENIED, "only http and https are fetched");
    else if (curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_OK)
        rc = linnet_error_set(err, LINNET_E_DENIED, "a URL with credentials is not fetched");
    else if (!serve_host_allowed(fetcher->options.hosts, host))
        rc = linnet_error_set(err, LINNET_E_DENIED,
                              "the host %.100s is not one that this server fetches from", host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parsed);
    return rc;
}

static int begin(struct fetch *fetch) {
    const struct serve_fetch_options *options = &fetch->fetcher->options;
    CURL *easy = fetch->easy;
    curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a proxy's address would be checked instead of the host's */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, options->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, options->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)fetch->body.limit);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "linnet/" LINNET_VERSION);
    return curl_multi_add_handle(fetch->fetcher->multi, easy) == CURLM_OK ? 0 : LINNET_E_NOMEM;
}

/* Follow one more redirect, as carefully as the first step. False: it has ended. */
static bool redirect(struct fetch *fetch) {
    struct linnet_error err = {0};
    char *target = NULL;
    curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_URL, &target);
    if (target == NULL) return false;
    if (++fetch->redirects > fetch->fetcher->options.redirects) {
        finish(fetch, LINNET_E_DENIED, "too many redirects");
        return true;
    }
    char *copy = strdup(target);
    if (copy == NULL || check_url(fetch->fetcher, copy, &err) != 0) {
        free(copy);
        finish(fetch, LINNET_E_DENIED, err.detail);
        return true;
    }
    free(fetch->url);
    fetch->url = copy;
    linnet_buf_clear(&fetch->body);
    curl_easy_reset(fetch->easy);
    if (begin(fetch) != 0) finish(fetch, LINNET_E_NOMEM, "out of memory");
    return true;
}

static void conclude(struct fetch *fetch, CURLcode result) {
    long status = 0;
    char words[64];
    curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    if (fetch->refused) {
        finish(fetch, LINNET_E_DENIED, "it leads to an address that is not public");
    } else if (fetch->over || result == CURLE_FILESIZE_EXCEEDED) {
        finish(fetch, LINNET_E_LIMIT, "it is too large");
    } else if (result == CURLE_OPERATION_TIMEDOUT) {
        finish(fetch, LINNET_E_TIMEOUT, "it does not come in time");
    } else if (result != CURLE_OK) {
        finish(fetch, LINNET_E_CONNECT, curl_easy_strerror(result));
    } else if (status >= 300 && status < 400 && redirect(fetch)) {
        return;
    } else if (status != 200) {
        snprintf(words, sizeof words, "its server answers %ld", status);
        finish(fetch, LINNET_E_NOT_FOUND, words);
    } else {
        finish(fetch, 0, "");
    }
}

/* ---- curl on the loop ---- */

static void look(struct serve_fetcher *fetcher) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(fetcher->multi, &left)) != NULL;) {
        struct fetch *fetch;
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
        conclude(fetch, result);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct watch *watch = poll->data;
    struct serve_fetcher *fetcher = watch->fetcher; /* the watch may go in between */
    int running, action = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE) action |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) action |= CURL_CSELECT_OUT;
    curl_multi_socket_action(fetcher->multi, watch->socket, action, &running);
    look(fetcher);
}

static void on_timer(uv_timer_t *timer) {
    struct serve_fetcher *fetcher = timer->data;
    int running;
    curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    look(fetcher);
}

static int on_timeout(CURLM *multi, long ms, void *arg) {
    struct serve_fetcher *fetcher = arg;
    (void)multi;
    if (fetcher->closing) return 0;
    if (ms < 0)
        uv_timer_stop(&fetcher->timer);
    else
        uv_timer_start(&fetcher->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_watch_closed(uv_handle_t *handle) {
    free(handle->data);
}

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known) {
    struct serve_fetcher *fetcher = arg;
    struct watch *watch = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch == NULL) return 0;
        uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        curl_multi_assign(fetcher->multi, fd, NULL);
        return 0;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof *watch);
        if (watch == NULL) return -1;
        *watch = (struct watch){.fetcher = fetcher, .socket = fd};
        watch->poll.data = watch;
        if (uv_poll_init(fetcher->options.loop, &watch->poll, fd) != 0) {
            free(watch);
            return -1;
        }
        curl_multi_assign(fetcher->multi, fd, watch);
    }
    uv_poll_start(&watch->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  on_poll);
    return 0;
}

/* ---- the outside ---- */

int serve_fetch(struct serve_fetcher *fetcher, const char *url, size_t limit, serve_fetched_callback *done,
                void *arg, struct linnet_error *err) {
    int rc = check_url(fetcher, url, err);
    if (rc != 0) return rc;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    *fetch = (struct fetch){.fetcher = fetcher,
                            .easy = curl_easy_init(),
                            .url = strdup(url),
                            .done = done,
                            .arg = arg,
                            .next = fetcher->first};
    if (fetch->next != NULL) fetch->next->previous = fetch;
    fetcher->first = fetch;
    linnet_buf_init(&fetch->body, limit);
    if (fetch->easy != NULL && fetch->url != NULL && begin(fetch) == 0) return 0;
    fetch_free(fetch);
    return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
}

int serve_fetcher_open(const struct serve_fetch_options *options, struct serve_fetcher **out) {
    struct serve_fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher == NULL) return LINNET_E_NOMEM;
    fetcher->options = *options;
    fetcher->multi = curl_multi_init();
    if (fetcher->multi == NULL) {
        free(fetcher);
        return LINNET_E_NOMEM;
    }
    uv_timer_init(options->loop, &fetcher->timer);
    fetcher->timer.data = fetcher;
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    *out = fetcher;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle) {
    free(handle->data);
}

void serve_fetcher_close(struct serve_fetcher *fetcher) {
    if (fetcher == NULL) return;
    fetcher->closing = true;
    while (fetcher->first != NULL) {
        struct fetch *fetch = fetcher->first;
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not follow how fetch_free() unlinks */
        curl_multi_remove_handle(fetcher->multi, fetch->easy);
        finish(fetch, LINNET_E_CANCELLED, "the server is stopping");
    }
    curl_multi_cleanup(fetcher->multi);
    uv_close((uv_handle_t *)&fetcher->timer, on_timer_closed);
}
