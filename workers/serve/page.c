#include "workers/serve/page.h"

#include <string.h>

#include "common/base/digest.h"
#include "workers/serve/router.h"

static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
                             "connect-src 'self'; form-action 'self'; "
                             "base-uri 'none'; frame-ancestors 'none'";

static const struct page {
    const char *path, *asset, *type;
} pages[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/docs", "docs.html", "text/html; charset=utf-8"},
    {"/page.css", "page.css", "text/css; charset=utf-8"},
    {"/page.js", "page.js", "text/javascript; charset=utf-8"},
    {"/docs.js", "docs.js", "text/javascript; charset=utf-8"},
    {"/openapi.json", "openapi.json", "application/json; charset=utf-8"},
};

static const struct page *page_of(const char *path) {
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].path, path) == 0) return &pages[i];
    return NULL;
}

static const struct serve_asset *asset_of(const char *name) {
    for (const struct serve_asset *asset = serve_assets; asset->name != NULL; asset++)
        if (strcmp(asset->name, name) == 0) return asset;
    return NULL;
}

void serve_page_get(struct serve_request *request) {
    const struct page *page = page_of(request->route->path);
    const struct serve_asset *asset = page != NULL ? asset_of(page->asset) : NULL;
    if (asset == NULL) {
        serve_answer_error(request, 404, "Not Found");
        return;
    }
    char etag[LINNET_DIGEST_SIZE + 2] = "\"";
    linnet_digest_bytes(asset->data, asset->size, etag + 1);
    memcpy(etag + 17, "\"", 2);
    const char *known = serve_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool same = known != NULL && strcmp(known, etag) == 0;
    if (same)
        serve_answer_text(request, 304, page->type, strdup(""), 0);
    else
        serve_answer_static(request, page->type, asset->data, asset->size);
    if (request->response == NULL) return;
    MHD_add_response_header(request->response, MHD_HTTP_HEADER_ETAG, etag);
    MHD_add_response_header(request->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    MHD_add_response_header(request->response, "Content-Security-Policy", policy);
    MHD_add_response_header(request->response, "Referrer-Policy", "no-referrer");
}
