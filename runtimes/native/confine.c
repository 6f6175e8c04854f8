#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "the seccomp filter knows x86-64 and aarch64 only"
#endif

/* Numbers above 423 are the same on every architecture; older headers lack the newest. */
enum {
    NR_io_uring_setup = 425, NR_io_uring_enter, NR_io_uring_register, NR_open_tree, NR_move_mount, NR_fsopen, NR_fsconfig,
    NR_fsmount, NR_fspick, NR_clone3 = 435, NR_pidfd_getfd = 438, NR_process_madvise = 440, NR_mount_setattr = 442,
    NR_quotactl_fd = 443, NR_set_mempolicy_home_node = 450, NR_open_tree_attr = 467, NR_last_known = 469
};

static const int forbidden[] = {
    SYS_acct, SYS_add_key, SYS_bpf, SYS_chroot, SYS_clock_settime, SYS_delete_module, SYS_fanotify_init, SYS_finit_module,
    SYS_get_mempolicy, SYS_init_module, SYS_kcmp, SYS_kexec_load, SYS_kexec_file_load, SYS_keyctl, SYS_lookup_dcookie, SYS_mbind,
    SYS_migrate_pages, SYS_move_pages, SYS_nfsservctl, SYS_open_by_handle_at, SYS_perf_event_open, SYS_pivot_root,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace, SYS_quotactl, SYS_reboot, SYS_request_key, SYS_set_mempolicy,
    SYS_setdomainname, SYS_sethostname, SYS_settimeofday, SYS_swapoff, SYS_swapon, SYS_syslog, SYS_userfaultfd, SYS_vhangup,
    NR_io_uring_setup, NR_io_uring_enter, NR_io_uring_register, NR_open_tree, NR_fsopen, NR_fsconfig, NR_fsmount, NR_fspick,
    NR_move_mount, NR_pidfd_getfd, NR_process_madvise, NR_quotactl_fd, NR_set_mempolicy_home_node, NR_open_tree_attr,
#if defined(__x86_64__)
    SYS__sysctl, SYS_create_module, SYS_get_kernel_syms, SYS_ioperm, SYS_iopl, SYS_query_module, SYS_sysfs, SYS_uselib, SYS_ustat,
#endif
};

static const int namespace_calls[] = { SYS_mount, SYS_umount2, SYS_unshare, SYS_setns, NR_mount_setattr };

static const uint32_t safe_personalities[] = { 0, 0x0008, 0x20000, 0x20008, 0xffffffff };

#define NAMESPACE_FLAGS \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

enum { FILTER_CAPACITY = 256 };
struct program {
    struct sock_filter at[FILTER_CAPACITY];
    unsigned short length;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
    p->at[p->length++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct program *p, size_t offset) { emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
static void answer(struct program *p, uint32_t what) { emit(p, BPF_RET | BPF_K, what, 0, 0); }
static void refuse(struct program *p, int error) { answer(p, SECCOMP_RET_ERRNO | (uint32_t)error); }

/* The low half of an argument. Both architectures are little-endian, and the kernel looks at no more for those we test. */
static size_t argument(int n) { return offsetof(struct seccomp_data, args) + 8 * (size_t)n; }

static void when_call(struct program *p, int number, uint8_t length_of_block) {
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, length_of_block);
}

static void refuse_call(struct program *p, int number, int error) {
    when_call(p, number, 1);
    refuse(p, error);
}

static void refuse_argument(struct program *p, int number, int n, const uint32_t *values, uint8_t count, int error) {
    when_call(p, number, (uint8_t)(count + 3));
    load(p, argument(n));
    for (uint8_t i = 0; i < count; i++) emit(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - i), 0);
    answer(p, SECCOMP_RET_ALLOW);
    refuse(p, error);
}

static void build(struct program *p, unsigned flags) {
    load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
    answer(p, SECCOMP_RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
    /* x32 calls carry bit 30 and so are above the last known one too; a call that we have not judged looks absent. */
    emit(p, BPF_JMP | BPF_JGT | BPF_K, NR_last_known, 0, 1);
    refuse(p, ENOSYS);
    /* Its flags lie in memory that the filter cannot read; libraries fall back to clone. */
    refuse_call(p, NR_clone3, ENOSYS);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) refuse_call(p, forbidden[i], EPERM);
    if (!(flags & DURE_KEEP_NAMESPACES)) {
        for (size_t i = 0; i < sizeof namespace_calls / sizeof *namespace_calls; i++) refuse_call(p, namespace_calls[i], EPERM);
        when_call(p, SYS_clone, 4);
        load(p, argument(0));
        emit(p, BPF_JMP | BPF_JSET | BPF_K, NAMESPACE_FLAGS, 0, 1);
        refuse(p, EPERM);
        answer(p, SECCOMP_RET_ALLOW);
    }
    static const uint32_t terminal_input[] = { TIOCSTI, TIOCLINUX };
    refuse_argument(p, SYS_ioctl, 1, terminal_input, 2, EPERM);
    static const uint32_t families[] = { 38 /* AF_ALG */, 40 /* AF_VSOCK */ };
    refuse_argument(p, SYS_socket, 0, families, 2, EAFNOSUPPORT);
    const uint8_t safe = sizeof safe_personalities / sizeof *safe_personalities;
    when_call(p, SYS_personality, (uint8_t)(safe + 2));
    load(p, argument(0));
    for (uint8_t i = 0; i < safe; i++) emit(p, BPF_JMP | BPF_JEQ | BPF_K, safe_personalities[i], (uint8_t)(safe - i), 0);
    refuse(p, EPERM);
    answer(p, SECCOMP_RET_ALLOW);
}

int dure_seccomp(unsigned flags) {
    struct program p = { .length = 0 };
    build(&p, flags);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    struct sock_fprog program = { p.length, p.at };
    /* Speculation mitigations for all code, as a filter implies before Linux 5.16, cost far more than the filter itself. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0) return 0;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int dure_drop_capabilities(void) {
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* refused when we hold none, and then there is nothing to lose */
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    return (int)syscall(SYS_capset, &header, none);
}

int dure_limits(long open_files) {
    const struct rlimit no_core = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &no_core) != 0) return -1;
    if (open_files <= 0) return 0;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return -1;
    // Only a privileged process may go above the limit that it was given.
    if ((rlim_t)open_files < files.rlim_max) files.rlim_max = (rlim_t)open_files;
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files);
}
