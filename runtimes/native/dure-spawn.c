// Starts one sandbox for the worker. It prepares everything that needs privileges or time (control groups, output pipes,
// identity), then waits in place until the worker says go on descriptor 5, and becomes bubblewrap.
//
// Descriptors: 3 status (bubblewrap writes JSON lines; a fault here is {"spawn-error":"..."}), 4 bubblewrap's arguments
// (NUL separated; secrets stay out of argv), 5 the go message: "<open files> <keep descriptor 5: 0|1> <bytes>\n",
// then that many bytes of further arguments for the program, each ended by NUL; 6 and 7 the outputs, with --outputs.
// The program finds on descriptor 6 a pidfd of this process: it is readable once bubblewrap, which this becomes, is gone.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STATUS = 3, ARGUMENTS = 4, GO = 5, OUT = 6, ERR = 7, LIFELINE = 6 };

static void fail(const char *what) {
    char line[512];
    int n = snprintf(line, sizeof line, "{\"spawn-error\":\"%s: %s\"}\n", what, strerror(errno));
    if (write(STATUS, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1) < 0) _exit(125);
    _exit(126);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) fail(path);
    close(fd);
}

static void limit(int resource, rlim_t value) {
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) fail("getrlimit");
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
    now.rlim_cur = now.rlim_max = value;
    if (setrlimit(resource, &now) != 0) fail("setrlimit");
}

static void output(const char *path, int as) {
    int fd = open(path, O_WRONLY | O_NOFOLLOW);
    if (fd < 0 || dup2(fd, as) < 0) fail(path);
    if (fd != as) close(fd);
}

static void default_signals(void) {
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP) signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// The user-mode network runs unprivileged and must open /dev/net/tun, which some hosts keep to root: it gets a node of its own.
static void own_tun(void) {
    struct stat found;
    if (geteuid() != 0 || (stat("/dev/net/tun", &found) == 0 && (found.st_mode & 06) == 06)) return;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("unshare");
    if (stat("/dev/net", &found) != 0 && mkdir("/dev/net", 0755) != 0) fail("/dev/net");
    if (mount("tmpfs", "/dev/net", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=4k,mode=755") != 0) fail("mount /dev/net");
    mode_t before = umask(0);
    if (mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200)) != 0) fail("mknod /dev/net/tun");
    umask(before);
}

// Descriptor 6 becomes a process's network namespace, 7 the user namespace that owns it. bubblewrap goes on into a second user
// namespace, so the process's own is not the one that is asked for permission.
static void network_of(const char *pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
    int network = open(path, O_RDONLY);
    if (network < 0) fail(path);
    int owner = ioctl(network, NS_GET_USERNS);
    if (owner < 0) fail("NS_GET_USERNS");
    int both[] = {fcntl(network, F_DUPFD, 20), fcntl(owner, F_DUPFD, 20)};
    if (both[0] < 0 || both[1] < 0 || dup2(both[0], 6) < 0 || dup2(both[1], 7) < 0) fail("dup2");
    syscall(SYS_close_range, 8, ~0U, 0);
}

static void become(uid_t uid, gid_t gid) {
    if (geteuid() != 0 || uid == 0) return;
    if (setgroups(0, NULL) != 0) fail("setgroups");
    if (setresgid(gid, gid, gid) != 0) fail("setresgid");
    if (setresuid(uid, uid, uid) != 0) fail("setresuid");
}

static void receive(char *to, size_t count) {
    for (size_t n = 0; n < count;) {
        ssize_t got = read(GO, to + n, count - n);
        if (got < 0 && errno == EINTR) continue;
        // The worker is gone or wants this process no more.
        if (got <= 0) _exit(0);
        n += (size_t)got;
    }
}

// Waits for the go message; returns the program's whole argument list.
static char **wait_for_go(char **program) {
    char line[96];
    size_t n = 0;
    do receive(line + n, 1);
    while (line[n++] != '\n' && n < sizeof line - 1);
    line[n] = 0;
    unsigned long long files = 0;
    unsigned bytes = 0, given = 0, more = 0;
    int keep = 0;
    if (sscanf(line, "%llu %d %u", &files, &keep, &bytes) != 3 || bytes > 1u << 20) _exit(124);
    char *text = malloc(bytes + 1);
    if (text == NULL) _exit(124);
    receive(text, bytes);
    for (unsigned i = 0; i < bytes; i++) more += text[i] == 0;
    while (program[given] != NULL) given++;
    char **all = calloc(given + more + 1, sizeof *all);
    if (all == NULL) _exit(124);
    memcpy(all, program, given * sizeof *all);
    for (unsigned i = 0; i < more; i++, text += strlen(text) + 1) all[given + i] = text;
    if (files > 0) limit(RLIMIT_NOFILE, files);
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self >= 0 && self != LIFELINE) { dup2(self, LIFELINE); close(self); }
    fcntl(LIFELINE, F_SETFD, 0);
    if (!keep) close(GO);
    return all;
}

int main(int argc, char **argv) {
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t parent = 0;
    int wait = 0, i = 1;
    const char *probe = NULL, *netns = NULL;
    // Again below, after the change of identity, which clears it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    default_signals();
    setsid();
    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--cgroup") == 0) write_file(value, "0");
        // Not the worker's own, which may just be going before others, or after them. Who may not set it goes on with that.
        else if (strcmp(name, "--nice") == 0) (void)setpriority(PRIO_PROCESS, 0, atoi(value));
        else if (strcmp(name, "--oom") == 0) write_file("/proc/self/oom_score_adj", value);
        else if (strcmp(name, "--outputs") == 0) { if (dup2(OUT, 1) < 0 || dup2(ERR, 2) < 0) fail("outputs"); }
        else if (strcmp(name, "--out") == 0) output(value, 1);
        else if (strcmp(name, "--err") == 0) output(value, 2);
        else if (strcmp(name, "--fsize") == 0) limit(RLIMIT_FSIZE, strtoull(value, NULL, 10));
        else if (strcmp(name, "--nproc") == 0) limit(RLIMIT_NPROC, strtoull(value, NULL, 10));
        else if (strcmp(name, "--uid") == 0) uid = (uid_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--gid") == 0) gid = (gid_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--parent") == 0) parent = (pid_t)strtol(value, NULL, 10);
        else if (strcmp(name, "--wait") == 0) wait = atoi(value);
        else if (strcmp(name, "--tun") == 0) own_tun();
        else if (strcmp(name, "--netns") == 0) netns = value;
        else if (strcmp(name, "--probe") == 0) probe = value;
        else { errno = EINVAL; fail(name); }
    }
    limit(RLIMIT_CORE, 0);
    become(uid, gid);
    if (probe != NULL) return access(probe, R_OK | X_OK) == 0 ? 0 : 1;
    if (i + 1 >= argc) { errno = EINVAL; fail("no program"); }
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, 0) < 0) fail("/dev/null");
    if (nothing > 0) close(nothing);
    // Inside a sandbox (no parent to watch) descriptor 6 is already the lifeline and goes on to the next program.
    syscall(SYS_close_range, parent != 0 ? GO + 1 : LIFELINE + 1, ~0U, 0);
    if (netns != NULL) network_of(netns);
    // The worker may have died in between.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
    if (parent != 0 && getppid() != parent) _exit(0);
    char **program = argv + i + 1;
    if (wait) program = wait_for_go(program);
    char *environment[] = {NULL};
    execve(program[0], program, environment);
    fail(program[0]);
}
