/* One server: its URL taken apart, its credentials, the names of its databases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/couch/internal.h"

void couch_client_free(struct linnet_couch *couch) {
    if (!couch) return;
    for (int i = 0; i < COUCH_DATABASES; i++)
        free(couch->names[i]);
    curl_slist_free_all(couch->json_headers);
    free(couch->base);
    free(couch->user);
    free(couch->password);
    free(couch->user_agent);
    free(couch);
}

/* A part of a URL as a string of ours in *out, NULL if it has none. */
static int url_part(CURLU *url, CURLUPart part, unsigned flags, char **out) {
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, flags);
    if (code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD) return 0;
    if (code) return code == CURLUE_OUT_OF_MEMORY ? LINNET_E_NOMEM : LINNET_E_INVALID;
    *out = strdup(text);
    curl_free(text);
    return *out ? 0 : LINNET_E_NOMEM;
}

static int take_url_apart(struct linnet_couch *couch, CURLU *url, const char *text) {
    if (!text || curl_url_set(url, CURLUPART_URL, text, 0)) return LINNET_E_INVALID;
    int rc = url_part(url, CURLUPART_USER, CURLU_URLDECODE, &couch->user);
    if (!rc) rc = url_part(url, CURLUPART_PASSWORD, CURLU_URLDECODE, &couch->password);
    if (!rc && couch->user && !couch->password && !(couch->password = strdup(""))) rc = LINNET_E_NOMEM;
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    if (!rc) rc = url_part(url, CURLUPART_URL, 0, &couch->base);
    if (rc || !couch->base) return rc ? rc : LINNET_E_INVALID;
    if (strncmp(couch->base, "http://", 7) != 0 && strncmp(couch->base, "https://", 8) != 0)
        return LINNET_E_INVALID;
    for (size_t size = strlen(couch->base); size && couch->base[size - 1] == '/';)
        couch->base[--size] = '\0';
    return 0;
}

static int make_names(struct linnet_couch *couch, const char *prefix) {
    for (int i = 0; i < COUCH_DATABASES; i++) {
        struct linnet_buf name = {0};
        int rc = linnet_buf_printf(&name, "%s%s", prefix, linnet_database_suffix((enum linnet_database)i));
        couch->names[i] = linnet_buf_take(&name, NULL);
        if (rc) return rc;
    }
    return 0;
}

static int make_headers(struct linnet_couch *couch) {
    /* "Expect:" keeps libcurl from waiting for a 100 Continue that CouchDB is slow to give. */
    static const char *const headers[] = {"Accept: application/json", "Content-Type: application/json",
                                          "Expect:"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct curl_slist *grown = curl_slist_append(couch->json_headers, headers[i]);
        if (!grown) return LINNET_E_NOMEM;
        couch->json_headers = grown;
    }
    return 0;
}

static int set_up(struct linnet_couch *couch, const struct linnet_couch_options *options) {
    couch->connections = options->connections ? options->connections : 16;
    couch->connect_timeout_ms = options->connect_timeout_ms > 0 ? options->connect_timeout_ms : 5000;
    couch->request_timeout_ms = options->request_timeout_ms > 0 ? options->request_timeout_ms : 60000;
    couch->response_limit = options->response_limit ? options->response_limit : (size_t)256 << 20;
    couch->user_agent = strdup(options->user_agent ? options->user_agent : "linnet/" LINNET_VERSION);
    CURLU *url = curl_url();
    int rc = url && couch->user_agent ? take_url_apart(couch, url, options->url) : LINNET_E_NOMEM;
    curl_url_cleanup(url);
    if (!rc) rc = make_names(couch, options->prefix ? options->prefix : "linnet");
    if (!rc) rc = make_headers(couch);
    return rc;
}

int linnet_couch_open(uv_loop_t *loop, const struct linnet_couch_options *options, struct linnet_couch **out,
                      struct linnet_error *err) {
    struct linnet_couch *couch = calloc(1, sizeof *couch);
    int rc = couch ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        couch->loop = loop;
        rc = set_up(couch, options);
    }
    if (!rc) rc = couch_loop_open(couch);
    if (rc) {
        couch_client_free(couch);
        /* The URL is not repeated: it has a password in it. */
        return linnet_error_set(err, rc,
                                rc == LINNET_E_INVALID
                                    ? "the store's URL must be http(s)://[user:password@]host[:port]"
                                    : "out of memory while opening the store");
    }
    *out = couch;
    return 0;
}

void linnet_couch_close(struct linnet_couch *couch, void (*closed)(void *arg), void *arg) {
    if (!couch || couch->closing) return;
    couch->closing = true;
    couch->closed = closed;
    couch->closed_arg = arg;
    couch_kick(couch);
}

const char *linnet_couch_database(const struct linnet_couch *couch, enum linnet_database database) {
    return (unsigned)database < COUCH_DATABASES ? couch->names[database] : NULL;
}

int linnet_couch_escape(struct linnet_buf *out, const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:";
    size_t before = out->size;
    int rc = linnet_buf_append(out, "", 0);
    while (!rc && *text) {
        size_t run = strspn(text, plain);
        rc = linnet_buf_append(out, text, run);
        text += run;
        if (!rc && *text) rc = linnet_buf_printf(out, "%%%02X", (unsigned char)*text++);
    }
    if (rc && out->data) out->data[out->size = before] = '\0';
    return rc;
}
