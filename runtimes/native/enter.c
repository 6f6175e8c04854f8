/*
 * Takes a forked child of the Python zygote into namespaces of its own. Used through ctypes, in this order:
 *   zygote: dure_open_pids()  fork()  dure_close_pids()      child: dure_enter()
 * Every function returns 0, or -1 and dure_why() says what failed.
 */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
/* glibc and the kernel's headers, which cannot both be included, each know these only in some versions. */
struct mount_attributes { unsigned long long set, clear, propagation, user_namespace; };
enum { READ_ONLY = 1, NO_SETUID = 2, NO_DEVICES = 4, RECURSIVE = 0x8000 };
enum { NR_mount_setattr = 442, REAPER_STACK = 16 << 10, NO_SPACE_BYTES = 4096 };

static char why[512];
static int own_pids = -1;

EXPORTED const char *dure_why(void) { return why; }

static int fail(const char *what, const char *which) {
    snprintf(why, sizeof why, "%s %s: %s", what, which, strerror(errno));
    return -1;
}

/* ---- in the zygote ---- */

#if defined(__x86_64__)
static long raw(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#else
static long raw(long number, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#endif

/*
 * Process 1 of a child's pid namespace. It shares the zygote's memory, so it costs no copying; hence no libc in it, whose
 * errno and locks are the zygote's too. Ignoring SIGCHLD makes the kernel reap the orphans that the code leaves behind.
 * The code cannot look into it: it belongs to a user namespace above the code's.
 */
static int reap(void *unused) {
    (void)unused;
    struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } ignore = { (void *)1, 0, 0, 0 };
    raw(SYS_rt_sigaction, SIGCHLD, (long)&ignore, 0, 8);
    raw(SYS_close_range, 0, ~0U, 0, 0);
    for (;;) raw(SYS_ppoll, 0, 0, 0, 0);
    return 0;
}

/* Makes the pid namespace of the next child; returns its process 1, or -1. Killing that ends everything in it. */
EXPORTED int dure_open_pids(void *reaper_stack) {
    if (own_pids < 0) own_pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own_pids < 0) return fail("cannot open", "/proc/self/ns/pid");
    if (unshare(CLONE_NEWPID) != 0) return fail("cannot make", "a pid namespace");
    int reaper = clone(reap, (char *)reaper_stack + REAPER_STACK, CLONE_VM | SIGCHLD, NULL);
    if (reaper < 0) {
        fail("cannot start", "process 1");
        setns(own_pids, CLONE_NEWPID);
    }
    return reaper;
}

EXPORTED int dure_close_pids(void) { return setns(own_pids, CLONE_NEWPID) == 0 ? 0 : fail("cannot leave", "the pid namespace"); }

/* Memory for dure_open_pids; free it with dure_free_stack once that process is gone. */
EXPORTED void *dure_make_stack(void) {
    void *at = mmap(NULL, REAPER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

EXPORTED void dure_free_stack(void *at) { munmap(at, REAPER_STACK); }

/* ---- in the child ---- */

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail("cannot open", path);
    ssize_t wrote = write(fd, text, strlen(text));
    close(fd);
    return wrote == (ssize_t)strlen(text) ? 0 : fail("cannot write", path);
}

static int set_attributes(const char *where, unsigned int flags, unsigned long long set, unsigned long long clear) {
    struct mount_attributes attributes = { set, clear, 0, 0 };
    return syscall(NR_mount_setattr, AT_FDCWD, where, flags, &attributes, sizeof attributes) == 0 ? 0 : fail("cannot protect", where);
}

static int show(const char *slot, const char *part, const char *where, bool writable) {
    char from[256];
    if (snprintf(from, sizeof from, "%s/%s", slot, part) >= (int)sizeof from) {
        errno = ENAMETOOLONG;
        return fail("cannot show", part);
    }
    if (mount(from, where, NULL, MS_BIND, NULL) != 0) return fail("cannot show", from);
    unsigned long long safe = NO_SETUID | NO_DEVICES;
    return set_attributes(where, 0, writable ? safe : safe | READ_ONLY, writable ? READ_ONLY : 0);
}

static int private_memory(const char *where, long size) {
    char options[64];
    snprintf(options, sizeof options, "mode=1777,size=%ld", size > 0 ? size : NO_SPACE_BYTES); /* 0 would mean without a limit */
    return mount("tmpfs", where, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0 ? 0 : fail("cannot mount", where);
}

static int make_view(const char *slot, const char *slots, long tmp_bytes) {
    if (set_attributes("/", RECURSIVE, READ_ONLY | NO_SETUID, 0) != 0) return -1;
    if (show(slot, "code", "/code", false) != 0 || show(slot, "in", "/dure/in", false) != 0 || show(slot, "io", "/dure/io", true) != 0) return -1;
    if (mount("tmpfs", slots, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=0555,size=4k") != 0) return fail("cannot hide", slots);
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) return fail("cannot mount", "/proc");
    if (private_memory("/tmp", tmp_bytes) != 0 || private_memory("/dev/shm", tmp_bytes) != 0) return -1;
    if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620") != 0) return fail("cannot mount", "/dev/pts");
    return 0;
}

static int loopback_up(void) {
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    int result = any < 0 || ioctl(any, SIOCSIFFLAGS, &loopback) != 0 ? fail("cannot bring up", "loopback") : 0;
    if (any >= 0) close(any);
    return result;
}

static int own_user_namespace(unsigned user, unsigned group) {
    char map[64];
    if (unshare(CLONE_NEWUSER) != 0) return fail("cannot make", "a user namespace");
    if (write_file("/proc/self/setgroups", "deny") != 0) return -1;
    snprintf(map, sizeof map, "%u 0 1", user);
    if (write_file("/proc/self/uid_map", map) != 0) return -1;
    snprintf(map, sizeof map, "%u 0 1", group);
    return write_file("/proc/self/gid_map", map);
}

/*
 * slot is <slots>/<name>. user and group are the numbers that the code sees; outside it is who the zygote is.
 * tmp_bytes is the size of /tmp and of /dev/shm each.
 */
EXPORTED int dure_enter(const char *slot, const char *slots, unsigned user, unsigned group, long tmp_bytes, long open_files) {
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0) return fail("cannot make", "namespaces");
    if (make_view(slot, slots, tmp_bytes) != 0 || loopback_up() != 0) return -1;
    /* Last, so that the mounts above belong to a namespace that the code has no rights in, whatever it becomes in its own. */
    if (own_user_namespace(user, group) != 0) return -1;
    if (dure_limits(open_files) != 0) return fail("cannot set", "limits");
    if (dure_drop_capabilities() != 0) return fail("cannot drop", "capabilities");
    return dure_seccomp(0) == 0 ? 0 : fail("cannot install", "the system call filter");
}
