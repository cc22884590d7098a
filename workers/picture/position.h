/* Does a picture tell where it was taken? Read from its metadata alone: no pixel is looked at. */
#ifndef LINNET_PICTURE_POSITION_H
#define LINNET_PICTURE_POSITION_H

#include <stdbool.h>
#include <stddef.h>

/* True where a JPEG, PNG or WebP file in memory carries a position, or what may hold one that is not read here:
 * EXIF with a GPS directory, XMP with GPS properties, a raw EXIF profile as text, the film of a motion photo. A
 * damaged file is read as far as it goes; another format never says yes. Foreign input. Any thread. */
bool linnet_picture_has_position(const void *data, size_t size);

#endif
