/* Makes system calls as code in a sandbox would, and prints for each what came of it: name=errno, 0 for success. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void told(const char *name, long result) { printf("%s=%d\n", name, result < 0 ? errno : 0); fflush(stdout); }

#define CALL(name, ...) told(#name, syscall(SYS_##name, __VA_ARGS__))

/* In a child, for what would change this process; the child's exit code is errno. */
#define APART(name, call) do { fflush(stdout); pid_t child_ = fork(); int status_; \
    if (child_ == 0) { errno = 0; _exit((call) < 0 ? errno : 0); } \
    waitpid(child_, &status_, 0); \
    printf("%s=%d\n", name, WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_)); } while (0)

static void *nothing(void *unused) { return unused; }

int main(void) {
    char buffer[64] = "";
    CALL(mount, "none", "/tmp", "tmpfs", 0, 0);
    CALL(umount2, "/proc", 0);
    CALL(pivot_root, "/", "/");
    CALL(chroot, "/");
    APART("ptrace", syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
    CALL(bpf, 0, buffer, sizeof buffer);
    CALL(perf_event_open, buffer, 0, -1, -1, 0);
    CALL(add_key, "user", "probe", "x", 1, -3);
    CALL(request_key, "user", "probe", 0, 0);
    CALL(keyctl, 0, -3, 0);
    CALL(kexec_load, 0, 0, 0, 0);
    CALL(init_module, buffer, 0, "");
    CALL(finit_module, -1, "", 0);
    CALL(delete_module, "probe", 0);
    CALL(userfaultfd, 1);
    CALL(open_by_handle_at, -1, buffer, 0);
    CALL(setns, -1, 0);
    APART("unshare", syscall(SYS_unshare, CLONE_NEWUSER));
    APART("clone_newuser", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    APART("clone_newnet", syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0));
    CALL(swapon, "/none", 0);
    CALL(swapoff, "/none");
    CALL(reboot, 0, 0, 0, 0);
    CALL(acct, "/none");
    CALL(quotactl, 0, "", 0, 0);
    CALL(syslog, 3, buffer, sizeof buffer);
    CALL(kcmp, getpid(), getpid(), 0, 0, 0);
    CALL(process_vm_readv, getpid(), 0, 0, 0, 0, 0);
    CALL(process_vm_writev, getpid(), 0, 0, 0, 0, 0);
    CALL(sethostname, "x", 1);
    told("io_uring_setup", syscall(425, 1, 0));
    told("open_tree", syscall(428, -1, "", 0));
    told("move_mount", syscall(429, -1, "", -1, "", 0));
    told("fsopen", syscall(430, "tmpfs", 0));
    told("fsmount", syscall(432, -1, 0, 0));
    told("pidfd_getfd", syscall(438, -1, 0, 0));
    told("mount_setattr", syscall(442, -1, "", 0, 0, 0));
    told("tiocsti", ioctl(0, TIOCSTI, "x"));
    APART("personality_unsafe", syscall(SYS_personality, 0x0400000));
    APART("personality_plain", syscall(SYS_personality, 0));
#if defined(__x86_64__)
    CALL(iopl, 3);
    CALL(ioperm, 0, 1, 1);
    told("x32_getpid", syscall(0x40000000 | SYS_getpid));
    int pid;
    APART("int80", ({ __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20) : "memory"); pid; }));
#endif
    told("clone3", syscall(435, 0, 0));
    told("unknown_call", syscall(480, 0));
    told("socket_alg", socket(38, SOCK_SEQPACKET, 0));
    told("socket_vsock", socket(40, SOCK_STREAM, 0));
    told("socket_unix", socket(AF_UNIX, SOCK_STREAM, 0));
    told("socket_inet", socket(AF_INET, SOCK_STREAM, 0));
    told("socket_netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    APART("fork", 0);
    pthread_t thread;
    int failed = pthread_create(&thread, 0, nothing, 0);
    errno = failed;
    told("thread", failed ? -1 : 0);
    struct rlimit core, files;
    getrlimit(RLIMIT_CORE, &core);
    getrlimit(RLIMIT_NOFILE, &files);
    printf("core_limit=%lu\nopen_files=%lu\n", (unsigned long)core.rlim_max, (unsigned long)files.rlim_cur);
    FILE *status = fopen("/proc/self/status", "r");
    for (char line[256], value[64], name[64]; status && fgets(line, sizeof line, status);)
        if (sscanf(line, "%63[^:]: %63s", name, value) == 2 && (strncmp(name, "Cap", 3) == 0 || strcmp(name, "NoNewPrivs") == 0 || strcmp(name, "Seccomp") == 0))
            printf("%s=%s\n", name, value);
    return 0;
}
