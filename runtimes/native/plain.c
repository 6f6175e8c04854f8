#define _GNU_SOURCE
#include "plain.h"
#include "dure-init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BACKLOG_MAX = 4 << 20,          /* bytes of log frames kept while no server is there */
    SEND_HIGH = 4 << 20,            /* bytes waiting for the server above which programs' logs are not read */
    SEND_LOW = 1 << 20,             /* and below which they are again */
    LAST_WORDS_MS = 500,            /* for answers to be acknowledged when the process is asked to end */
    EXIT_CANCELLED = 143            /* as a shell says for SIGTERM */
};

struct kept {
    struct kept *next;
    struct bytes frame;
};

static int loop;
static char **the_command;
static struct watch listener, server, signals;
static bool greeted, paused, stopping, broken_command;
static uint64_t lost, stop_at_ms;
static struct bytes in, out, backlog;
static size_t out_sent;             /* of out's front: a frame leaves out only when all of it was sent */
static uint64_t dropped_lines;
static unsigned char dropped_key[KEY_BYTES];
static struct kept *kept;

/* ---- the loop ---- */

static void interest(struct watch *what, uint32_t events, int operation) {
    struct epoll_event event = { .events = events, .data.ptr = what };
    if (epoll_ctl(loop, operation, what->fd, &event) != 0 && operation != EPOLL_CTL_DEL) dure_die("epoll: %s", strerror(errno));
}

void loop_watch(struct watch *what, int fd, void (*ready)(struct watch *, uint32_t), void *owner) {
    *what = (struct watch){ fd, ready, owner };
    interest(what, EPOLLIN, EPOLL_CTL_ADD);
}

void loop_unwatch(struct watch *what) {
    interest(what, 0, EPOLL_CTL_DEL);
    close(what->fd);
    what->fd = -1;
}

static void pause_logs(bool pause) {
    if (!pause && !paused) return; /* but a program that was started meanwhile must be paused too */
    paused = pause;
    for (struct program *p = programs; p; p = p->next)
        if (p->err.fd >= 0) interest(&p->err, pause ? 0 : EPOLLIN, EPOLL_CTL_MOD);
}

/* ---- sending ---- */

uint64_t link_lost(void) { return lost; }
bool link_greeted(void) { return greeted; }

static void backlog_add(const unsigned char *frame, size_t length) {
    if (backlog.length + length <= BACKLOG_MAX) {
        bytes_add(&backlog, frame, length);
        return;
    }
    dropped_lines++;
    for (size_t i = 26; i < length; i++) dropped_lines += frame[i] == '\n';
    memcpy(dropped_key, frame + 5, KEY_BYTES);
}

static void drop_server(void) {
    if (server.fd < 0) return;
    loop_unwatch(&server);
    greeted = false;
    lost++;
    in.length = 0;
    /* Answers are kept elsewhere; log lines that were not sent whole are sent to the next server. */
    for (size_t at = 0; at < out.length;) {
        size_t size = 4 + get32(out.at + at);
        if (at + size > out_sent && out.at[at + 4] == LOG) backlog_add(out.at + at, size);
        at += size;
    }
    bytes_free(&out);
    out_sent = 0;
    pause_logs(false);
}

static void flush(void) {
    bool failed = false;
    while (out_sent < out.length) {
        ssize_t wrote = send(server.fd, out.at + out_sent, out.length - out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (wrote < 0 && errno == EINTR) continue;
        failed = wrote < 0 && errno != EAGAIN;
        if (wrote < 0) break;
        out_sent += (size_t)wrote;
    }
    if (failed) {
        drop_server();
        return;
    }
    size_t whole = 0;
    while (whole < out.length && whole + 4 + get32(out.at + whole) <= out_sent) whole += 4 + get32(out.at + whole);
    /* Moving the rest to the front is worth it only now and then. */
    if (whole == out.length || whole > SEND_LOW) {
        bytes_drop(&out, whole);
        out_sent -= whole;
    }
    size_t waiting = out.length - out_sent;
    interest(&server, waiting ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    if (waiting > SEND_HIGH) pause_logs(true);
    else if (waiting < SEND_LOW) pause_logs(false);
}

void link_send(const struct bytes *frames) {
    if (!greeted) return;
    bytes_add(&out, frames->at, frames->length);
    flush();
}

void link_log(const struct bytes *frame) {
    if (greeted) link_send(frame);
    else backlog_add(frame->at, frame->length);
}

void link_keep(const struct bytes *frame) {
    struct kept *one = calloc(1, sizeof *one);
    if (!one) dure_die("out of memory");
    bytes_add(&one->frame, frame->at, frame->length);
    one->next = kept;
    kept = one;
}

static struct kept **find_kept(const unsigned char *key) {
    struct kept **at = &kept;
    while (*at && memcmp((*at)->frame.at + 5, key, KEY_BYTES) != 0) at = &(*at)->next;
    return at;
}

static void acknowledge(const unsigned char *key) {
    struct kept **at = find_kept(key), *one = *at;
    if (!one) return;
    *at = one->next;
    if (one->frame.at[4] == RESULT && one->frame.at[17] & IS_PATH) {
        bytes_add(&one->frame, "", 1);
        unlink((const char *)one->frame.at + 18);
    }
    bytes_free(&one->frame);
    free(one);
}

/* ---- frames from the server ---- */

static void send_init_error(void) {
    struct bytes frame = { 0 };
    size_t began = frame_begin(&frame, INIT_ERROR);
    bytes_text(&frame, "{\"errorType\":\"HandlerNotFound\",\"errorMessage\":");
    struct bytes text = { 0 };
    bytes_format(&text, "%.300s cannot be started: it is not an executable file", the_command[0]);
    bytes_json(&frame, text.at, text.length);
    bytes_text(&frame, ",\"stackTrace\":[]}");
    frame_end(&frame, began);
    bytes_free(&text);
    fcntl(server.fd, F_SETFL, 0);
    if (send(server.fd, frame.at, frame.length, MSG_NOSIGNAL) < 0) exit(1);
    exit(1);
}

static void greet(void) {
    struct bytes frames = { 0 };
    size_t began = frame_begin(&frames, READY);
    bytes_format(&frames, "{\"state\":\"%s\",\"pid\":%d,\"runtime\":\"plain\",\"running\":[", the_command[0] ? "ready" : "generic", getpid());
    for (struct program *p = programs; p; p = p->next)
        bytes_format(&frames, "%s[\"%llu\",%u]", p == programs ? "" : ",", (unsigned long long)p->id, p->attempt);
    bytes_text(&frames, "],\"finished\":[");
    for (struct kept *one = kept; one; one = one->next) {
        const unsigned char *key = (const unsigned char *)one->frame.at + 5 /* length and type come first */;
        unsigned long long id = get32(key) | (unsigned long long)get32(key + 4) << 32;
        bytes_format(&frames, "%s[\"%llu\",%u]", one == kept ? "" : ",", id, get32(key + 8));
    }
    bytes_text(&frames, "]}");
    frame_end(&frames, began);
    bytes_add(&frames, backlog.at, backlog.length);
    bytes_free(&backlog);
    if (dropped_lines) {
        began = frame_begin(&frames, LOG);
        bytes_add(&frames, dropped_key, KEY_BYTES);
        bytes_add(&frames, "\2", 1);
        put64(&frames, now_ms());
        bytes_format(&frames, "[dure] %llu lines were dropped while no server was reading", (unsigned long long)dropped_lines);
        frame_end(&frames, began);
        dropped_lines = 0;
    }
    for (struct kept *one = kept; one; one = one->next) bytes_add(&frames, one->frame.at, one->frame.length);
    greeted = true;
    link_send(&frames);
    bytes_free(&frames);
}

static void use(char **command) {
    the_command = command;
    broken_command = command[0] && strchr(command[0], '/') && access(command[0], X_OK) != 0;
}

static bool hello(const unsigned char *body, size_t length) {
    const char *value;
    size_t size;
    if (!json_find((const char *)body, length, "protocol", &value, &size) || size != 1 || *value != '1') return false;
    if (broken_command) send_init_error();
    greet();
    return true;
}

/* Only a generic process takes this, once: the number of words of the command, the words, the environment, each ended by NUL. */
static bool assign(const unsigned char *body, size_t length) {
    if (the_command[0] || !greeted || length == 0 || body[length - 1] != 0) return false;
    char *text = malloc(length), *end = text + length;
    if (!text) dure_die("out of memory");
    memcpy(text, body, length);
    size_t words = strtoul(text, NULL, 10);
    if (words == 0 || words > length) return false;
    char **command = calloc(words + 1, sizeof *command);
    if (!command) dure_die("out of memory");
    text += strlen(text) + 1;
    for (size_t i = 0; i < words && text < end; i++, text += strlen(text) + 1) command[i] = text;
    if (!command[words - 1]) return false;
    clearenv();
    for (; text < end; text += strlen(text) + 1) putenv(text);
    use(command);
    if (broken_command) send_init_error();
    greet();
    return true;
}

static bool invoke(const unsigned char *body, size_t length) {
    if (!greeted || !the_command[0] || length < INVOKE_HEAD || get32(body + INVOKE_HEAD - 4) > length - INVOKE_HEAD) return false;
    for (struct program *p = programs; p; p = p->next)
        if (memcmp(p->key, body, KEY_BYTES) == 0) return true;
    struct kept *told = *find_kept(body);
    if (told) link_send(&told->frame); /* the server forgot that it was told */
    else program_start(the_command, body, length);
    return true;
}

static bool take(unsigned char kind, const unsigned char *body, size_t length) {
    if (kind == HELLO) return hello(body, length);
    if (kind == INVOKE) return invoke(body, length);
    if (kind == ASSIGN) return assign(body, length);
    if (kind != ACK || !greeted || length % KEY_BYTES) return false;
    for (size_t at = 0; at < length; at += KEY_BYTES) acknowledge(body + at);
    return true;
}

static void on_server(struct watch *what, uint32_t events) {
    if (events & EPOLLOUT) flush();
    if (what->fd < 0 || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    static unsigned char piece[64 << 10];
    ssize_t got = recv(what->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        drop_server();
        return;
    }
    bytes_add(&in, piece, (size_t)got);
    size_t at = 0;
    uint64_t before = lost;
    while (in.length - at >= 5) {
        uint32_t length = get32(in.at + at);
        if (length == 0 || length > FRAME_MAX) {
            drop_server();
            return;
        }
        if (in.length - at - 4 < length) break;
        bool good = take(in.at[at + 4], in.at + at + 5, length - 1);
        if (before != lost) return;
        if (!good) {
            fprintf(stderr, "[dure] the server's connection is ended: frame %#x\n", in.at[at + 4]);
            drop_server();
            return;
        }
        at += 4 + length;
    }
    bytes_drop(&in, at);
}

static void on_listener(struct watch *what, uint32_t events) {
    (void)events;
    int fd = accept4(what->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    drop_server();
    loop_watch(&server, fd, on_server, NULL);
}

/* ---- processes ---- */

/* Kills what programs left behind. Only while none runs: nobody can tell whose an orphan is. */
static void sweep(void) {
    if (programs) return;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *list = fopen(path, "re");
    if (!list) return;
    for (int pid; fscanf(list, "%d", &pid) == 1;) kill(pid, SIGKILL);
    fclose(list);
}

static void on_signal(struct watch *what, uint32_t events) {
    (void)events;
    struct signalfd_siginfo told;
    while (read(what->fd, &told, sizeof told) == sizeof told) {
        if (told.ssi_signo == SIGTERM && !stopping) {
            stopping = true;
            if (!programs) exit(EXIT_CANCELLED);
        }
    }
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) program_ended(pid, status);
    sweep();
}

static void listen_for_server(void) {
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    char path[256];
    const char *io = dure_io();
    snprintf(path, sizeof path, "%.200s/fn.sock", io);
    if (snprintf(where.sun_path, sizeof where.sun_path, "%s/fn.sock.new", io) >= (int)sizeof where.sun_path) dure_die("the path of fn.sock is too long");
    unlink(where.sun_path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The worker takes the name's appearance for readiness, so it appears only once connections are accepted. */
    if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof where) != 0 || listen(fd, 16) != 0 || rename(where.sun_path, path) != 0)
        dure_die("cannot listen at %s: %s", path, strerror(errno));
    loop_watch(&listener, fd, on_listener, NULL);
}

static bool time_to_leave(void) {
    if (!stopping || programs) return false;
    if (stop_at_ms == 0) stop_at_ms = elapsed_ms() + LAST_WORDS_MS;
    return (!kept && out_sent == out.length) || !greeted || elapsed_ms() >= stop_at_ms;
}

static int patience_ms(void) {
    if (stopping && !programs) return 20;
    return programs_wait_ms();
}

int dure_plain(char **command) {
    use(command);
    server.fd = -1;
    loop = epoll_create1(EPOLL_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signal(SIGPIPE, SIG_IGN);
    loop_watch(&signals, signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK), on_signal, NULL);
    listen_for_server();
    while (!time_to_leave()) {
        struct epoll_event ready[1]; /* one at a time: handling one may close another */
        bool busy = programs != NULL;
        int count = epoll_wait(loop, ready, 1, patience_ms());
        if (count > 0) {
            struct watch *what = ready[0].data.ptr;
            what->ready(what, ready[0].events);
        }
        programs_give_up();
        if (busy && !programs) sweep();
    }
    return EXIT_CANCELLED;
}
