/* Functions of one value: names and the definition in double precision. */
#include <math.h>

#include "common/nn/graph.h"

const char *linnet_nn_function_name(enum linnet_nn_function function) {
    static const char *const names[] = {
        [LINNET_NN_RELU] = "Relu",
        [LINNET_NN_LEAKY_RELU] = "LeakyRelu",
        [LINNET_NN_CLIP] = "Clip",
        [LINNET_NN_SIGMOID] = "Sigmoid",
        [LINNET_NN_HARD_SIGMOID] = "HardSigmoid",
        [LINNET_NN_HARD_SWISH] = "HardSwish",
        [LINNET_NN_SWISH] = "Swish",
        [LINNET_NN_TANH] = "Tanh",
        [LINNET_NN_ELU] = "Elu",
        [LINNET_NN_LINEAR] = "Linear",
        [LINNET_NN_SQRT] = "Sqrt",
        [LINNET_NN_EXP] = "Exp",
        [LINNET_NN_ABS] = "Abs",
        [LINNET_NN_ERF] = "Erf",
        [LINNET_NN_GELU] = "Gelu",
        [LINNET_NN_GELU_TANH] = "GeluTanh",
        [LINNET_NN_POW] = "Pow",
    };
    return (size_t)function < sizeof names / sizeof *names ? names[function] : "unknown";
}

static double clamp(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}

double linnet_nn_function_apply(const struct linnet_nn_unary *unary, double x) {
    double alpha = (double)unary->alpha, beta = (double)unary->beta;
    switch (unary->function) {
    case LINNET_NN_RELU:
        return fmax(x, 0);
    case LINNET_NN_LEAKY_RELU:
        return x > 0 ? x : alpha * x;
    case LINNET_NN_CLIP:
        return clamp(x, alpha, beta);
    case LINNET_NN_SIGMOID:
        return 1 / (1 + exp(-x));
    case LINNET_NN_HARD_SIGMOID:
        return clamp(alpha * x + beta, 0, 1);
    case LINNET_NN_HARD_SWISH:
        return x * clamp(x / 6 + 0.5, 0, 1);
    case LINNET_NN_SWISH:
        return x / (1 + exp(-alpha * x));
    case LINNET_NN_TANH:
        return tanh(x);
    case LINNET_NN_ELU:
        return x > 0 ? x : alpha * expm1(x);
    case LINNET_NN_LINEAR:
        return alpha * x + beta;
    case LINNET_NN_SQRT:
        return sqrt(x);
    case LINNET_NN_EXP:
        return exp(x);
    case LINNET_NN_ABS:
        return fabs(x);
    case LINNET_NN_ERF:
        return erf(x);
    case LINNET_NN_GELU:
        return x * (1 + erf(x * M_SQRT1_2)) / 2;
    case LINNET_NN_GELU_TANH:
        return x * (1 + tanh(M_2_SQRTPI * M_SQRT1_2 * (x + 0.044715 * x * x * x))) / 2;
    case LINNET_NN_POW:
        return pow(x, alpha);
    }
    return NAN;
}
