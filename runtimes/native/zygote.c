#define _GNU_SOURCE
#include "dure-init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) dure_die("cannot write %s: %s", path, strerror(errno));
    close(fd);
}

static pid_t the_zygote;
static void pass_on(int number) { kill(the_zygote, number); }

_Noreturn static void wait_for(pid_t zygote) {
    the_zygote = zygote;
    signal(SIGTERM, pass_on);
    signal(SIGINT, pass_on);
    int status;
    while (waitpid(zygote, &status, 0) < 0 && errno == EINTR) { }
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/*
 * A pid namespace can be left again only by one who rules the user namespace that owns it, and the zygote enters and leaves
 * one per fork. Bubblewrap's own are not ours to rule, so the zygote gets its own pair. It is process 1 in it: when it
 * dies the kernel ends every child with it. Inside it is user 0, which devpts insists on; outside it is who it was.
 */
void dure_zygote_namespaces(void) {
    uid_t user = getuid();
    gid_t group = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0) dure_die("cannot make namespaces for the zygote: %s", strerror(errno));
    char map[64];
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", group);
    write_file("/proc/self/gid_map", map);
    pid_t zygote = fork();
    if (zygote < 0) dure_die("cannot fork: %s", strerror(errno));
    if (zygote > 0) wait_for(zygote);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        dure_die("cannot mount /proc for the zygote: %s", strerror(errno));
}
