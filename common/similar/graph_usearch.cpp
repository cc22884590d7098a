/* The graph by usearch (https://github.com/unum-cloud/usearch, Apache 2.0): its index over slots, with
 * distances and vectors of ours. The only file of Linnet that is not C: usearch is a C++ template. */
#include "common/similar/graph.h"

#include <cstring>
#include <new>
#include <usearch/index.hpp>

extern "C" {
#include "common/similar/fixed.h"
}

/* Of common/base/error.h, which is C. */
enum { NO_MEMORY = -1, MALFORMED = -3, FULL = -16 };

using index_type = unum::usearch::index_gt<float, uint32_t, uint32_t>;

struct linnet_graph {
    linnet_graph_vectors vectors;
    index_type index;

    explicit linnet_graph(const linnet_graph_vectors &given)
        : vectors(given), index(unum::usearch::index_config_t(LINNET_GRAPH_LINKS)) {
    }
    const int16_t *row(std::size_t n) const noexcept {
        return vectors.rows + n * vectors.dims;
    }
};

namespace {

/* Distances between a query and a row, and between two rows. */
struct metric {
    const linnet_graph &graph;

    template <typename entry> float operator()(const int16_t *query, const entry &to) const noexcept {
        return 1 - linnet_fixed_dot(query, graph.row(get_slot(to)), graph.vectors.dims);
    }
    template <typename one, typename other> float operator()(const one &a, const other &b) const noexcept {
        return 1 - linnet_fixed_dot(graph.row(get_slot(a)), graph.row(get_slot(b)), graph.vectors.dims);
    }
};

/* Rows that will be looked at next come into the cache while others are computed. */
struct prefetch {
    const linnet_graph &graph;

    template <typename iterator> void operator()(iterator from, iterator to) const noexcept {
        for (; from != to; ++from) {
            const char *row = reinterpret_cast<const char *>(graph.row(get_slot(from)));
            for (std::size_t line = 0; line < graph.vectors.dims * 2; line += 64)
                __builtin_prefetch(row + line);
        }
    }
};

struct chosen {
    bool (*wanted)(const void *arg, uint32_t row);
    const void *arg;
    template <typename member> bool operator()(const member &found) const noexcept {
        return wanted(arg, static_cast<uint32_t>(get_slot(found)));
    }
};

linnet_graph *make(const linnet_graph_vectors *vectors) noexcept {
    try {
        return new linnet_graph(*vectors);
    } catch (...) {
        return nullptr;
    }
}

/* Room for that many vectors and one thread. */
bool reserve(linnet_graph *graph, std::size_t n) {
    return graph->index.try_reserve(unum::usearch::index_limits_t(n, 1));
}

} // namespace

extern "C" int linnet_graph_new(const linnet_graph_vectors *vectors, size_t n, linnet_graph **out) {
    linnet_graph *graph = make(vectors);
    if (graph == nullptr || !reserve(graph, n)) {
        delete graph;
        return NO_MEMORY;
    }
    *out = graph;
    return 0;
}

extern "C" int linnet_graph_open(const linnet_graph_vectors *vectors, const void *bytes, size_t size,
                                 bool view, size_t n, linnet_graph **out) {
    linnet_graph *graph = make(vectors);
    if (graph == nullptr) return NO_MEMORY;
    /* One thread, whatever the machine has: each has tables of its own. */
    graph->index.try_reserve(unum::usearch::index_limits_t(0, 1));
    unum::usearch::memory_mapped_file_t file(
        const_cast<unum::usearch::byte_t *>(static_cast<const unum::usearch::byte_t *>(bytes)), size);
    auto result = view ? graph->index.view(std::move(file)) : graph->index.load(std::move(file));
    bool failed = !result;
    result.error.release(); /* else its end throws what it says */
    if (failed || (!view && !reserve(graph, n))) {
        delete graph;
        return failed ? MALFORMED : NO_MEMORY;
    }
    *out = graph;
    return 0;
}

extern "C" void linnet_graph_free(linnet_graph *graph) {
    delete graph;
}

extern "C" size_t linnet_graph_size(const linnet_graph *graph) {
    return graph->index.size();
}

extern "C" int linnet_graph_add(linnet_graph *graph) {
    std::size_t row = graph->index.size();
    if (row >= graph->index.capacity()) return FULL;
    unum::usearch::index_update_config_t config;
    config.expansion = LINNET_GRAPH_EFFORT;
    try {
        const int16_t *value = graph->row(row);
        auto result = graph->index.add(static_cast<uint32_t>(row), value, metric{*graph}, config,
                                       unum::usearch::dummy_callback_t{}, prefetch{*graph});
        bool failed = !result;
        result.error.release();
        return failed ? NO_MEMORY : 0;
    } catch (...) {
        return NO_MEMORY;
    }
}

extern "C" size_t linnet_graph_bytes(const linnet_graph *graph) {
    return graph->index.serialized_length();
}

extern "C" int linnet_graph_write(const linnet_graph *graph, void *buffer, size_t size) {
    unum::usearch::memory_mapped_file_t file(static_cast<unum::usearch::byte_t *>(buffer), size);
    auto result = graph->index.save(std::move(file));
    bool failed = !result;
    result.error.release();
    return failed ? MALFORMED : 0;
}

extern "C" size_t linnet_graph_find(const linnet_graph *graph, const int16_t *query, size_t k, size_t effort,
                                    bool (*wanted)(const void *arg, uint32_t row), const void *arg,
                                    uint32_t *rows, float *distances) {
    unum::usearch::index_search_config_t config;
    config.expansion = effort > k ? effort : k;
    try {
        auto found =
            wanted != nullptr
                ? graph->index.search(query, k, metric{*graph}, config, chosen{wanted, arg}, prefetch{*graph})
                : graph->index.search(query, k, metric{*graph}, config, unum::usearch::dummy_predicate_t{},
                                      prefetch{*graph});
        bool failed = !found;
        found.error.release();
        return failed ? 0 : found.dump_to(rows, distances);
    } catch (...) {
        return 0;
    }
}
