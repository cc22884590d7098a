/* Where a result comes from: fingerprints of stages, digests of inputs and of results, and the members that
 * the host adds to what a plugin emits. All pure; any thread.
 *
 *   fingerprint   = SHA-256(name, output_version, canonical configuration without operational keys, plugin's
 * own text) input digest  = the document's digest, or SHA-256 of the fields that the stage says it reads
 *   result digest = SHA-256(fingerprint, and for each input in order of id: id, input digest)
 *
 * so that a result's digest changes exactly when it would have to be computed anew, and never with the bytes
 * that a device happens to compute. */
#ifndef LINNET_HOST_PROVENANCE_H
#define LINNET_HOST_PROVENANCE_H

#include <jansson.h>
#include <linnet/plugin.h>

#include "common/base/digest.h"
#include "common/base/error.h"

/* One entry of a result's "inputs". */
struct linnet_input_ref {
    const char *id; /* borrowed */
    char digest[LINNET_DIGEST_SIZE];
};

/* Who made a result. */
struct linnet_provenance {
    const char *stage;
    const char *version;
    const char *fingerprint;
    const char *device; /* NULL: not recorded */
};

/* The fingerprint of a stage. `config` must be complete (linnet_config_complete); `text` is what the plugin's
 * `fingerprint` answered, NULL or "" if it has none. LINNET_E_NOMEM. */
int linnet_fingerprint(const struct linnet_plugin *plugin, const json_t *config, const char *text,
                       char out[LINNET_DIGEST_SIZE]);
/* The digest of a document as an input of a stage. `whole` is the document's own digest, taken where the
 * stage reads all of it; `trigger` is the qualifier of the item's trigger, which "=@" in a field stands for
 * ("" if there is none). LINNET_E_NOMEM. */
int linnet_input_digest(const json_t *document, const char *whole, const struct linnet_input *input,
                        const char *trigger, char out[LINNET_DIGEST_SIZE]);
/* Is a field path of a declaration well formed? */
bool linnet_field_valid(const char *path);

/* Sort by id, as everything below wants it. */
void linnet_inputs_sort(struct linnet_input_ref *inputs, size_t n);
/* {id, digest}, a new reference; NULL: out of memory, or an id that is no UTF-8. */
json_t *linnet_input_json(const char *id, const char *digest);
/* [{id, digest}], a new reference; NULL: out of memory. */
json_t *linnet_inputs_json(const struct linnet_input_ref *inputs, size_t n);
/* Is a stored "inputs" array the same list? */
bool linnet_inputs_equal(const json_t *stored, const struct linnet_input_ref *inputs, size_t n);
/* The result digest. */
void linnet_result_digest(const char *fingerprint, const struct linnet_input_ref *inputs, size_t n,
                          char out[LINNET_DIGEST_SIZE]);
/* The result digest of a JSON array (as scope `site` gives it): checked and sorted in place. LINNET_E_INVALID
 * if it is not
 * [{id, digest}]. */
int linnet_result_digest_json(const char *fingerprint, json_t *inputs, char out[LINNET_DIGEST_SIZE]);

/* What a result says of its maker, a new reference; NULL: out of memory. It may be shared by many results:
 * nobody changes it. */
json_t *linnet_provenance_json(const struct linnet_provenance *from);
/* Complete an emitted document in place: _id, kind, stage, inputs, digest. `stage` and `inputs` are borrowed.
 * LINNET_E_INVALID in words if the plugin set one of these, or any member whose name starts with '_', itself.
 */
int linnet_result_complete(json_t *document, const char *id, const char *kind, json_t *stage, json_t *inputs,
                           const char *digest, struct linnet_error *err);

#endif
