#include "workers/cli/flora_find.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "workers/cli/say.h"

enum { PAGE = 5000 }; /* documents fetched at once */

static const char *const HOW[] = {"exact", "prefix", "word", "fuzzy", "fuzzy-prefix"};
static const char *const KIND[] = {"accepted", "synonym", "common"};

/* ---- an index of the store ---- */

static int add_all(struct linnet_lookup_builder *builder, const json_t *documents, struct linnet_error *err) {
    size_t i;
    const json_t *document;
    json_array_foreach(documents, i, document) {
        int error = linnet_lookup_add_document(builder, linnet_json_string(document, "_id", ""), document);
        if (error) return linnet_error_set(err, error, "%s", linnet_error_message(error));
    }
    return 0;
}

/* Page by page, so that not all documents are in memory at once. */
static int read_store(const struct linnet_store_options *options, struct linnet_lookup_builder *builder,
                      struct linnet_error *err) {
    struct linnet_store *store = NULL;
    char start[LINNET_ID_MAX + 2] = "taxon:";
    size_t n = PAGE, total = 0;
    int error = linnet_store_open(options, &store, err);
    while (!error && n == PAGE) {
        json_t *page = NULL;
        error = linnet_store_range(store, LINNET_DB_REFERENCE, start, "taxon:\xef\xbf\xb0", PAGE, &page, err);
        if (!error) error = add_all(builder, page, err);
        n = json_array_size(page);
        /* The next page begins behind the last id: a space comes before all that an id may hold. */
        if (n)
            snprintf(start, sizeof start, "%s ", linnet_json_string(json_array_get(page, n - 1), "_id", ""));
        json_decref(page);
        linnet_say_progress(options, "reading names of %zu taxa", total += n);
    }
    linnet_say_done(options);
    linnet_store_close(store);
    if (!error && total == 0)
        error = linnet_error_set(err, LINNET_E_NOT_FOUND,
                                 "there is no taxon in the store yet; import a checklist first "
                                 "(linnet flora import)");
    return error;
}

static int index_of_store(const struct linnet_store_options *options, struct linnet_lookup **out,
                          struct linnet_error *err) {
    struct linnet_lookup_builder *builder = linnet_lookup_builder_new();
    if (!builder) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int error = read_store(options, builder, err);
    if (!error && (error = linnet_lookup_build(builder, out)))
        linnet_error_set(err, error, "%s", linnet_error_message(error));
    linnet_lookup_builder_free(builder);
    return error;
}

int linnet_flora_save_index(struct linnet_lookup_builder *builder, const char *path,
                            struct linnet_error *err) {
    struct linnet_lookup *lookup = NULL;
    int error = linnet_lookup_build(builder, &lookup);
    if (error) return linnet_error_set(err, error, "%s", linnet_error_message(error));
    error = linnet_lookup_save(lookup, path, err);
    linnet_lookup_free(lookup);
    return error;
}

int linnet_flora_index(const struct linnet_store_options *options, const char *path,
                       struct linnet_error *err) {
    struct linnet_lookup *lookup = NULL;
    int error = index_of_store(options, &lookup, err);
    if (error) return error;
    error = linnet_lookup_save(lookup, path, err);
    struct linnet_lookup_size size = linnet_lookup_size(lookup);
    if (!error && options->json)
        printf("{\"taxa\":%u,\"names\":%u,\"bytes\":%zu}\n", size.taxa, size.names, size.bytes);
    else if (!error)
        printf("%u names of %u taxa in %zu bytes\n", size.names, size.taxa, size.bytes);
    linnet_lookup_free(lookup);
    return error;
}

/* ---- finding ---- */

static void print_json(const struct linnet_lookup *lookup, const struct linnet_flora_find *find,
                       const struct linnet_lookup_match *matches, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct linnet_lookup_match *m = &matches[i];
        const char *common = find->language ? linnet_lookup_common(lookup, m->taxon, find->language) : NULL;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:i, s:s*}", "taxon", m->id,
                            "scientificName", m->scientific_name, "scientificNameAuthorship", m->authorship,
                            "taxonRank", linnet_rank_name(m->rank), "matched", m->name, "kind", KIND[m->kind],
                            "language", *m->language ? m->language : NULL, "how", HOW[m->how], "distance",
                            (int)m->distance, "commonName", common));
    }
    json_dumpf(list, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(list);
}

static void print_lines(const struct linnet_lookup *lookup, const struct linnet_flora_find *find,
                        const struct linnet_lookup_match *matches, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct linnet_lookup_match *m = &matches[i];
        const char *common = find->language ? linnet_lookup_common(lookup, m->taxon, find->language) : NULL;
        printf("%s%s%s  %s  %s", m->scientific_name, *m->authorship ? " " : "", m->authorship,
               linnet_rank_name(m->rank), m->id);
        if (m->kind != LINNET_LOOKUP_ACCEPTED) printf("  (%s: %s)", KIND[m->kind], m->name);
        if (common) printf("  \"%s\"", common);
        if (m->distance) printf("  ~%u", m->distance);
        putchar('\n');
    }
}

static int join(const struct linnet_flora_find *find, struct linnet_buf *out) {
    int error = 0;
    for (size_t i = 0; !error && i < find->nwords; i++)
        error = linnet_buf_printf(out, "%s%s", i ? " " : "", find->words[i]);
    return error;
}

int linnet_flora_find(const struct linnet_flora_find *find, struct linnet_error *err) {
    struct linnet_lookup *lookup = NULL;
    struct linnet_buf query = {0};
    struct linnet_lookup_match *matches = malloc(find->limit * sizeof *matches);
    struct linnet_lookup_options options = {find->limit, find->language, find->prefix_only};
    int error = !matches || join(find, &query) ? linnet_error_set(err, LINNET_E_NOMEM, "out of memory") : 0;
    if (!error)
        error = find->index ? linnet_lookup_open(find->index, &lookup, err)
                            : index_of_store(find->store, &lookup, err);
    if (!error) {
        size_t n = linnet_lookup_find(lookup, query.data, &options, matches);
        (find->store->json ? print_json : print_lines)(lookup, find, matches, n);
        if (n == 0 && !find->store->json)
            error = linnet_error_set(err, LINNET_E_NOT_FOUND, "nothing is like \"%.200s\"", query.data);
    }
    linnet_lookup_free(lookup);
    linnet_buf_done(&query);
    free(matches);
    return error;
}
