#include "workers/serve/status.h"

#include "common/base/time.h"
#include "workers/serve/admit.h"
#include "workers/serve/engine.h"
#include "workers/serve/http.h"
#include "workers/serve/serve.h"

void serve_status_get(struct serve_request *request) {
    const struct serve_view *view = serve_engine_view(request->serve->engine);
    if (view == NULL)
        serve_answer_json(request, 503,
                          json_pack("{s:s, s:s}", "status", "starting", "reason",
                                    serve_engine_waits_for(request->serve->engine)));
    else
        serve_answer_json(
            request, 200,
            json_pack("{s:s, s:s, s:s}", "status", "ok", "model", view->model, "version", LINNET_VERSION));
}

void serve_quota_get(struct serve_request *request) {
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    now[10] = '\0';
    json_t *identify = json_pack(
        "{s:o, s:I, s:o}", "total", request->limited ? json_integer((json_int_t)request->limit) : json_null(),
        "count", (json_int_t)serve_admit_used(request), "remaining",
        request->limited ? json_integer((json_int_t)request->remaining) : json_null());
    serve_answer_json(request, 200,
                      json_pack("{s:s, s:s?, s:{s:o}}", "date", now, "account", serve_admit_name(request),
                                "quota", "identify", identify));
}

void serve_health_get(struct serve_request *request) {
    serve_answer_json(request, 200, json_pack("{s:b}", "healthy", 1));
}

void serve_ready_get(struct serve_request *request) {
    bool ready = serve_engine_ready(request->serve->engine) && !request->serve->draining;
    json_t *body = json_pack("{s:b, s:[]}", "ready", (int)ready, "reasons");
    if (!ready)
        json_array_append_new(json_object_get(body, "reasons"),
                              json_string(request->serve->draining
                                              ? "stopping"
                                              : serve_engine_waits_for(request->serve->engine)));
    serve_answer_json(request, ready ? 200 : 503, body);
}

void serve_metrics_get(struct serve_request *request) {
    struct serve *serve = request->serve;
    struct linnet_buf text = {0};
    size_t size = 0;
    linnet_metric_set(
        linnet_metrics_gauge(serve->metrics, "linnet_http_connections", NULL, "Open connections"),
        (double)serve_http_connections(serve->http));
    linnet_metric_set(
        linnet_metrics_gauge(serve->metrics, "linnet_http_requests_open", NULL, "Requests that are not over"),
        (double)serve_http_requests(serve->http));
    if (linnet_metrics_write(serve->metrics, &text) != 0) linnet_buf_done(&text);
    char *taken = linnet_buf_take(&text, &size);
    serve_answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", taken, size);
}
