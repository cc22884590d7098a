/* What the tests of fusion share: a small backbone, models, floras, and observations put together in a line.
 *
 * The backbone: families Aaceae and Baceae of the order Ales; in Aaceae the genera Aa (species a1, a2, a3)
 * and Ab (b1, b2); in Baceae the genus Ba (c1). Taxon ids are "taxon:" and the name in lower case
 * ("taxon:a1", "taxon:aa", "taxon:aaceae"). "taxon:old-a1" is a synonym of a1. */
#ifndef LINNET_TESTS_FUSION_FIXTURE_H
#define LINNET_TESTS_FUSION_FIXTURE_H

#include "tests/unit/plugins/fake_host.h"

#define FUSION_OBSERVATION "01HX0000000000000000000000"

/* A host with the backbone, and nothing else of linnet-reference; not open yet. `backbone` false: an empty
 * one. */
struct fake_host *fusion_host(bool backbone);
void fusion_add_model(struct fake_host *host, const char *model, const char *created_at, json_t *labels);
void fusion_add_flora(struct fake_host *host, const char *id, json_t *taxa, json_t *area);
void fusion_want(struct fake_host *host, const char *model);
/* Open with a configuration (taken over; NULL: defaults); the test fails if that fails. */
void fusion_open(struct fake_host *host, json_t *config);

/* The digest of picture number n, as text. Static, four at a time. */
const char *fusion_image(int n);

/* An observation with `n` views of the given organs ("auto" for NULL), and what is to be merged into its
 * document (taken over; may be NULL). */
struct fake_item *fusion_item(int n, const char *const *organs, json_t *more);
/* Add a prediction of view `n`: lists are written "a1=0.6 a2=0.3", any may be NULL; `more` is merged (taken
 * over; may be NULL). */
void fusion_predict(struct fake_item *item, int n, const char *model, const char *species, const char *genera,
                    const char *families, json_t *more);

/* The identification after a run that must have ended well. Borrowed. */
const json_t *fusion_run(struct fake_host *host, struct fake_item *item);
/* The score of a taxon ("a1") in one of its lists ("species"); -1 if it is not in it. */
double fusion_score(const json_t *identification, const char *list, const char *taxon);
void assert_score(const json_t *identification, const char *list, const char *taxon, double expected);
/* The best taxon is this one ("a1"; NULL: none) of this rank and score. */
void assert_best(const json_t *identification, const char *taxon, const char *rank, double score);
/* One of the sentences of "why" holds `words`. */
bool fusion_says(const json_t *identification, const char *words);

#endif
