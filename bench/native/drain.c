// drain: COUNT events over a fixed number of keep-alive connections, each sending its next request when it has the
// answer to the last; then, with -w, asks every 2 ms until nothing waits or runs. `each`: one request per given path.
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static char *repeat(const char *body, int times)
{
    size_t length = strlen(body) + 1;
    char *all = malloc(length * (size_t)times + 1);
    for (int i = 0; i < times; i++)
    {
        memcpy(all + length * (size_t)i, body, length - 1);
        all[length * (size_t)(i + 1) - 1] = '\n';
    }
    all[length * (size_t)times] = '\0';
    return all;
}

static void ask(struct http_connection *connection, const char *request, size_t length)
{
    http_send(connection, request, length);
    while (!http_receive(connection))
        continue;
    if (connection->status / 100 != 2)
        die("answered %d: %.300s", connection->status, connection->body);
}

static long number_of(const char *json, const char *key)
{
    const char *at = strstr(json, key);
    return at != NULL ? atol(at + strlen(key)) : -1;
}

static int64_t wait_until_idle(const struct options *options, struct http_connection *connection)
{
    size_t length;
    char *request = http_request(&options->target, options->status, NULL, &length);
    for (;;)
    {
        ask(connection, request, length);
        long running = number_of(connection->body, "\"running\":"), waiting = number_of(connection->body, "\"waiting\":");
        if (running < 0 || waiting < 0)
            die("%s has no running and waiting: %.300s", options->status, connection->body);
        if (running == 0 && waiting == 0)
            return now_ns();
        usleep(2000);
    }
}

int drain(const struct options *options)
{
    long requests = (options->count + options->batch - 1) / options->batch, sent = 0, answered = 0;
    size_t length;
    char *body = options->batch > 1 ? repeat(options->body, options->batch) : strdup(options->body);
    char *request = http_request(&options->target, options->path, body, &length);
    struct http_connection *connections = calloc((size_t)options->connections, sizeof *connections);
    int64_t *sent_at = calloc((size_t)options->connections, sizeof *sent_at);
    double *acknowledged_us = calloc((size_t)requests, sizeof *acknowledged_us);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options->connections; i++)
    {
        http_open(&connections[i], &options->target);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }

    int64_t first = now_ns(), acknowledged;
    for (int i = 0; i < options->connections && sent < requests; i++, sent++)
    {
        sent_at[i] = now_ns();
        http_send(&connections[i], request, length);
    }
    while (answered < requests)
    {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, -1);
        for (int e = 0; e < ready; e++)
        {
            uint32_t i = events[e].data.u32;
            if (!http_receive(&connections[i]))
                continue;
            if (connections[i].status / 100 != 2)
                die("answered %d: %.300s", connections[i].status, connections[i].body);
            acknowledged_us[answered++] = (double)(now_ns() - sent_at[i]) / 1000;
            if (sent < requests)
            {
                sent_at[i] = now_ns();
                http_send(&connections[i], request, length);
                sent++;
            }
        }
    }
    acknowledged = now_ns();
    int64_t idle = options->status != NULL ? wait_until_idle(options, &connections[0]) : acknowledged;
    printf("{\"jobs\":%ld,\"first_ns\":%ld,\"acknowledged_ns\":%ld,\"idle_ns\":%ld,", requests * options->batch, first,
           acknowledged, idle);
    print_spread("acknowledged_us", acknowledged_us, answered);
    puts("}");
    return 0;
}

int each(const struct options *options)
{
    static struct http_connection connection;
    http_open(&connection, &options->target);
    char path[4096];
    for (bool first = true; fgets(path, sizeof path, stdin) != NULL; first = false)
    {
        path[strcspn(path, "\n")] = '\0';
        size_t length;
        char *request = http_request(&options->target, path, options->body, &length);
        usleep((useconds_t)options->pause_ms * 1000);
        int64_t start = now_ns();
        ask(&connection, request, length);
        printf("%c%.1f", first ? '[' : ',', (double)(now_ns() - start) / 1000);
        fflush(stdout);
        free(request);
    }
    puts("]");
    return 0;
}
