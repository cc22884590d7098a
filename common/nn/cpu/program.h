/* A program of the CPU backend: for each batch bucket a plan, which is steps over buffers; constants shared
 * by all of them. Internal to common/nn/cpu. */
#ifndef LINNET_NN_CPU_PROGRAM_H
#define LINNET_NN_CPU_PROGRAM_H

#include "common/nn/backend.h"
#include "common/nn/cpu/dnn.h"

#define CPU_ALIGN 64

/* A stretch of memory. */
enum cpu_memory {
    CPU_ARENA,    /* of the session, at `offset` */
    CPU_CONSTANT, /* `constant` */
    CPU_INPUT,    /* the caller's, port `port` */
    CPU_OUTPUT
};
struct cpu_buffer {
    enum cpu_memory memory;
    size_t bytes;
    uint32_t first, last; /* steps */
    size_t offset;
    void *constant;              /* the program's, or */
    struct linnet_nn_data *data; /* the graph's own values, which the program keeps once a step reads them */
    uint32_t port;
};

/* A tensor's elements: a buffer and how they lie in it. The layout is the plan's. */
struct cpu_place {
    uint32_t buffer;
    const struct dnn_layout *layout;
};

struct cpu_argument {
    int role;
    struct cpu_place place;
};

enum cpu_step_kind {
    CPU_RUN,       /* `op` */
    CPU_FILL,      /* DESTINATION with `value` */
    CPU_BROADCAST, /* arithmetic that oneDNN does not do: SOURCE, SOURCE_1, DESTINATION, all plain */
    CPU_FUNCTION   /* `unary`, which oneDNN does not have: SOURCE, DESTINATION, both plain */
};
struct cpu_step {
    enum cpu_step_kind kind;
    struct dnn_op *op;              /* owned */
    struct cpu_argument *arguments; /* owned */
    int narguments;
    float value;
    enum linnet_nn_arithmetic arithmetic;
    struct linnet_nn_unary unary;
    uint32_t node; /* that it belongs to; LINNET_NN_NONE: none */
    char name[96]; /* of that node, for people */
    double flops;  /* the node's, where this is its step of operations; for one sample */
};

struct cpu_plan {
    unsigned batch;
    struct cpu_buffer *buffers;
    struct cpu_step *steps;
    struct dnn_layout **layouts; /* owned: all that the plan refers to */
    uint32_t nbuffers, nsteps, nlayouts;
    size_t arena, scratch; /* bytes */
};

/* A constant in the order that an operation wants, made once and shared by the plans. */
struct cpu_constant {
    const void *source;           /* identity: where the values came from (NULL: gone), in which layout, */
    struct dnn_layout *from, *to; /* and in which they are; owned */
    void *memory;                 /* owned */
    bool passing;                 /* only made to be reordered: goes after compiling if no step reads it */
};

struct linnet_nn_program {
    struct linnet_nn_target target;
    struct cpu_plan *plans; /* one for each bucket */
    size_t nplans, ninputs, noutputs;
    struct cpu_constant *constants;
    size_t nconstants;
    struct linnet_nn_data **kept; /* references of values that steps read as they are */
    size_t nkept;
    char device[96];
};

/* lower.c: fill the plans (zeroed but for their batches) with the steps of a graph, node by node. Constants
 * of the graph that no later node reads are given back on the way. On failure what is there is freed by
 * cpu_plan_done. */
int cpu_lower(struct linnet_nn_program *program, struct linnet_nn_graph *graph, struct linnet_error *err);
void cpu_plan_done(struct cpu_plan *plan);
/* After the last plan: constants that no step reads go. */
void cpu_constants_settle(struct linnet_nn_program *program);
void cpu_constants_done(struct linnet_nn_program *program);

/* kernels.c: the steps that are ours. Types F32 or BF16. */
void cpu_fill(void *memory, enum linnet_nn_type type, size_t count, float value);
void cpu_apply(const struct linnet_nn_unary *unary, enum linnet_nn_type type, size_t count, const void *from,
               void *to);
/* out = a op b by NumPy's broadcasting; shapes of one rank, all plain. */
void cpu_broadcast(enum linnet_nn_arithmetic kind, int rank, const void *a, const int64_t *a_dims,
                   enum linnet_nn_type a_type, const void *b, const int64_t *b_dims,
                   enum linnet_nn_type b_type, void *out, const int64_t *out_dims,
                   enum linnet_nn_type out_type);

#endif
