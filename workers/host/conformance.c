#include "workers/host/conformance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/host/conformance_rig.h"

#define DEFAULT_TIMEOUT_MS 120000
#define OUTPUT_SIZE        4096

static const struct check {
    const char *name, *holds;
    linnet_check *run; /* NULL: the parent's own */
    bool essential;    /* without it the rest makes no sense */
} checks[] = {
    {"opens", "The declaration is sound and an instance opens with this configuration.", linnet_check_opens,
     true},
    {"unknown_key", "A configuration key that it does not know is refused.", linnet_check_unknown_key, false},
    {"open_close",
     "Opening and closing leaves no descriptor and no thread behind, and the fingerprint stays.",
     linnet_check_open_close, false},
    {"items", "The samples make items, and what it emits for them fits the schemas.", linnet_check_items,
     true},
    {"exactly_once", "Every item of every batch is finished exactly once.", linnet_check_exactly_once, false},
    {"borrowed", "It changes nothing that it is given, and keeps no reference past the end.",
     linnet_check_borrowed, false},
    {"batches", "The outputs do not depend on the size of the batch or on the instance.",
     linnet_check_batches, false},
    {"optional", "It does without the inputs that it calls optional.", linnet_check_optional, false},
    {"bad_blobs", "Empty, cut and garbled attachments are refused in words.", linnet_check_bad_blobs, false},
    {"bad_documents", "Documents with members that are missing, huge or of the wrong type do no harm.",
     linnet_check_bad_documents, false},
    {"deadline", "A batch is done within its deadline.", linnet_check_deadline, false},
    {"memory", "It needs no more memory with every item.", linnet_check_memory, false},
    {"redelivery", "A document delivered twice changes nothing (scope site).", linnet_check_redelivery,
     false},
    {"tombstones", "Tombstones, of documents never seen too, do no harm (scope site).",
     linnet_check_tombstones, false},
    {"state", "What it saved at a position comes back with that position (scope site).", linnet_check_state,
     false},
    {"writes", "It writes no file outside its state folder.", NULL, false},
};
#define NCHECKS (sizeof(checks) / sizeof(checks[0]))

const char *linnet_conformance_name(size_t index) {
    return index < NCHECKS ? checks[index].name : NULL;
}

const char *linnet_conformance_holds(size_t index) {
    return index < NCHECKS ? checks[index].holds : NULL;
}

/* ---- the folders that a check lives in ---- */

static const char *const folders[] = {"work", "home", "tmp", "state"};
enum { NWATCHED = 3 }; /* the first three must stay empty */

static int make_folders(const char *root) {
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        if (mkdir(path, 0700) && errno != EEXIST) return LINNET_E_IO;
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_folder(const char *root, const char *name) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The first file that a check left where none should be. */
static bool find_stray(const char *root, char *out, size_t size) {
    for (size_t i = 0; i < NWATCHED; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        DIR *dir = opendir(path);
        for (struct dirent *entry; dir && (entry = readdir(dir));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            snprintf(out, size, "%.200s in %s", entry->d_name,
                     i == 0   ? "the working folder"
                     : i == 1 ? "the home folder"
                              : "TMPDIR");
            closedir(dir);
            return true;
        }
        if (dir) closedir(dir);
    }
    return false;
}

/* ---- the child ---- */

static void enter(const char *root) {
    static const char *const variables[][2] = {{"HOME", "home"},           {"TMPDIR", "tmp"},
                                               {"XDG_CACHE_HOME", "home"}, {"XDG_CONFIG_HOME", "home"},
                                               {"XDG_DATA_HOME", "home"},  {"XDG_STATE_HOME", "home"}};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, variables[i][1]);
        setenv(variables[i][0], path, 1);
    }
    snprintf(path, sizeof(path), "%s/work", root);
    if (chdir(path)) _exit(3);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void run_child(const struct check *check, const struct linnet_conformance_options *options,
                      const char *root, struct linnet_check_slate *slate, int output) {
    struct linnet_rig rig = {.options = options, .slate = slate};
    enter(root);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    linnet_log_setup(LINNET_DEBUG, 1, STDERR_FILENO);
    snprintf(rig.state_dir, sizeof(rig.state_dir), "%s/state", root);
    if (check->run(&rig)) slate->status = LINNET_CHECK_PASSED;
    /* Not _exit: what the plugin's own library does at exit is part of what it is. */
    exit(slate->status == LINNET_CHECK_NONE ? 3 : 0);
}

/* ---- the parent ---- */

/* Wait for the child's end of the pipe, at most so long. False: it had to be killed. */
static bool await(pid_t child, int pipe, unsigned timeout_ms, int *status) {
    struct pollfd poller = {.fd = pipe, .events = POLLIN};
    int64_t until = linnet_time_monotonic() + timeout_ms;
    bool ended = false;
    for (int64_t now; !ended && (now = linnet_time_monotonic()) < until;) {
        int n = poll(&poller, 1, (int)(until - now));
        ended = n > 0; /* nobody writes: it is the end */
        if (n < 0 && errno != EINTR) break;
    }
    if (!ended) kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR) {
    }
    return ended;
}

static void judge(struct linnet_check_slate *slate, bool ended, int status, unsigned timeout_ms) {
    const char *phase = *slate->phase ? slate->phase : "it was being loaded";
    if (!ended) {
        slate->status = LINNET_CHECK_FAILED;
        snprintf(slate->words, sizeof(slate->words), "it did not end within %u s, while %s",
                 timeout_ms / 1000, phase);
    } else if (WIFSIGNALED(status)) {
        slate->status = LINNET_CHECK_FAILED;
        snprintf(slate->words, sizeof(slate->words), "it crashed (%s), while %s", strsignal(WTERMSIG(status)),
                 phase);
    } else if (slate->status == LINNET_CHECK_NONE ||
               (WEXITSTATUS(status) && slate->status == LINNET_CHECK_PASSED)) {
        slate->status = LINNET_CHECK_FAILED;
        snprintf(slate->words, sizeof(slate->words), "it ended the process (exit status %d), while %s",
                 WEXITSTATUS(status), phase);
    }
}

static int run_check(const struct check *check, const struct linnet_conformance_options *options,
                     const char *root, struct linnet_check_slate *slate, int output) {
    unsigned timeout = options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    int ends[2];
    if (make_folders(root) || pipe2(ends, O_CLOEXEC)) return LINNET_E_IO;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return LINNET_E_IO;
    }
    if (child == 0) {
        close(ends[0]);
        run_child(check, options, root, slate, output);
    }
    close(ends[1]);
    int status = 0;
    bool ended = await(child, ends[0], timeout, &status);
    close(ends[0]);
    judge(slate, ended, status, timeout);
    return 0;
}

struct suite {
    const struct linnet_conformance_options *options;
    char root[64];
    struct linnet_check_slate *slate;
    int output;
    char text[OUTPUT_SIZE + 1];
    char fingerprint[65]; /* of the first check that opened a stage */
    char stray[512];
    const char *stopped; /* the essential check that did not pass */
    size_t failed;
};

/* The last of what was written to `output`, which is emptied. */
static void read_output(struct suite *suite) {
    off_t size = lseek(suite->output, 0, SEEK_END);
    off_t start = size > OUTPUT_SIZE ? size - OUTPUT_SIZE : 0;
    ssize_t n = pread(suite->output, suite->text, OUTPUT_SIZE, start);
    suite->text[n > 0 ? n : 0] = '\0';
    if (ftruncate(suite->output, 0) == 0) lseek(suite->output, 0, SEEK_SET);
}

static void after_check(struct suite *suite) {
    struct linnet_check_slate *slate = suite->slate;
    char stray[300];
    if (!*suite->stray && find_stray(suite->root, stray, sizeof(stray)))
        snprintf(suite->stray, sizeof(suite->stray), "it left %s", stray);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        remove_folder(suite->root, folders[i]);
    if (!*slate->fingerprint) return;
    if (!*suite->fingerprint) memcpy(suite->fingerprint, slate->fingerprint, sizeof(suite->fingerprint));
    if (slate->status == LINNET_CHECK_PASSED && strcmp(suite->fingerprint, slate->fingerprint) != 0) {
        slate->status = LINNET_CHECK_FAILED;
        snprintf(slate->words, sizeof(slate->words), "its fingerprint is another in another process");
    }
}

static int one(struct suite *suite, const struct check *check) {
    struct linnet_check_slate *slate = suite->slate;
    int64_t start = linnet_time_monotonic();
    int rc = 0;
    memset(slate, 0, sizeof(*slate));
    suite->text[0] = '\0';
    if (suite->stopped) {
        slate->status = LINNET_CHECK_SKIPPED;
        snprintf(slate->words, sizeof(slate->words), "needs \"%s\"", suite->stopped);
    } else if (check->run) {
        rc = run_check(check, suite->options, suite->root, slate, suite->output);
        read_output(suite);
        after_check(suite);
    } else {
        slate->status = *suite->stray ? LINNET_CHECK_FAILED : LINNET_CHECK_PASSED;
        snprintf(slate->words, sizeof(slate->words), "%s", suite->stray);
    }
    if (rc) return rc;
    suite->failed += slate->status == LINNET_CHECK_FAILED;
    if (check->essential && slate->status != LINNET_CHECK_PASSED) suite->stopped = check->name;
    struct linnet_check_result result = {check->name,   check->holds,
                                         slate->status, slate->words,
                                         suite->text,   (double)(linnet_time_monotonic() - start) / 1e3};
    if (suite->options->report) suite->options->report(suite->options->arg, &result);
    return 0;
}

static int run_suite(struct suite *suite, struct linnet_error *err) {
    int rc = 0;
    bool any = false;
    for (size_t i = 0; !rc && i < NCHECKS; i++) {
        if (suite->options->only && strcmp(suite->options->only, checks[i].name) != 0) continue;
        any = true;
        rc = one(suite, &checks[i]);
    }
    if (rc) return linnet_error_set(err, rc, "no process can be started for a check: %s", strerror(errno));
    return any ? 0
               : linnet_error_set(err, LINNET_E_NOT_FOUND, "there is no check \"%s\"", suite->options->only);
}

int linnet_conformance_run(const struct linnet_conformance_options *options, size_t *failed,
                           struct linnet_error *err) {
    struct suite suite = {.root = "/tmp/linnet-check-XXXXXX", .output = -1};
    struct linnet_conformance_options absolute = *options;
    char *path = realpath(options->path, NULL);
    if (!path) return linnet_error_set(err, LINNET_E_NOT_FOUND, "%s: %s", options->path, strerror(errno));
    absolute.path = path;
    suite.options = &absolute;
    suite.slate = mmap(NULL, sizeof(*suite.slate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    suite.output = memfd_create("linnet-check", MFD_CLOEXEC);
    int rc;
    if (suite.slate == MAP_FAILED || suite.output < 0) {
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    } else if (!mkdtemp(suite.root)) {
        rc = linnet_error_set(err, LINNET_E_IO, "no temporary folder: %s", strerror(errno));
    } else {
        rc = run_suite(&suite, err);
        nftw(suite.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    if (suite.slate != MAP_FAILED) munmap(suite.slate, sizeof(*suite.slate));
    if (suite.output >= 0) close(suite.output);
    free(path);
    if (!rc) *failed = suite.failed;
    return rc;
}
