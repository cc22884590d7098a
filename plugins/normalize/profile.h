/* Is an ICC profile sRGB? Most cameras embed it, and converting a picture from sRGB to itself would be a
 * fifth of the work. */
#ifndef LINNET_NORMALIZE_PROFILE_H
#define LINNET_NORMALIZE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

/* True if a profile's three primaries (as ICC.1:2022 has them, adapted to D50) and its tone curves are sRGB's
 * (IEC 61966-2-1), closer than 8 bits can tell. False for all else, for damaged ones too. Any thread. */
bool normalize_profile_is_srgb(const void *profile, size_t size);

#endif
