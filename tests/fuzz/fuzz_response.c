/* What a server may answer, byte for byte, to each of the client's requests: the callback runs once, with a
 * result or words for why there is none. The first byte chooses the request; the rest is what comes back on
 * the wire, then the connection is closed. libcurl reads it first, what it lets through is ours to read. */
#include <stdio.h>
#include <string.h>

#include "common/couch/couch.h"
#include "tests/fuzz/fuzz.h"

#define OBSERVATION "01ARZ3NDEKTSV4RRFFQ69G5FAV"

/* A server on the same loop that sends the same bytes to whoever connects and asks for something. */
static uv_loop_t loop;
static uv_tcp_t server;
static const uint8_t *reply;
static size_t reply_size;
static int answered;

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

/* A write with its bytes, which may outlive the run. */
struct sending {
    uv_write_t write;
    char bytes[];
};

static void on_sent(uv_write_t *write, int status) {
    (void)status;
    uv_close((uv_handle_t *)write->handle, on_closed);
    free(write);
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *out) {
    static char room[4096];
    (void)handle, (void)size;
    *out = uv_buf_init(room, sizeof room);
}

static void on_asked(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    (void)buf;
    if (n == 0) return;
    uv_read_stop(stream);
    struct sending *sending = malloc(sizeof *sending + reply_size);
    HOLD(sending);
    memcpy(sending->bytes, reply, reply_size);
    uv_buf_t bytes = uv_buf_init(sending->bytes, (unsigned)reply_size);
    if (n < 0 || uv_write(&sending->write, stream, &bytes, 1, on_sent) != 0) {
        free(sending);
        uv_close((uv_handle_t *)stream, on_closed);
    }
}

static void on_connection(uv_stream_t *listener, int status) {
    uv_tcp_t *connection = calloc(1, sizeof *connection);
    HOLD(status == 0 && connection && uv_tcp_init(&loop, connection) == 0);
    HOLD(uv_accept(listener, (uv_stream_t *)connection) == 0);
    HOLD(uv_read_start((uv_stream_t *)connection, on_room, on_asked) == 0);
}

static void listen_anywhere(char url[64]) {
    struct sockaddr_in address;
    int size = sizeof address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    HOLD(uv_loop_init(&loop) == 0 && uv_tcp_init(&loop, &server) == 0);
    HOLD(uv_tcp_bind(&server, (struct sockaddr *)&address, 0) == 0);
    HOLD(uv_listen((uv_stream_t *)&server, 64, on_connection) == 0);
    HOLD(uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size) == 0);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
}

static void on_response(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                        void *arg) {
    (void)request, (void)arg;
    HOLD(response->error ? response->detail && *response->detail : response->status < 400);
    answered++;
}

/* The texts are read, so that one that is not terminated is found. */
static void on_rows(struct linnet_couch_request *request, const struct linnet_couch_response *response, void *arg) {
    size_t read = 0;
    for (size_t i = 0; i < response->nrows; i++) {
        const struct linnet_couch_row *row = &response->rows[i];
        read += (row->revision ? strlen(row->revision) : 0) + (row->error ? strlen(row->error) : 0) +
                (row->reason ? strlen(row->reason) : 0) + json_object_size(row->document);
    }
    HOLD(read <= 2 * reply_size);
    on_response(request, response, arg);
}

static void on_probed(int error, const char *detail, const struct linnet_couch_server *found, void *arg) {
    (void)arg;
    HOLD(error ? detail && *detail && !found : found != NULL);
    answered++;
}

static int ask(struct linnet_couch *couch, unsigned choice) {
    json_t *list = json_pack("[s]", "taxon:1");
    int rc = LINNET_E_INVALID;
    const char *const ids[] = {"taxon:1", "taxon:2"};
    switch (choice % 7) {
    case 0:
        rc = linnet_couch_get(couch, LINNET_DB_REFERENCE, "taxon:1", NULL, on_response, NULL);
        break;
    case 1:
        rc = linnet_couch_get_observation(couch, OBSERVATION, on_response, NULL);
        break;
    case 2:
        rc = linnet_couch_all_docs(couch, LINNET_DB_REFERENCE, list, true, on_response, NULL);
        break;
    case 3:
        rc = linnet_couch_bulk(couch, LINNET_DB_OPS, list, true, on_response, NULL);
        break;
    case 4:
        rc = linnet_couch_get_attachment(couch, LINNET_DB_REFERENCE, "model:a@1", "model.onnx", NULL, 1000,
                                         on_response, NULL);
        break;
    case 6:
        rc = linnet_couch_all_docs_rows(couch, LINNET_DB_REFERENCE, ids, 2, true, on_rows, NULL);
        break;
    case 5:
        rc = linnet_couch_probe(couch, LINNET_DB_MAIN, on_probed, NULL);
        break;
    }
    json_decref(list);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct linnet_couch *couch;
    if (!couch) {
        char url[64];
        listen_anywhere(url);
        const struct linnet_couch_options options = {
            .url = url, .connect_timeout_ms = 500, .request_timeout_ms = 500, .response_limit = 1 << 20};
        HOLD(linnet_couch_open(&loop, &options, &couch, NULL) == 0);
    }
    if (size == 0) return 0;
    reply = data + 1;
    reply_size = size - 1;
    answered = 0;
    HOLD(ask(couch, data[0]) == 0);
    while (!answered)
        uv_run(&loop, UV_RUN_ONCE);
    HOLD(answered == 1);
    return 0;
}
