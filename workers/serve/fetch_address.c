#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "workers/serve/fetch.h"

bool serve_host_allowed(const json_t *hosts, const char *host) {
    size_t i, size = strlen(host);
    const json_t *one;
    json_array_foreach(hosts, i, one) {
        const char *allowed = json_string_value(one);
        size_t n = allowed != NULL ? strlen(allowed) : 0;
        if (n == 0) continue;
        if (strcasecmp(allowed, host) == 0) return true;
        if (allowed[0] == '.' && size > n && strcasecmp(host + size - n, allowed) == 0) return true;
    }
    return false;
}

static bool public4(uint32_t address) {
    static const struct {
        uint32_t network;
        int bits;
    } special[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
        {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
        {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if ((address ^ special[i].network) >> (32 - special[i].bits) == 0) return false;
    return true;
}

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Only global unicast (2000::/3), without documentation and what carries an IPv4 address in it, which is
 * judged itself. */
static bool public6(const uint8_t bytes[16]) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
                         nat64[12] = {0, 0x64, 0xff, 0x9b};
    if (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, nat64, 12) == 0) return public4(word(bytes + 12));
    if ((bytes[0] & 0xe0) != 0x20) return false;
    if (bytes[0] == 0x20 && bytes[1] == 0x02) return public4(word(bytes + 2)); /* 6to4 */
    if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 2)
        return false; /* 2001::/23: Teredo and other protocols */
    return !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8);
}

bool serve_address_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return public4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return public6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return false;
}
