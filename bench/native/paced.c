// paced: RATE requests a second for SECONDS, whatever the answers do; completions are read from an SSE stream. The time
// of one job runs from just before its request is sent to when `"state":"SUCCESS"` with its id has been read.
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define IDLE_CONNECTIONS 32
#define SLOTS 65536

struct job
{
    char id[40];
    int64_t sent, acknowledged, done;
};

static struct job jobs[SLOTS];
static struct http_connection connections[IDLE_CONNECTIONS], stream;
static int64_t sent_at[IDLE_CONNECTIONS];

// The job with this id, made when it is new: its completion may be read before the answer to its request.
static struct job *find(const char *id)
{
    uint32_t hash = 2166136261u;
    for (const char *at = id; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    for (uint32_t i = hash % SLOTS;; i = (i + 1) % SLOTS)
    {
        if (jobs[i].id[0] == '\0')
            snprintf(jobs[i].id, sizeof jobs[i].id, "%s", id);
        if (strcmp(jobs[i].id, id) == 0)
            return &jobs[i];
    }
}

static bool read_id(const char *json, char *id, size_t room)
{
    const char *at = strstr(json, "\"id\":\"");
    const char *end = at != NULL ? strchr(at + 6, '"') : NULL;
    if (end == NULL || (size_t)(end - at - 6) >= room)
        return false;
    memcpy(id, at + 6, (size_t)(end - at - 6));
    id[end - at - 6] = '\0';
    return true;
}

// Takes the whole lines that the stream has brought so far. Returns how many jobs they say are done.
static long read_events(void)
{
    long done = 0;
    int64_t now = now_ns();
    char *line = stream.body, *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
    {
        *end = '\0';
        char id[40];
        if (strncmp(line, "data:", 5) != 0 || strstr(line, "\"state\":\"SUCCESS\"") == NULL || !read_id(line, id, sizeof id))
            continue;
        struct job *job = find(id);
        done += job->done == 0;
        job->done = job->done == 0 ? now : job->done;
    }
    stream.body_used -= (size_t)(line - stream.body);
    memmove(stream.body, line, stream.body_used + 1);
    return done;
}

static void watch(int poll, int fd, uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void acknowledge(struct http_connection *connection, int64_t sent)
{
    char id[40];
    if (connection->status / 100 != 2 || !read_id(connection->body, id, sizeof id))
        die("answered %d: %.300s", connection->status, connection->body);
    struct job *job = find(id);
    job->sent = sent;
    job->acknowledged = now_ns();
}

static void print_result(long count)
{
    double *done_us = calloc((size_t)count, sizeof *done_us), *acknowledged_us = calloc((size_t)count, sizeof *acknowledged_us);
    long finished = 0, acknowledged = 0;
    for (int i = 0; i < SLOTS; i++)
    {
        if (jobs[i].sent == 0)
            continue;
        acknowledged_us[acknowledged++] = (double)(jobs[i].acknowledged - jobs[i].sent) / 1000;
        if (jobs[i].done != 0)
            done_us[finished++] = (double)(jobs[i].done - jobs[i].sent) / 1000;
    }
    printf("{\"jobs\":%ld,\"lost\":%ld,", count, count - finished);
    print_spread("acknowledged_us", acknowledged_us, acknowledged);
    putchar(',');
    print_spread("done_us", done_us, finished);
    puts("}");
}

int paced(const struct options *options)
{
    size_t length, events_length;
    char *request = http_request(&options->target, options->path, options->body, &length);
    char *events = http_request(&options->target, options->events, NULL, &events_length);
    int poll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    bool busy[IDLE_CONNECTIONS] = {false};
    http_open(&stream, &options->target);
    http_send(&stream, events, events_length);
    watch(poll, stream.fd, IDLE_CONNECTIONS);
    for (uint32_t i = 0; i < IDLE_CONNECTIONS; i++)
    {
        http_open(&connections[i], &options->target);
        watch(poll, connections[i].fd, i);
    }
    usleep(300000); // the stream is open before the first job
    long period_ns = 1000000000L / options->rate;
    struct itimerspec ticks = {{period_ns / 1000000000L, period_ns % 1000000000L}, {0, 1}};
    timerfd_settime(timer, 0, &ticks, NULL);
    watch(poll, timer, IDLE_CONNECTIONS + 1);

    long count = (long)options->rate * options->seconds, due = 0, sent = 0, done = 0;
    if (count > SLOTS / 2)
        die("at most %d jobs", SLOTS / 2);
    int64_t give_up = now_ns() + (options->seconds + 20) * 1000000000LL;
    while (done < count && now_ns() < give_up)
    {
        struct epoll_event ready[8];
        int number = epoll_wait(poll, ready, 8, 1000);
        for (int e = 0; e < number; e++)
        {
            uint32_t i = ready[e].data.u32;
            uint64_t expired;
            if (i == IDLE_CONNECTIONS + 1 && read(timer, &expired, sizeof expired) == sizeof expired)
                due += (long)expired;
            else if (i == IDLE_CONNECTIONS)
                http_receive(&stream), done += read_events();
            else if (i < IDLE_CONNECTIONS && http_receive(&connections[i]))
                acknowledge(&connections[i], sent_at[i]), busy[i] = false;
        }
        for (int i = 0; i < IDLE_CONNECTIONS && sent < due && sent < count; i++)
        {
            if (busy[i])
                continue;
            busy[i] = true;
            sent_at[i] = now_ns();
            http_send(&connections[i], request, length);
            sent++;
        }
    }
    print_result(count);
    return 0;
}
