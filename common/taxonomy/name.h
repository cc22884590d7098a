/* Scientific names as people write them, made comparable. */
#ifndef LINNET_TAXONOMY_NAME_H
#define LINNET_TAXONOMY_NAME_H

#include <stdbool.h>

#include "common/base/buf.h"

/* Append the name in lower case (ASCII and Latin-1), spaces collapsed, a hybrid sign ("x", "X" or the
 * multiplication sign) apart and as the sign. LINNET_E_NOMEM. */
int linnet_name_fold(const char *name, struct linnet_buf *out);
/* Append the folded name without the authors in it: "Quercus robur L. subsp. pedunculiflora (K.Koch)
 * Menitsky" gives "quercus robur subsp. pedunculiflora". Which words are authors is told by their capitals.
 * LINNET_E_NOMEM. */
int linnet_name_without_authors(const char *name, struct linnet_buf *out);
/* Append the name as it is searched: words of small letters without accents, divided by single spaces. Latin
 * letters lose their accents (and ligatures come apart), Greek and Cyrillic ones their capitals; a hybrid
 * sign is the word "x"; apostrophes and dots go, other punctuation divides words. Idempotent.
 * LINNET_E_NOMEM. */
int linnet_name_simplify(const char *name, struct linnet_buf *out);
/* Are two authorships the same but for case, spaces and dots? */
bool linnet_name_same_authors(const char *a, const char *b);

#endif
