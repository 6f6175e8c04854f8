/* Plain mode: dure-init speaks the function protocol and starts the program once per invocation. */
#ifndef DURE_PLAIN_H
#define DURE_PLAIN_H

#include "frames.h"
#include <sys/types.h>

enum { LINE_MAX_BYTES = 64 << 10, TAIL_BYTES = 4 << 10 };

/* Something the event loop waits for. The loop calls ready with it. */
struct watch {
    int fd;
    void (*ready)(struct watch *, uint32_t events);
    void *owner;
};

/* One invocation and the process that runs it. */
struct program {
    struct program *next;
    unsigned char key[KEY_BYTES];
    uint64_t id;
    uint32_t attempt;
    pid_t pid;
    struct watch out, err;  /* fd -1 once closed */
    struct bytes result;    /* stdout, until it is too long for memory */
    int spool;              /* where it goes then, -1 before */
    int spool_error;        /* errno of a write to it that failed */
    bool streamed;          /* stdout is sent as it comes, too */
    uint64_t lost;          /* connections lost when it began to stream */
    struct bytes line;      /* what stderr said since its last newline */
    struct bytes tail;      /* the last that stderr said, for the error message */
    bool exited;
    int status;
    uint64_t give_up_ms;    /* when to stop waiting for the pipes of a process that ended, elapsed_ms */
};

/* plain.c: the loop and the connection */
void loop_watch(struct watch *what, int fd, void (*ready)(struct watch *, uint32_t), void *owner);
void loop_unwatch(struct watch *what); /* closes too */
void link_send(const struct bytes *frames);               /* when a server is there */
void link_keep(const struct bytes *frame);                /* said again until acknowledged */
void link_log(const struct bytes *frame);                 /* sent, or kept within bounds */
uint64_t link_lost(void);
bool link_greeted(void);

/* program.c: one process per invocation */
extern struct program *programs;
void program_start(char **command, const unsigned char *body, size_t length);
bool program_ended(pid_t pid, int status); /* false when it was not one of ours but an orphan */
void programs_give_up(void);               /* ends those whose pipes stay open although they exited */
int programs_wait_ms(void);                /* until programs_give_up has something to do, -1 for never */

#endif
