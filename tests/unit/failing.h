/* Memory that runs out on purpose: does everything fail cleanly when the n-th allocation does, for every n?
 *
 * A test that uses this is linked with linnet_failing_memory(<target>), which puts malloc, calloc, realloc,
 * strdup, strndup and free of Linnet's own code through here; jansson's are put through by failing_init().
 * What other libraries allocate for themselves is left alone. One thread. */
#ifndef LINNET_TESTS_UNIT_FAILING_H
#define LINNET_TESTS_UNIT_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* Before anything is allocated by jansson. */
void failing_init(void);
/* Let the n-th allocation from now fail (1: the next), and that one alone. 0: none. */
void failing_arm(size_t n);
/* Between failing_hold(true) and failing_hold(false) nothing fails and nothing is counted towards n: what
 * only prepares or ends the thing that is tried. */
void failing_hold(bool hold);
/* Has it come to that? Disarms. */
bool failing_disarm(void);
/* Blocks that are allocated now. */
size_t failing_blocks(void);

/* Run `body(arg)` with the first allocation failing, then the second, and so on, until none fails any more.
 * It returns 0 or an error code and leaves nothing allocated. Every run in which one failed must return
 * LINNET_E_NOMEM, or 0 where `tolerant` says that it can do without (a reserve that is only for speed).
 * Returns how many allocations there were. */
size_t failing_each(int (*body)(void *arg), void *arg, bool tolerant);

#endif
