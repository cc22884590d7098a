#include "common/nn/cuda/view.h"

#include <string.h>

size_t cuda_type_size(enum linnet_nn_type type) {
    switch (type) {
    case LINNET_NN_U8:
        return 1;
    case LINNET_NN_BF16:
    case LINNET_NN_F16:
        return 2;
    case LINNET_NN_I64:
        return 8;
    default:
        return 4;
    }
}

int64_t cuda_view_elements(const struct cuda_view *view) {
    int64_t count = 1;
    for (int i = 0; i < view->rank; i++)
        count *= view->dims[i];
    return count;
}

void cuda_view_plain(struct cuda_view *view) {
    int64_t stride = 1;
    for (int i = view->rank - 1; i >= 0; i--) {
        view->strides[i] = stride;
        stride *= view->dims[i];
    }
}

void cuda_view_channels_last(struct cuda_view *view) {
    if (view->rank < 3) {
        cuda_view_plain(view);
        return;
    }
    int64_t stride = view->dims[1];
    view->strides[1] = 1;
    for (int i = view->rank - 1; i >= 2; i--) {
        view->strides[i] = stride;
        stride *= view->dims[i];
    }
    view->strides[0] = stride;
}

/* Equal but for dimensions of 1, whose strides say nothing. */
static bool same_strides(const struct cuda_view *a, const struct cuda_view *b) {
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != 1 && a->strides[i] != b->strides[i]) return false;
    return true;
}

bool cuda_view_is_plain(const struct cuda_view *view) {
    struct cuda_view plain = *view;
    cuda_view_plain(&plain);
    return same_strides(view, &plain);
}

bool cuda_view_is_channels_last(const struct cuda_view *view) {
    struct cuda_view last = *view;
    cuda_view_channels_last(&last);
    return same_strides(view, &last);
}

bool cuda_view_is_dense(const struct cuda_view *view) {
    struct cuda_view one = *view;
    cuda_views_collapse(&one, 1);
    return one.rank == 0 || (one.rank == 1 && one.strides[0] == 1);
}

/* Runs of dimensions that lie in memory like one, row-major: sizes and the stride of the innermost of each.
 */
static int runs_of(const struct cuda_view *view, int64_t *sizes, int64_t *strides) {
    int n = 0;
    for (int i = 0; i < view->rank; i++) {
        if (view->dims[i] == 1) continue;
        if (n && strides[n - 1] == view->strides[i] * view->dims[i]) {
            sizes[n - 1] *= view->dims[i];
        } else {
            sizes[n++] = view->dims[i];
        }
        strides[n - 1] = view->strides[i];
    }
    return n;
}

bool cuda_view_reshape(const struct cuda_view *view, int rank, const int64_t *dims, struct cuda_view *out) {
    int64_t sizes[LINNET_NN_RANK_MAX], strides[LINNET_NN_RANK_MAX];
    int run = runs_of(view, sizes, strides) - 1;
    struct cuda_view made = *view;
    made.rank = rank;
    memcpy(made.dims, dims, (size_t)rank * sizeof *dims);
    int64_t taken = 1; /* of the run, from its inner end */
    for (int i = rank - 1; i >= 0; i--) {
        if (run >= 0 && taken == sizes[run] && dims[i] != 1) {
            run--;
            taken = 1;
        }
        made.strides[i] = run >= 0 ? strides[run] * taken : 1;
        if (dims[i] == 1) continue;
        if (run < 0 || sizes[run] % (taken * dims[i])) return false;
        taken *= dims[i];
    }
    *out = made;
    return true;
}

void cuda_view_broadcast(const struct cuda_view *view, int rank, const int64_t *dims, struct cuda_view *out) {
    struct cuda_view made = *view;
    int ahead = rank - view->rank;
    made.rank = rank;
    for (int i = 0; i < rank; i++) {
        bool own = i >= ahead && view->dims[i - ahead] != 1;
        made.dims[i] = dims[i];
        made.strides[i] = own ? view->strides[i - ahead] : 0;
    }
    *out = made;
}

/* Swap dimensions i and j of all views. */
static void swap_dims(struct cuda_view *views, int n, int i, int j) {
    for (int k = 0; k < n; k++) {
        int64_t dim = views[k].dims[i], stride = views[k].strides[i];
        views[k].dims[i] = views[k].dims[j];
        views[k].strides[i] = views[k].strides[j];
        views[k].dims[j] = dim;
        views[k].strides[j] = stride;
    }
}

static void drop_dim(struct cuda_view *views, int n, int i) {
    for (int k = 0; k < n; k++) {
        for (int d = i; d + 1 < views[k].rank; d++) {
            views[k].dims[d] = views[k].dims[d + 1];
            views[k].strides[d] = views[k].strides[d + 1];
        }
        views[k].rank--;
    }
}

void cuda_views_collapse(struct cuda_view *views, int n) {
    for (int i = views->rank - 1; i >= 0; i--)
        if (views->dims[i] == 1) drop_dim(views, n, i);
    for (int i = 1; i < views->rank; i++)
        for (int j = i; j && views->strides[j] > views->strides[j - 1]; j--)
            swap_dims(views, n, j, j - 1);
    for (int i = views->rank - 2; i >= 0; i--) {
        bool joins = true;
        for (int k = 0; k < n; k++)
            joins = joins && views[k].strides[i] == views[k].strides[i + 1] * views[k].dims[i + 1];
        if (!joins) continue;
        for (int k = 0; k < n; k++)
            views[k].dims[i + 1] *= views[k].dims[i];
        drop_dim(views, n, i);
    }
}
