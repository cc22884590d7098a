/* What the tests of convnet share: a network whose answers can be worked out by hand, its model document,
 * pictures.
 *
 * The network takes the mean of each channel of its input as embedding, and from it, by small matrices, four
 * classes, two organs and one plant logit. So a picture of one colour has known answers. */
#ifndef LINNET_TESTS_CONVNET_FIXTURE_H
#define LINNET_TESTS_CONVNET_FIXTURE_H

#include "tests/unit/plugins/fake_host.h"

#define CONVNET_OBSERVATION "01HX0000000000000000000000"
#define CONVNET_SIZE        8 /* of the network's input */
#define CONVNET_RESIZE      10

/* logits = CONVNET_WEIGHTS . means, and so on. */
extern const float convnet_class_weights[4][3];
extern const float convnet_organ_weights[2][3];
extern const float convnet_plant_weights[1][3];

/* Write the network to a new file; the caller frees the path and removes the file. */
char *convnet_network(void);
/* A model document of it: labels quercus robur, a synonym of it, none, rosa canina. */
json_t *convnet_document(const char *name, const char *created_at);
/* A host with the backbone and, where `path` is not NULL, the model "tiny@1"; not open. */
struct fake_host *convnet_host(const char *path);
/* An item of a JPEG of one colour (0..255), `size` pixels wide and high. */
struct fake_item *convnet_item(const double colour[3], int size);
/* An item of given bytes. */
struct fake_item *convnet_item_of(const void *data, size_t size);
/* The place of a taxon in a list of scores; fails if it is not there. */
double convnet_score(const json_t *document, const char *level, const char *taxon);

#endif
