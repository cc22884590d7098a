/* cmocka with the headers that it wants before itself, in the one order that works. */
#ifndef LINNET_TESTS_UNIT_TEST_H
#define LINNET_TESTS_UNIT_TEST_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
