/* The payload of every sandbox: gives up what the code must not have, then becomes the command or serves it. */
#define _GNU_SOURCE
#include "confine.h"
#include "dure-init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_SETUP = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

void dure_die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("dure-init: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_SETUP);
}

const char *dure_io(void) {
    const char *folder = getenv("DURE_IO");
    return folder && *folder ? folder : "/dure/io";
}

void dure_become(char **command) {
    execvp(command[0], command);
    int error = errno;
    fprintf(stderr, "dure-init: cannot start %s: %s\n", command[0], strerror(error));
    _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* The worker's runtime ignores or blocks signals that programs expect to find at their defaults. */
static void reset_signals(void) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void confine(unsigned flags, long open_files) {
    if (dure_limits(open_files) != 0) dure_die("cannot set limits: %s", strerror(errno));
    if (!(flags & DURE_KEEP_NAMESPACES) && dure_drop_capabilities() != 0) dure_die("cannot drop capabilities: %s", strerror(errno));
    if (dure_seccomp(flags) != 0) dure_die("cannot install the system call filter: %s", strerror(errno));
}

/*
 * Inside, bubblewrap arms its parent-death signal only when everything is set up: an outer bubblewrap that was killed before, with
 * its worker, would not be missed. This pidfd of it says so, and nothing of the code starts.
 */
static void end_with_worker(int lifeline) {
    struct pollfd outer = { lifeline, POLLIN, 0 };
    if (poll(&outer, 1, 0) == 1 && (outer.revents & POLLIN)) _exit(EXIT_SETUP);
    close(lifeline);
}

static int usage(void) {
    fputs("usage: dure-init --mode shim|plain|runtime-api|run|zygote [--open-files N] [--lifeline FD] [--] command [argument...]\n"
          "       (plain without a command is generic: it gets one by ASSIGN)\n"
          "       dure-init --version\n", stderr);
    return 2;
}

int main(int count, char **words) {
    const char *mode = NULL;
    long open_files = 0;
    int at = 1, lifeline = -1;
    for (; at < count && strncmp(words[at], "--", 2) == 0; at++) {
        if (strcmp(words[at], "--") == 0) { at++; break; }
        if (strcmp(words[at], "--version") == 0) { puts("dure-init 1"); return 0; }
        if (at + 1 >= count) return usage();
        if (strcmp(words[at], "--mode") == 0) mode = words[++at];
        else if (strcmp(words[at], "--open-files") == 0) open_files = strtol(words[++at], NULL, 10);
        else if (strcmp(words[at], "--lifeline") == 0) lifeline = atoi(words[++at]);
        else return usage();
    }
    if (!mode || (at >= count && strcmp(mode, "plain") != 0) || open_files < 0) return usage();
    char **command = words + at;

    reset_signals();
    /* whatever the sandbox's maker left open is not for the code */
    if (lifeline > 3) syscall(SYS_close_range, 3, lifeline - 1, 0);
    syscall(SYS_close_range, lifeline > 2 ? lifeline + 1 : 3, ~0U, 0);

    if (strcmp(mode, "zygote") == 0) {
        dure_zygote_namespaces();
        confine(DURE_KEEP_NAMESPACES, open_files);
        if (lifeline > 2) end_with_worker(lifeline);
        dure_become(command);
    }
    confine(0, open_files);
    if (lifeline > 2) end_with_worker(lifeline);
    if (strcmp(mode, "plain") == 0) return dure_plain(command);
    if (strcmp(mode, "runtime-api") == 0) dure_hand_over_listener();
    else if (strcmp(mode, "shim") != 0 && strcmp(mode, "run") != 0) return usage();
    dure_become(command);
}
