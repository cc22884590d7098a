#include "common/nn/cuda/blaslt.h"

#include <cublasLt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/fail.h"

/* cuBLASLt is column-major: a row-major [M, N] = A [M, K] B [K, N] is its [N, M] = B' A', so that its first
 * factor is our second. */
struct cuda_gemm {
    cublasLtMatmulDesc_t what;
    cublasLtMatrixLayout_t first, second, added, out;
    cublasLtMatmulAlgo_t algorithm;
    size_t workspace;
    int residual, bias; /* posts; -1: none */
};

#define DEVICES_MAX 16

/* One handle for each device; cuBLASLt's are used by several threads at once. */
static cublasLtHandle_t handle_of_device(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static cublasLtHandle_t handles[DEVICES_MAX];
    int device = 0;
    if (cudaGetDevice(&device) != cudaSuccess || device < 0 || device >= DEVICES_MAX) return NULL;
    pthread_mutex_lock(&lock);
    if (!handles[device] && cublasLtCreate(&handles[device]) != CUBLAS_STATUS_SUCCESS) handles[device] = NULL;
    cublasLtHandle_t handle = handles[device];
    pthread_mutex_unlock(&lock);
    return handle;
}

/* A specification as a product: rows M, columns N, depth K, a batch. */
struct shape {
    int64_t m, n, k, batch;
    int64_t a_ld, b_ld, out_ld; /* between rows (or columns, where those are the stretches) */
    int64_t a_batch, b_batch, out_batch;
    bool a_turned, b_turned; /* stored the other way: columns are the stretches */
    int residual, bias;
    bool relu;
};

/* A convolution has a bias, and perhaps a residual before it; a product of activations a residual only. */
static bool posts_of(const struct dnn_spec *spec, struct shape *shape) {
    int adds[2] = {-1, -1}, nadds = 0;
    for (int i = 0; i < spec->nposts; i++) {
        const struct dnn_post *post = &spec->posts[i];
        if (shape->relu || (post->add && nadds == 2)) return false;
        if (!post->add && post->unary.function != LINNET_NN_RELU) return false;
        if (post->add)
            adds[nadds++] = i;
        else
            shape->relu = true;
    }
    bool biased = spec->kind == DNN_CONVOLUTION && nadds > 0;
    if (nadds == 2 && !biased) return false;
    shape->bias = biased ? adds[nadds - 1] : -1;
    shape->residual = biased ? (nadds == 2 ? adds[0] : -1) : adds[0];
    return true;
}

/* A convolution of one pixel, everything dense: [N H W, C] times [O, C]. */
static bool pixel_shape(const struct dnn_spec *spec, struct shape *shape) {
    const struct linnet_nn_window *window = &spec->window;
    const int64_t *a = spec->a.dims, *b = spec->b.dims;
    if (window->rank != 2 || spec->a.rank != 4 || a[1] != b[1]) return false;
    for (int i = 0; i < 2; i++)
        if (window->kernel[i] != 1 || window->strides[i] != 1 || window->before[i] || window->after[i])
            return false;
    *shape = (struct shape){.m = a[0] * a[2] * a[3], .n = b[0], .k = a[1], .batch = 1};
    shape->a_ld = shape->k;
    shape->b_ld = shape->k;
    shape->out_ld = shape->n;
    shape->b_turned = true;
    return true;
}

/* Which of the two inner dimensions is the stretch? */
static bool inner(const struct dnn_tensor *tensor, bool *turned, int64_t *ld) {
    *turned = tensor->strides[2] != 1 && tensor->dims[2] != 1;
    if (*turned && tensor->strides[1] != 1) return false;
    *ld = *turned ? tensor->strides[2] : tensor->strides[1];
    int64_t least = *turned ? tensor->dims[1] : tensor->dims[2];
    if (*ld < least) *ld = least; /* a single row */
    return true;
}

static bool shape_of(const struct dnn_spec *spec, struct shape *shape) {
    if (spec->kind == DNN_CONVOLUTION) return pixel_shape(spec, shape) && posts_of(spec, shape);
    if (spec->kind != DNN_PRODUCT || spec->out.rank != 3) return false;
    *shape = (struct shape){
        .m = spec->out.dims[1], .n = spec->out.dims[2], .k = spec->a.dims[2], .batch = spec->out.dims[0]};
    shape->a_batch = spec->a.dims[0] == 1 ? 0 : spec->a.strides[0];
    shape->b_batch = spec->b.dims[0] == 1 ? 0 : spec->b.strides[0];
    shape->out_batch = spec->out.strides[0];
    bool turned;
    return inner(&spec->a, &shape->a_turned, &shape->a_ld) &&
           inner(&spec->b, &shape->b_turned, &shape->b_ld) && inner(&spec->out, &turned, &shape->out_ld) &&
           !turned && posts_of(spec, shape);
}

size_t cuda_gemm_version(void) {
    return cublasLtGetVersion();
}

bool cuda_gemm_takes(const struct dnn_spec *spec) {
    struct shape shape;
    return shape_of(spec, &shape);
}

static cudaDataType_t type_of(enum linnet_nn_type type) {
    return type == LINNET_NN_F16 ? CUDA_R_16F : type == LINNET_NN_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static cublasStatus_t layout(cublasLtMatrixLayout_t *out, cudaDataType_t type, int64_t rows, int64_t columns,
                             int64_t ld, int64_t batch, int64_t stride) {
    int count = (int)batch;
    cublasStatus_t status = cublasLtMatrixLayoutCreate(out, type, (uint64_t)rows, (uint64_t)columns, ld);
    if (status == CUBLAS_STATUS_SUCCESS && batch > 1)
        status =
            cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count);
    if (status == CUBLAS_STATUS_SUCCESS && batch > 1)
        status = cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                                  sizeof stride);
    return status;
}

static cublasStatus_t describe(const struct dnn_spec *spec, const struct shape *shape,
                               struct cuda_gemm *gemm) {
    cudaDataType_t type = type_of(spec->out.type);
    cublasLtEpilogue_t epilogue = shape->bias >= 0
                                      ? (shape->relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
                                      : (shape->relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT);
    /* Our B is its first factor: [N, K] as it stands if our columns are the stretches, to be turned if not.
     */
    cublasOperation_t first = shape->b_turned ? CUBLAS_OP_T : CUBLAS_OP_N,
                      second = shape->a_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasStatus_t status = cublasLtMatmulDescCreate(&gemm->what, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    const struct {
        cublasLtMatmulDescAttributes_t name;
        const void *value;
        size_t size;
    } attributes[] = {{CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first},
                      {CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second},
                      {CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue},
                      {CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof type}};
    for (size_t i = 0; i < 4 && status == CUBLAS_STATUS_SUCCESS; i++)
        if (i < 3 || shape->bias >= 0)
            status = cublasLtMatmulDescSetAttribute(gemm->what, attributes[i].name, attributes[i].value,
                                                    attributes[i].size);
    int64_t b_rows = shape->b_turned ? shape->k : shape->n, b_columns = shape->b_turned ? shape->n : shape->k;
    int64_t a_rows = shape->a_turned ? shape->m : shape->k, a_columns = shape->a_turned ? shape->k : shape->m;
    if (status == CUBLAS_STATUS_SUCCESS)
        status = layout(&gemm->first, type, b_rows, b_columns, shape->b_ld, shape->batch, shape->b_batch);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = layout(&gemm->second, type, a_rows, a_columns, shape->a_ld, shape->batch, shape->a_batch);
    if (status == CUBLAS_STATUS_SUCCESS)
        status =
            layout(&gemm->added, type, shape->n, shape->m, shape->out_ld, shape->batch, shape->out_batch);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = layout(&gemm->out, type, shape->n, shape->m, shape->out_ld, shape->batch, shape->out_batch);
    gemm->residual = shape->residual;
    gemm->bias = shape->bias;
    return status;
}

void cuda_gemm_free(struct cuda_gemm *gemm) {
    if (!gemm) return;
    if (gemm->what) cublasLtMatmulDescDestroy(gemm->what);
    if (gemm->first) cublasLtMatrixLayoutDestroy(gemm->first);
    if (gemm->second) cublasLtMatrixLayoutDestroy(gemm->second);
    if (gemm->added) cublasLtMatrixLayoutDestroy(gemm->added);
    if (gemm->out) cublasLtMatrixLayoutDestroy(gemm->out);
    free(gemm);
}

static int gemm_new(const struct dnn_spec *spec, struct cuda_gemm **out, struct linnet_error *err) {
    struct shape shape;
    if (!shape_of(spec, &shape)) return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "no product of cuBLASLt's");
    struct cuda_gemm *gemm = calloc(1, sizeof *gemm);
    if (!gemm) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    cublasStatus_t status = describe(spec, &shape, gemm);
    if (status != CUBLAS_STATUS_SUCCESS) {
        cuda_gemm_free(gemm);
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "cuBLASLt: %s", cublasLtGetStatusString(status));
    }
    *out = gemm;
    return 0;
}

#define WAYS_MAX 16

int cuda_gemm_plan(const struct dnn_spec *spec, size_t workspace, size_t max, struct cuda_gemm **out,
                   size_t *count, struct linnet_error *err) {
    cublasLtMatmulHeuristicResult_t found[WAYS_MAX];
    cublasLtMatmulPreference_t preference = NULL;
    struct cuda_gemm *gemm = NULL;
    int n = 0;
    cublasLtHandle_t handle = handle_of_device();
    if (!handle) return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "cuBLASLt does not open");
    int rc = gemm_new(spec, &gemm, err);
    if (rc) return rc;
    cublasStatus_t status = cublasLtMatmulPreferenceCreate(&preference);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                      &workspace, sizeof workspace);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = cublasLtMatmulAlgoGetHeuristic(handle, gemm->what, gemm->first, gemm->second, gemm->added,
                                                gemm->out, preference, (int)(max < WAYS_MAX ? max : WAYS_MAX),
                                                found, &n);
    if (preference) cublasLtMatmulPreferenceDestroy(preference);
    cuda_gemm_free(gemm);
    size_t made = 0;
    for (int i = 0; i < n && status == CUBLAS_STATUS_SUCCESS; i++) {
        if (found[i].state != CUBLAS_STATUS_SUCCESS || gemm_new(spec, &out[made], NULL)) continue;
        out[made]->algorithm = found[i].algo;
        out[made++]->workspace = found[i].workspaceSize;
    }
    if (!made)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "cuBLASLt: %s", cublasLtGetStatusString(status));
    *count = made;
    return 0;
}

size_t cuda_gemm_workspace(const struct cuda_gemm *gemm) {
    return gemm->workspace;
}

char *cuda_gemm_save(const struct cuda_gemm *gemm) {
    size_t words = sizeof gemm->algorithm.data / sizeof *gemm->algorithm.data;
    char *text = calloc(words + 1, 17);
    int n = text ? sprintf(text, "%zu", gemm->workspace) : 0;
    for (size_t i = 0; text && i < words; i++)
        n += sprintf(text + n, " %llx", (unsigned long long)gemm->algorithm.data[i]);
    return text;
}

int cuda_gemm_load(const struct dnn_spec *spec, const char *text, struct cuda_gemm **out,
                   struct linnet_error *err) {
    struct cuda_gemm *gemm = NULL;
    char *end;
    int rc = gemm_new(spec, &gemm, err);
    if (rc) return rc;
    gemm->workspace = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof gemm->algorithm.data / sizeof *gemm->algorithm.data; i++) {
        if (*end != ' ') {
            cuda_gemm_free(gemm);
            return linnet_nn_fail(err, LINNET_E_PARSE, "no algorithm of cuBLASLt's");
        }
        gemm->algorithm.data[i] = strtoull(end, &end, 16);
    }
    *out = gemm;
    return 0;
}

int cuda_gemm_run(const struct cuda_gemm *gemm, const struct dnn_arguments *arguments, void *workspace,
                  void *stream, struct linnet_error *err) {
    float one = 1, beta = gemm->residual >= 0 ? 1 : 0;
    cublasLtHandle_t handle = handle_of_device();
    cublasLtMatmulDesc_t what = gemm->what;
    if (!handle) return linnet_nn_fail(err, LINNET_E_DEVICE, "cuBLASLt does not open any more");
    /* The bias's address is part of the description: a copy of it, for others run the same product meanwhile.
     */
    cublasLtMatmulDescOpaque_t own = *(const cublasLtMatmulDescOpaque_t *)what;
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    if (gemm->bias >= 0)
        status = cublasLtMatmulDescSetAttribute(&own, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                                &arguments->posts[gemm->bias], sizeof(void *));
    const void *added = gemm->residual >= 0 ? arguments->posts[gemm->residual] : arguments->out;
    if (status == CUBLAS_STATUS_SUCCESS)
        status = cublasLtMatmul(handle, &own, &one, arguments->b, gemm->first, arguments->a, gemm->second,
                                &beta, added, gemm->added, arguments->out, gemm->out, &gemm->algorithm,
                                workspace, gemm->workspace, stream);
    if (status == CUBLAS_STATUS_SUCCESS) return 0;
    int code = status == CUBLAS_STATUS_EXECUTION_FAILED ? LINNET_E_DEVICE : LINNET_E_INTERNAL;
    return linnet_nn_fail(err, code, "cuBLASLt: %s", cublasLtGetStatusString(status));
}
