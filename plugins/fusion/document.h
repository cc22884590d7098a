/* The document of an identification. */
#ifndef LINNET_FUSION_DOCUMENT_H
#define LINNET_FUSION_DOCUMENT_H

#include "plugins/fusion/fuse.h"

/* A new reference to the identification's body (schemas/identification.schema.json), scores rounded to six
 * places; NULL: out of memory. Besides what the schema asks for it holds "floras" where several were joined,
 * and "why": sentences for people where something is not as one would expect. */
json_t *fusion_document(const struct fusion_config *config, const struct fusion_views *views,
                        const struct fusion_selection *selection, const struct fusion_fused *fused);

#endif
