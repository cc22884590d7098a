/* What every fuzz target has: the function that libFuzzer calls, and claims that must hold. */
#ifndef LINNET_TESTS_FUZZ_FUZZ_H
#define LINNET_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* A claim that no input may break; a broken one is a finding. */
#define HOLD(condition)                                                                                      \
    do                                                                                                       \
        if (!(condition)) abort();                                                                           \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
