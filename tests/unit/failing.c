#include "tests/unit/failing.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#include "common/base/error.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_free(void *block);

static size_t blocks, countdown;
static bool failed, held;

static bool fails(void) {
    if (held || !countdown || --countdown) return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

static void *count(void *block) {
    blocks += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t count_, size_t size) {
    return fails() ? NULL : count(__real_calloc(count_, size));
}

void *__wrap_realloc(void *block, size_t size) {
    if (fails()) return NULL;
    void *grown = __real_realloc(block, size);
    return block ? grown : count(grown);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : count(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t size) {
    return fails() ? NULL : count(__real_strndup(text, size));
}

void __wrap_free(void *block) {
    blocks -= block != NULL;
    __real_free(block);
}

void failing_init(void) {
    json_object_seed(1); /* else jansson reads a seed at some allocation in the middle of a test */
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

void failing_arm(size_t n) {
    countdown = n;
    failed = false;
}

void failing_hold(bool hold) {
    held = hold;
}

bool failing_disarm(void) {
    countdown = 0;
    return failed;
}

size_t failing_blocks(void) {
    return blocks;
}

size_t failing_each(int (*body)(void *arg), void *arg, bool tolerant) {
    for (size_t n = 1;; n++) {
        size_t before = blocks;
        failing_arm(n);
        int rc = body(arg);
        bool short_of_memory = failing_disarm();
        if (blocks != before) fail_msg("allocation %zu: %zd blocks were left", n, (ssize_t)(blocks - before));
        if (!short_of_memory) {
            assert_int_equal(rc, 0);
            return n - 1;
        }
        if (rc != LINNET_E_NOMEM && !(tolerant && rc == 0))
            fail_msg("allocation %zu: returned %d (%s)", n, rc, linnet_error_name(rc));
    }
}
