/* MD5 (RFC 1321): CouchDB names attachments by it. Integrity in transit only, never identity or security. Any
 * thread. */
#ifndef LINNET_WORKER_MD5_H
#define LINNET_WORKER_MD5_H

#include <stddef.h>
#include <stdint.h>

void linnet_md5(const void *data, size_t size, uint8_t out[16]);

#endif
