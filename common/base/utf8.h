/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LINNET_BASE_UTF8_H
#define LINNET_BASE_UTF8_H

#include <stddef.h>

/* How many bytes (1 to 4) the code point at `text` has, `size` bytes being there; 0 if they are no UTF-8. Any
 * thread. */
size_t linnet_utf8_next(const char *text, size_t size);
/* The number of code points of a terminated text; a byte that is no UTF-8 counts as one. Any thread. */
size_t linnet_utf8_count(const char *text);

#endif
