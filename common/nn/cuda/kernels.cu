// The kernels on the GPU and on the host: kernels_body.cuh spread over threads.
#include "common/nn/cuda/kernels_body.cuh"

#define THREADS     256
#define DEPTH_TILE  4
#define BLOCKS_MOST (1 << 20)

// Memory of a launch travels with it, so that a CUDA graph keeps it.
struct bound {
    cuda_kernel kernel;
    void *memory[KERNEL_OPERANDS_MAX + 1];
};

struct host_team {
    BODY int lane() const { return 0; }
    BODY int size() const { return 1; }
    BODY float all(int, float value) const { return value; }
};

// A warp.
struct warp_team {
    __device__ int lane() const { return threadIdx.x % 32; }
    __device__ int size() const { return 32; }
    __device__ float all(int kind, float value) const {
        for (int step = 16; step; step /= 2) value = reduce_two(kind, value, __shfl_xor_sync(0xffffffffu, value, step));
        return value;
    }
};

// A column of a block: threads with the same x, so that neighbours in x read neighbouring memory.
struct column_team {
    float *shared; // blockDim.x * blockDim.y
    __device__ int lane() const { return threadIdx.y; }
    __device__ int size() const { return blockDim.y; }
    __device__ float all(int kind, float value) const {
        __syncthreads();
        shared[threadIdx.y * blockDim.x + threadIdx.x] = value;
        for (int step = blockDim.y / 2; step; step /= 2) {
            __syncthreads();
            if (threadIdx.y < step) {
                float *at = &shared[threadIdx.y * blockDim.x + threadIdx.x];
                *at = reduce_two(kind, *at, at[step * blockDim.x]);
            }
        }
        __syncthreads();
        return shared[threadIdx.x];
    }
};

// How many calls of the body there are.
static __host__ __device__ int64_t calls_of(const cuda_kernel &k) {
    int64_t count = 1;
    switch (k.kind) {
    case KERNEL_PACK: return k.dims[0] * k.dims[1] * k.dims[2];
    case KERNEL_DEPTHWISE: return k.dims[0] * k.dims[1] * ((k.dims[2] + DEPTH_TILE - 1) / DEPTH_TILE) * (k.dims[3] / k.width);
    case KERNEL_REDUCE:
        for (int d = 0; d < k.kept; d++) count *= k.dims[d];
        return count / k.width;
    case KERNEL_SOFTMAX:
    case KERNEL_LAYER_NORM:
        for (int d = 0; d + 1 < k.rank; d++) count *= k.dims[d];
        return count;
    case KERNEL_SMALL: return k.dims[0] * k.dims[1];
    default:
        for (int d = 0; d < k.rank; d++) count *= k.dims[d];
        return count / k.width;
    }
}

// Bodies where every thread is alone.
template <int W> BODY void alone(const cuda_kernel &k, void *const *memory, int64_t index) {
    switch (k.kind) {
    case KERNEL_MAP: map_body<W>(k, memory, index); break;
    case KERNEL_FILL: fill_body<W>(k, memory, index); break;
    case KERNEL_PACK: pack_body(k, memory, index); break;
    case KERNEL_POOL: pool_body<W>(k, memory, index); break;
    case KERNEL_DEPTHWISE: depthwise_body<W, DEPTH_TILE>(k, memory, index); break;
    default: break;
    }
}

// One kernel for each kind: the switch is resolved where it is compiled.
template <int KIND, int W> __global__ void __launch_bounds__(THREADS) each_thread(const __grid_constant__ bound b, int64_t count) {
    for (int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; i < count; i += (int64_t)gridDim.x * blockDim.x) {
        if (KIND == KERNEL_MAP) map_body<W>(b.kernel, b.memory, i);
        if (KIND == KERNEL_FILL) fill_body<W>(b.kernel, b.memory, i);
        if (KIND == KERNEL_PACK) pack_body(b.kernel, b.memory, i);
        if (KIND == KERNEL_POOL) pool_body<W>(b.kernel, b.memory, i);
        if (KIND == KERNEL_DEPTHWISE) depthwise_body<W, DEPTH_TILE>(b.kernel, b.memory, i);
    }
}

template <int KIND> __global__ void __launch_bounds__(THREADS) each_warp(const __grid_constant__ bound b, int64_t count) {
    int64_t warps = (int64_t)gridDim.x * blockDim.x / 32;
    for (int64_t i = (blockIdx.x * (int64_t)blockDim.x + threadIdx.x) / 32; i < count; i += warps) {
        if (KIND == KERNEL_SOFTMAX) softmax_body(b.kernel, b.memory, i, warp_team());
        if (KIND == KERNEL_LAYER_NORM) layer_norm_body(b.kernel, b.memory, i, warp_team());
        if (KIND == KERNEL_SMALL) small_body(b.kernel, b.memory, i, warp_team());
    }
}

template <int W> __global__ void __launch_bounds__(THREADS) each_column(const __grid_constant__ bound b, int64_t count) {
    __shared__ float shared[THREADS];
    column_team team = {shared};
    // Threads beyond the end take the last column once more: all of a block have to meet.
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    reduce_body<W>(b.kernel, b.memory, i < count ? i : count - 1, team);
}

template <int KIND> static void launch_each(const bound &b, int64_t count, cudaStream_t stream) {
    int64_t blocks = (count + THREADS - 1) / THREADS;
    unsigned grid = (unsigned)(blocks < BLOCKS_MOST ? blocks : BLOCKS_MOST);
    if (b.kernel.width == 8)
        each_thread<KIND, 8><<<grid, THREADS, 0, stream>>>(b, count);
    else
        each_thread<KIND, 1><<<grid, THREADS, 0, stream>>>(b, count);
}

template <int KIND> static void launch_warps(const bound &b, int64_t count, cudaStream_t stream) {
    int64_t blocks = (count * 32 + THREADS - 1) / THREADS;
    each_warp<KIND><<<(unsigned)(blocks < BLOCKS_MOST ? blocks : BLOCKS_MOST), THREADS, 0, stream>>>(b, count);
}

// Wide where there are many columns, deep where there are few.
static void launch_columns(const bound &b, int64_t count, cudaStream_t stream) {
    int64_t many = 1;
    for (int d = b.kernel.kept; d < b.kernel.rank; d++) many *= b.kernel.dims[d];
    unsigned wide = count < 8 ? 4 : count < 64 ? 8 : 32;
    while (wide > 4 && count / wide < 264 && many > THREADS / wide) wide /= 2;
    dim3 block(wide, THREADS / wide);
    unsigned grid = (unsigned)((count + wide - 1) / wide);
    if (b.kernel.width == 8)
        each_column<8><<<grid, block, 0, stream>>>(b, count);
    else
        each_column<1><<<grid, block, 0, stream>>>(b, count);
}

extern "C" int cuda_kernel_launch(const struct cuda_kernel *kernel, void *const *memory, void *stream) {
    cudaStream_t on = (cudaStream_t)stream;
    bound b = {*kernel, {}};
    for (int i = 0; i <= KERNEL_OPERANDS_MAX; i++) b.memory[i] = memory[i];
    int64_t count = calls_of(*kernel);
    if (!count) return 0;
    switch (kernel->kind) {
    case KERNEL_MAP: launch_each<KERNEL_MAP>(b, count, on); break;
    case KERNEL_FILL: launch_each<KERNEL_FILL>(b, count, on); break;
    case KERNEL_PACK: launch_each<KERNEL_PACK>(b, count, on); break;
    case KERNEL_POOL: launch_each<KERNEL_POOL>(b, count, on); break;
    case KERNEL_DEPTHWISE: launch_each<KERNEL_DEPTHWISE>(b, count, on); break;
    case KERNEL_REDUCE: launch_columns(b, count, on); break;
    case KERNEL_SOFTMAX: launch_warps<KERNEL_SOFTMAX>(b, count, on); break;
    case KERNEL_LAYER_NORM: launch_warps<KERNEL_LAYER_NORM>(b, count, on); break;
    case KERNEL_SMALL: launch_warps<KERNEL_SMALL>(b, count, on); break;
    }
    return (int)cudaGetLastError();
}

extern "C" void cuda_kernel_host(const struct cuda_kernel *kernel, void *const *memory) {
    const cuda_kernel &k = *kernel;
    host_team team;
    int64_t count = calls_of(k);
    for (int64_t i = 0; i < count; i++) {
        if (k.kind == KERNEL_REDUCE && k.width == 8) reduce_body<8>(k, memory, i, team);
        else if (k.kind == KERNEL_REDUCE) reduce_body<1>(k, memory, i, team);
        else if (k.kind == KERNEL_SOFTMAX) softmax_body(k, memory, i, team);
        else if (k.kind == KERNEL_LAYER_NORM) layer_norm_body(k, memory, i, team);
        else if (k.kind == KERNEL_SMALL) small_body(k, memory, i, team);
        else if (k.width == 8) alone<8>(k, memory, i);
        else alone<1>(k, memory, i);
    }
}
