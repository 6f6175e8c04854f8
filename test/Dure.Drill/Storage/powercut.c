// powercut: what a disk would hold if the power went now. Preloaded into a server (LD_PRELOAD), it copies bytes to a shadow folder
// only when they are made durable: a file's bytes at its fsync or fdatasync, a folder's entries at its own fsync. What nobody
// flushed is not in the shadow. The strictest disk that POSIX allows: a new file's name is durable with its folder only.
//
//   POWERCUT_ROOT    the folder that is watched, absolute and without links
//   POWERCUT_SHADOW  an empty folder outside of it: files/KEY holds bytes, folders/KEY the lines "KEY TYPE NAME"
//
// KEY is inode and birth time, because inodes are used again.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
#define BUCKETS 4096
#define KEY_MAX 64

struct range { off_t from, to; struct range *next; };
struct inode { char key[KEY_MAX]; struct range *dirty; pthread_mutex_t lock; struct inode *next; };

static struct inode *opened[FDS]; // what a descriptor writes to; NULL when it is not watched or not known yet
static bool known[FDS];
static struct inode *table[BUCKETS];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *shadow;
static size_t root_length;
static __thread bool inside;

#define REAL(name) ((__typeof__(&name))real(#name))

typedef void *look_up(void *, const char *);

static look_up *real_dlsym(void)
{
    static look_up *found;
    if (found == NULL && (found = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34")) == NULL)
        found = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    return found;
}

static void *real(const char *name) { return real_dlsym()(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void)
{
    root = getenv("POWERCUT_ROOT");
    shadow = getenv("POWERCUT_SHADOW");
    root_length = root != NULL ? strlen(root) : 0;
    char path[PATH_MAX];
    if (shadow == NULL)
        root = NULL;
    else if (root != NULL)
        for (int i = 0; i < 2; i++)
        {
            snprintf(path, sizeof path, "%s/%s", shadow, i == 0 ? "files" : "folders");
            mkdir(path, 0700);
        }
}

static bool key_of(int folder, const char *name, char *key, mode_t *mode)
{
    struct statx facts;
    if (statx(folder, name, (*name == '\0' ? AT_EMPTY_PATH : 0) | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE, &facts) != 0)
        return false;
    snprintf(key, KEY_MAX, "%llu-%lld-%u", (unsigned long long)facts.stx_ino, (long long)facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec);
    *mode = facts.stx_mode;
    return true;
}

static struct inode *inode_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *at = key; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    pthread_mutex_lock(&table_lock);
    struct inode *found = table[hash % BUCKETS];
    while (found != NULL && strcmp(found->key, key) != 0)
        found = found->next;
    if (found == NULL)
    {
        found = calloc(1, sizeof *found);
        snprintf(found->key, sizeof found->key, "%s", key);
        pthread_mutex_init(&found->lock, NULL);
        found->next = table[hash % BUCKETS];
        table[hash % BUCKETS] = found;
    }
    pthread_mutex_unlock(&table_lock);
    return found;
}

// The watched file behind a descriptor, looked up once for each opening.
static struct inode *watched(int fd)
{
    if (root == NULL || inside || fd < 0 || fd >= FDS)
        return NULL;
    if (known[fd])
        return opened[fd];
    inside = true;
    char link[64], path[PATH_MAX], key[KEY_MAX];
    mode_t mode;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    struct inode *found = NULL;
    if (length > 0)
    {
        path[length] = '\0';
        bool within = strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == '\0');
        if (within && key_of(fd, "", key, &mode) && (S_ISREG(mode) || S_ISDIR(mode)))
            found = inode_of(key);
    }
    opened[fd] = found;
    known[fd] = true;
    inside = false;
    return found;
}

static void forget(int fd)
{
    if (fd >= 0 && fd < FDS)
        known[fd] = false;
}

static void soil(int fd, off_t from, off_t to)
{
    struct inode *file = watched(fd);
    if (file == NULL || to <= from)
        return;
    pthread_mutex_lock(&file->lock);
    // Most writes go on where the last one ended.
    if (file->dirty != NULL && from >= file->dirty->from && from <= file->dirty->to)
    {
        if (to > file->dirty->to)
            file->dirty->to = to;
    }
    else
    {
        struct range *added = malloc(sizeof *added);
        *added = (struct range){from, to, file->dirty};
        file->dirty = added;
    }
    pthread_mutex_unlock(&file->lock);
}

static void keep_file(int fd, struct inode *file)
{
    char path[PATH_MAX], link[64];
    const size_t room = 1 << 20;
    char *buffer = malloc(room); // not on the stack: threads have small ones
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    snprintf(path, sizeof path, "%s/files/%s", shadow, file->key);
    int from = open(link, O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct stat facts;
    if (from >= 0 && to >= 0 && fstat(from, &facts) == 0 && ftruncate(to, facts.st_size) == 0)
    {
        while (file->dirty != NULL)
        {
            struct range *range = file->dirty;
            for (off_t at = range->from; at < range->to;)
            {
                size_t wanted = (size_t)(range->to - at) < room ? (size_t)(range->to - at) : room;
                ssize_t count = pread(from, buffer, wanted, at);
                if (count <= 0)
                    break;
                for (ssize_t done = 0, wrote; done < count; done += wrote)
                    if ((wrote = pwrite(to, buffer + done, (size_t)(count - done), at + done)) <= 0)
                        abort();
                at += count;
            }
            file->dirty = range->next;
            free(range);
        }
    }
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    free(buffer);
}

static void keep_folder(int fd, const char *key)
{
    char path[PATH_MAX], made[PATH_MAX + 32], link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    snprintf(path, sizeof path, "%s/folders/%s", shadow, key);
    snprintf(made, sizeof made, "%s.%d", path, gettid());
    DIR *folder = opendir(link);
    FILE *list = fopen(made, "we");
    if (folder == NULL || list == NULL)
        abort();
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    {
        char child[KEY_MAX];
        mode_t mode;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && key_of(dirfd(folder), entry->d_name, child, &mode))
            fprintf(list, "%s %c %s\n", child, S_ISDIR(mode) ? 'd' : S_ISREG(mode) ? 'f' : '-', entry->d_name);
    }
    fclose(list);
    closedir(folder);
    rename(made, path);
}

static int flushed(int fd, int result)
{
    struct inode *file = result == 0 ? watched(fd) : NULL;
    if (file == NULL)
        return result;
    int kept = errno;
    inside = true;
    struct stat facts;
    pthread_mutex_lock(&file->lock);
    if (fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode))
        keep_folder(fd, file->key);
    else
        keep_file(fd, file);
    pthread_mutex_unlock(&file->lock);
    inside = false;
    errno = kept;
    return 0;
}

int fsync(int fd) { return flushed(fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { return flushed(fd, REAL(fdatasync)(fd)); }

int close(int fd)
{
    forget(fd);
    return REAL(close)(fd);
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int fd = REAL(name)(path, flags, (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0); \
        va_end(rest); \
        forget(fd); \
        return fd; \
    }
#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int fd = REAL(name)(folder, path, flags, (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0); \
        va_end(rest); \
        forget(fd); \
        return fd; \
    }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

#define COPIES(name, parameters, arguments) \
    int name parameters \
    { \
        int fd = REAL(name) arguments; \
        forget(fd); \
        return fd; \
    }
COPIES(dup, (int old), (old))
COPIES(dup2, (int old, int new), (old, new))
COPIES(dup3, (int old, int new, int flags), (old, new, flags))

#define WRITES(name, at, parameters, arguments) \
    ssize_t name parameters \
    { \
        off_t from = watched(fd) != NULL ? (at) : 0; \
        ssize_t count = REAL(name) arguments; \
        if (count > 0) \
            soil(fd, from, from + count); \
        return count; \
    }
// A write at the end of an O_APPEND file begins where the file ended.
static off_t place(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    struct stat facts;
    return (flags & O_APPEND) != 0 && fstat(fd, &facts) == 0 ? facts.st_size : lseek(fd, 0, SEEK_CUR);
}
WRITES(write, place(fd), (int fd, const void *bytes, size_t count_max), (fd, bytes, count_max))
WRITES(writev, place(fd), (int fd, const struct iovec *parts, int count_max), (fd, parts, count_max))
WRITES(pwrite, at, (int fd, const void *bytes, size_t count_max, off_t at), (fd, bytes, count_max, at))
WRITES(pwrite64, at, (int fd, const void *bytes, size_t count_max, off64_t at), (fd, bytes, count_max, at))
WRITES(pwritev, at, (int fd, const struct iovec *parts, int count_max, off_t at), (fd, parts, count_max, at))
WRITES(pwritev64, at, (int fd, const struct iovec *parts, int count_max, off64_t at), (fd, parts, count_max, at))

// Copies within the kernel: the whole of what was written to.
static void soil_all(int fd)
{
    struct stat facts;
    if (watched(fd) != NULL && fstat(fd, &facts) == 0)
        soil(fd, 0, facts.st_size);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags)
{
    ssize_t count = REAL(copy_file_range)(in, in_at, out, out_at, length, flags);
    if (count > 0)
        soil_all(out);
    return count;
}

#include <sys/sendfile.h>
ssize_t sendfile64(int out, int in, off64_t *at, size_t length)
{
    ssize_t count = REAL(sendfile64)(out, in, at, length);
    if (count > 0)
        soil_all(out);
    return count;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int result = REAL(ioctl)(fd, request, argument);
    if (request == 0x40049409 && result == 0) // FICLONE
        soil_all(fd);
    return result;
}

// A runtime that looks functions up in the C library by itself must find these.
void *dlsym(void *library, const char *name)
{
    static const struct { const char *name; void *ours; } mine[] = {
        {"fsync", fsync}, {"fdatasync", fdatasync}, {"close", close}, {"open", open}, {"open64", open64}, {"openat", openat}, {"openat64", openat64},
        {"write", write}, {"writev", writev}, {"pwrite", pwrite}, {"pwrite64", pwrite64}, {"pwritev", pwritev}, {"pwritev64", pwritev64},
        {"copy_file_range", copy_file_range}, {"dup", dup}, {"dup2", dup2}, {"dup3", dup3},
    };
    for (size_t i = 0; library != RTLD_NEXT && i < sizeof mine / sizeof *mine; i++)
        if (strcmp(name, mine[i].name) == 0)
            return mine[i].ours;
    return real_dlsym()(library, name);
}
