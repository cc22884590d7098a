/* What a model document says, made ready for use: which output is what, what each class stands for. Immutable
 * once read. */
#ifndef LINNET_CONVNET_MODEL_H
#define LINNET_CONVNET_MODEL_H

#include <linnet/plugin.h>

#include "common/nn/nn.h"
#include "common/taxonomy/taxonomy.h"
#include "plugins/convnet/picture.h"

#define CONVNET_ORGANS_MAX 16
#define CONVNET_NAME_MAX   132 /* <name>@<version> and a NUL */
#define CONVNET_NONE       UINT32_MAX

/* The three levels that scores are given at. */
enum convnet_level { CONVNET_SPECIES, CONVNET_GENUS, CONVNET_FAMILY, CONVNET_LEVELS };

/* The taxa of one level: each class belongs to one of them or to none. */
struct convnet_taxa {
    const char **ids; /* owned list; strings of the document or the taxonomy */
    uint32_t count;
    uint32_t *of_class; /* for each class an index into ids, or CONVNET_NONE */
};

struct convnet_model {
    char name[CONVNET_NAME_MAX]; /* <name>@<version> */
    json_t *document;            /* a reference */
    const char *file;            /* path of model.onnx; the host's */
    char digest[65];             /* of the network, and of all in the document that shapes results */
    struct convnet_preprocess preprocess;
    size_t classes;
    struct convnet_taxa taxa[CONVNET_LEVELS];
    const char *organs[CONVNET_ORGANS_MAX];
    size_t norgans;
    float temperature;
    const char *species, *organ, *plant, *embedding; /* names of outputs; NULL: it has none */
    const char *input;
};

/* Which model a configuration means: "active" (that of wanted:convnet, else the newest) or <name>@<version>.
 * 0, or -1 with a sentence in why that says what to do. */
int convnet_model_choose(const struct linnet_host *host, const char *wanted, char name[CONVNET_NAME_MAX],
                         char *why, size_t size);
/* Read the document of a model. The caller frees. 0, or -1 with a sentence in why. */
int convnet_model_open(const struct linnet_host *host, const char *name, struct convnet_model **out,
                       char *why, size_t size);
void convnet_model_free(struct convnet_model *model);

#endif
