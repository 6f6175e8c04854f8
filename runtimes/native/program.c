#define _GNU_SOURCE
#include "dure-init.h"
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PIPE_PATIENCE_MS = 500, READ_BYTES = 256 << 10, ENVIRONMENT_MAX = 4096 };

struct program *programs;
static unsigned char piece[READ_BYTES];

static void path_of(const struct program *p, const char *folder, bool with_attempt, char *to, size_t size) {
    int length = with_attempt ? snprintf(to, size, "%s/%s/%llu-%u", dure_io(), folder, (unsigned long long)p->id, p->attempt)
                              : snprintf(to, size, "%s/%s/%llu", dure_io(), folder, (unsigned long long)p->id);
    if (length >= (int)size) dure_die("the path of the io folder is too long");
}

/* ---- what it prints ---- */

static void log_lines(struct program *p, const unsigned char *text, size_t length) {
    struct bytes frame = { 0 };
    size_t began = frame_begin(&frame, LOG);
    bytes_add(&frame, p->key, KEY_BYTES);
    bytes_add(&frame, "\2", 1);
    put64(&frame, now_ms());
    bytes_utf8(&frame, text, length);
    frame_end(&frame, began);
    link_log(&frame);
    bytes_free(&frame);
}

/* Whole lines, many to a frame; the rest waits for its newline unless it is too long to wait. */
static void log_text(struct program *p, bool last) {
    size_t from = 0, end = 0;
    for (size_t i = 0; i < p->line.length; i++) {
        bool newline = p->line.at[i] == '\n';
        if (newline) end = i;
        if (i - from >= LINE_MAX_BYTES) {
            size_t cut = end > from ? end : i;
            log_lines(p, p->line.at + from, cut - from);
            from = end > from ? end + 1 : i;
            end = from;
        }
    }
    if (end > from || (end == from && from < p->line.length && p->line.at[from] == '\n')) {
        log_lines(p, p->line.at + from, end - from);
        from = end + 1;
    }
    if (last && from < p->line.length) {
        log_lines(p, p->line.at + from, p->line.length - from);
        from = p->line.length;
    }
    bytes_drop(&p->line, from);
}

static void finish(struct program *p);

static void finish_when_quiet(struct program *p) {
    if (p->exited && p->out.fd < 0 && p->err.fd < 0) finish(p);
}

static void on_stderr(struct watch *what, uint32_t events) {
    (void)events;
    struct program *p = what->owner;
    ssize_t got = read(what->fd, piece, LINE_MAX_BYTES);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        loop_unwatch(what);
        log_text(p, true);
        finish_when_quiet(p);
        return;
    }
    bytes_add(&p->line, piece, (size_t)got);
    bytes_add(&p->tail, piece, (size_t)got);
    if (p->tail.length > TAIL_BYTES) bytes_drop(&p->tail, p->tail.length - TAIL_BYTES);
    log_text(p, false);
}

static bool write_all(int fd, const unsigned char *from, size_t length) {
    while (length > 0) {
        ssize_t wrote = write(fd, from, length);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        from += wrote;
        length -= (size_t)wrote;
    }
    return true;
}

static void keep_result(struct program *p, size_t length) {
    if (p->spool < 0 && p->result.length + length <= INLINE_MAX) {
        bytes_add(&p->result, piece, length);
        return;
    }
    bool good = p->spool_error == 0;
    if (good && p->spool < 0) {
        char path[256];
        snprintf(path, sizeof path, "%.200s/out", dure_io());
        mkdir(path, 0700);
        path_of(p, "out", true, path, sizeof path);
        p->spool = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        good = p->spool >= 0 && write_all(p->spool, p->result.at, p->result.length);
        bytes_free(&p->result);
    }
    good = good && write_all(p->spool, piece, length);
    if (good || p->spool_error) return;
    p->spool_error = errno;
    kill(-p->pid, SIGKILL); /* its result cannot be kept: going on would be for nothing */
}

static void on_stdout(struct watch *what, uint32_t events) {
    (void)events;
    struct program *p = what->owner;
    ssize_t got = read(what->fd, piece, sizeof piece);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        loop_unwatch(what);
        finish_when_quiet(p);
        return;
    }
    keep_result(p, (size_t)got);
    if (!p->streamed) return;
    struct bytes frame = { 0 };
    size_t began = frame_begin(&frame, CHUNK);
    bytes_add(&frame, p->key, KEY_BYTES);
    bytes_add(&frame, piece, (size_t)got);
    frame_end(&frame, began);
    link_send(&frame);
    bytes_free(&frame);
}

/* ---- how it ends ---- */

static bool has_checkpoint(const struct program *p) {
    char path[256];
    path_of(p, "ck", false, path, sizeof path);
    return rmdir(path) != 0 && errno != ENOENT;
}

static void error_body(struct program *p, struct bytes *to) {
    struct bytes text = { 0 };
    const char *type;
    if (p->spool_error) {
        type = "ResultNotKept";
        bytes_format(&text, "the result could not be written: %s", strerror(p->spool_error));
    } else if (WIFSIGNALED(p->status)) {
        type = "SignalError";
        bytes_format(&text, "ended by signal %d (%s)", WTERMSIG(p->status), strsignal(WTERMSIG(p->status)));
    } else {
        type = "ExitError";
        bytes_format(&text, "exit code %d", WEXITSTATUS(p->status));
    }
    while (p->tail.length > 0 && p->tail.at[p->tail.length - 1] == '\n') p->tail.length--;
    if (p->tail.length > 0) {
        bytes_text(&text, "\n");
        bytes_add(&text, p->tail.at, p->tail.length);
    }
    bytes_format(to, "{\"errorType\":\"%s\",\"errorMessage\":", type);
    bytes_json(to, text.at, text.length);
    bytes_text(to, ",\"stackTrace\":[]}");
    bytes_free(&text);
}

static void answer(struct program *p, bool good) {
    unsigned char flags = has_checkpoint(p) ? HAS_CHECKPOINT : 0;
    struct bytes frame = { 0 };
    size_t began = frame_begin(&frame, good ? RESULT : ERROR);
    bytes_add(&frame, p->key, KEY_BYTES);
    char path[256];
    path_of(p, "out", true, path, sizeof path);
    if (good && p->spool >= 0) flags |= IS_PATH;
    bytes_add(&frame, &flags, 1);
    if (!good) error_body(p, &frame);
    else if (p->spool >= 0) bytes_text(&frame, path);
    else bytes_add(&frame, p->result.at, p->result.length);
    frame_end(&frame, began);
    if (!good && p->spool >= 0) unlink(path);
    link_keep(&frame);
    if (good && p->streamed && link_greeted() && p->lost == link_lost()) {
        frame.length = 0;
        began = frame_begin(&frame, RESULT);
        bytes_add(&frame, p->key, KEY_BYTES);
        flags = (unsigned char)(WAS_STREAMED | (flags & HAS_CHECKPOINT));
        bytes_add(&frame, &flags, 1);
        frame_end(&frame, began);
    }
    link_send(&frame);
    bytes_free(&frame);
}

static void finish(struct program *p) {
    log_text(p, true);
    answer(p, p->spool_error == 0 && WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0);
    if (p->spool >= 0) close(p->spool);
    for (struct program **at = &programs; *at; at = &(*at)->next)
        if (*at == p) { *at = p->next; break; }
    bytes_free(&p->result);
    bytes_free(&p->line);
    bytes_free(&p->tail);
    free(p);
}

bool program_ended(pid_t pid, int status) {
    for (struct program *p = programs; p; p = p->next) {
        if (p->pid != pid || p->exited) continue;
        p->exited = true;
        p->status = status;
        p->give_up_ms = elapsed_ms() + PIPE_PATIENCE_MS;
        kill(-pid, SIGKILL); /* what it left behind would hold the pipes and outlive its invocation */
        finish_when_quiet(p);
        return true;
    }
    return false;
}

void programs_give_up(void) {
    for (struct program *p = programs, *next; p; p = next) {
        next = p->next;
        if (!p->exited || elapsed_ms() < p->give_up_ms) continue;
        if (p->out.fd >= 0) loop_unwatch(&p->out);
        if (p->err.fd >= 0) loop_unwatch(&p->err);
        finish(p);
    }
}

int programs_wait_ms(void) {
    int64_t soonest = -1;
    for (struct program *p = programs; p; p = p->next) {
        if (!p->exited) continue;
        int64_t left = (int64_t)p->give_up_ms - (int64_t)elapsed_ms();
        if (left < 0) left = 0;
        if (soonest < 0 || left < soonest) soonest = left;
    }
    return (int)soonest;
}

/* ---- how it begins ---- */

static int event_file(unsigned char flags, const unsigned char *payload, size_t length) {
    if (flags & IS_PATH) {
        char path[512];
        if (length >= sizeof path) { errno = ENAMETOOLONG; return -1; }
        memcpy(path, payload, length);
        path[length] = 0;
        return open(path, O_RDONLY | O_CLOEXEC);
    }
    if (length == 0) return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("event", MFD_CLOEXEC);
    if (fd >= 0 && write_all(fd, payload, length) && lseek(fd, 0, SEEK_SET) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static void fail_to_start(struct program *p, const char *what) {
    int error = errno;
    p->status = 126 << 8; /* as wait tells exit code 126 */
    bytes_format(&p->tail, "%s: %s", what, strerror(error));
    p->exited = true;
    finish(p);
}

static void make_folder(const char *path) {
    if (mkdir(path, 0700) == 0 || errno != ENOENT) return;
    char parent[256];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    mkdir(parent, 0700);
    mkdir(path, 0700);
}

struct variables {
    char text[6][320];
    char *list[ENVIRONMENT_MAX];
};

static void set_variables(struct variables *v, const struct program *p, const char *meta, size_t meta_length, uint64_t deadline) {
    const char *value;
    size_t size;
    bool may_have_run = json_find(meta, meta_length, "may_have_run", &value, &size) && size == 4;
    int own = 0, all = 0;
    bool named = json_find(meta, meta_length, "id", &value, &size) && size > 2 && size < 128;
    if (named) snprintf(v->text[own++], sizeof *v->text, "DURE_INVOCATION_ID=%.*s", (int)size - 2, value + 1);
    else {
        char digits[14] = { 0 };
        for (int i = 12; i >= 0; i--) digits[i] = "0123456789abcdefghjkmnpqrstvwxyz"[p->id >> (5 * (12 - i)) & 31];
        snprintf(v->text[own++], sizeof *v->text, "DURE_INVOCATION_ID=%s", digits);
    }
    snprintf(v->text[own++], sizeof *v->text, "DURE_ATTEMPT=%u", p->attempt);
    snprintf(v->text[own++], sizeof *v->text, "DURE_MAY_HAVE_RUN=%d", may_have_run);
    if (deadline) snprintf(v->text[own++], sizeof *v->text, "DURE_DEADLINE_MS=%llu", (unsigned long long)deadline);
    memcpy(v->text[own], "DURE_CHECKPOINT_DIR=", 20);
    path_of(p, "ck", false, v->text[own] + 20, sizeof *v->text - 20);
    make_folder(v->text[own] + 20);
    own++;
    for (int i = 0; i < own; i++) v->list[all++] = v->text[i];
    for (char **one = environ; *one && all < ENVIRONMENT_MAX - 1; one++) v->list[all++] = *one;
    v->list[all] = NULL;
}

_Noreturn static void become(char **command, char **variables, int in, int out, int err) {
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    const char *code = getenv("DURE_CODE");
    if (chdir(code ? code : "/code") != 0) { /* it may not need the folder */ }
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(126);
    environ = variables;
    dure_become(command);
}

static void run(struct program *p, char **command, char **variables, int in) {
    int out[2] = { -1, -1 }, err[2] = { -1, -1 };
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
        int error = errno;
        for (int i = 0; i < 2; i++) if (out[i] >= 0) close(out[i]);
        close(in);
        errno = error;
        fail_to_start(p, "cannot make pipes");
        return;
    }
    p->pid = fork();
    if (p->pid == 0) become(command, variables, in, out[1], err[1]);
    int error = errno;
    close(in);
    close(out[1]);
    close(err[1]);
    if (p->pid < 0) {
        close(out[0]);
        close(err[0]);
        errno = error;
        fail_to_start(p, "cannot fork");
        return;
    }
    setpgid(p->pid, p->pid);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    loop_watch(&p->out, out[0], on_stdout, p);
    loop_watch(&p->err, err[0], on_stderr, p);
}

void program_start(char **command, const unsigned char *body, size_t length) {
    struct program *p = calloc(1, sizeof *p);
    if (!p) dure_die("out of memory");
    memcpy(p->key, body, KEY_BYTES);
    p->id = get64(body);
    p->attempt = get32(body + 8);
    p->spool = p->out.fd = p->err.fd = -1;
    p->next = programs;
    programs = p;
    unsigned char flags = body[KEY_BYTES];
    size_t meta_length = get32(body + INVOKE_HEAD - 4);
    const char *meta = (const char *)body + INVOKE_HEAD, *value;
    size_t size;
    if (flags & META_IS_PATH) meta_length = 0; /* only steps make it that long, and a plain program has none */
    p->streamed = json_find(meta, meta_length, "stream", &value, &size) && size == 4;
    p->lost = link_lost();
    static struct variables variables;
    set_variables(&variables, p, meta, meta_length, get64(body + KEY_BYTES + 1));
    size_t payload = INVOKE_HEAD + get32(body + INVOKE_HEAD - 4);
    int in = event_file(flags, body + payload, length - payload);
    if (in < 0) fail_to_start(p, "cannot give the event");
    else run(p, command, variables.list, in);
}
