// store upload|download|puts|floor: the load for object storage, which hashes nothing itself, and the floor for small writes.
#define _GNU_SOURCE
#include "http.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct http_target target;

static void say_rate(int64_t began, double amount)
{
    double seconds = (double)(now_ns() - began) / 1e9;
    printf("{\"seconds\":%.6f,\"per_second\":%.1f}\n", seconds, amount / seconds);
}

static void expect_success(const struct http_connection *connection)
{
    if (connection->status / 100 != 2)
        die("answered %d: %.300s", connection->status, connection->body);
}

static int upload(const char *path, const char *name)
{
    int file = open(name, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) != 0)
        die("%s: %s", name, strerror(errno));
    struct http_connection *connection = calloc(1, sizeof *connection);
    http_open(connection, &target);
    char *head;
    int length = asprintf(&head, "PUT %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: %lld\r\n\r\n", path, target.host, target.port, (long long)facts.st_size);
    int64_t began = now_ns();
    http_send(connection, head, (size_t)length);
    for (off_t at = 0; at < facts.st_size;)
        if (sendfile(connection->fd, file, &at, (size_t)(facts.st_size - at)) <= 0)
            die("sending %s: %s", name, strerror(errno));
    while (!http_receive(connection))
        continue;
    expect_success(connection);
    say_rate(began, (double)facts.st_size);
    return 0;
}

static int download(const char *path)
{
    struct http_connection *connection = calloc(1, sizeof *connection);
    http_open(connection, &target);
    char *request, *end = NULL;
    int length = asprintf(&request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", path, target.host, target.port);
    int64_t began = now_ns();
    http_send(connection, request, (size_t)length);
    size_t used = 0;
    while (end == NULL)
    {
        ssize_t got = recv(connection->fd, connection->in + used, HTTP_BUFFER - 1 - used, 0);
        if (got <= 0)
            die("the answer ended early");
        used += (size_t)got;
        connection->in[used] = '\0';
        end = memmem(connection->in, used, "\r\n\r\n", 4);
    }
    const char *sized = strcasestr(connection->in, "\r\ncontent-length:");
    if (strncmp(connection->in, "HTTP/1.1 200", 12) != 0 || sized == NULL)
        die("answered %.300s", connection->in);
    long long size = atoll(sized + 17), left = size - (long long)(used - (size_t)(end + 4 - connection->in));
    while (left > 0)
    {
        ssize_t got = recv(connection->fd, connection->in, HTTP_BUFFER, 0);
        if (got <= 0)
            die("the answer ended %lld bytes early", left);
        left -= got;
    }
    say_rate(began, (double)size);
    return 0;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static char *next_put(char *body, size_t bytes, size_t *length)
{
    static char path[4096];
    if (fgets(path, sizeof path, stdin) == NULL)
        return NULL;
    path[strcspn(path, "\n")] = '\0';
    char *request = malloc(sizeof path + 256 + bytes);
    int head = sprintf(request, "PUT %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: %zu\r\n\r\n", path, target.host, target.port, bytes);
    memcpy(request + head, body, bytes);
    *length = (size_t)head + bytes;
    return request;
}

// Each connection puts its next object when the last was acknowledged.
static int puts_small(int count, size_t bytes)
{
    char *body = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        body[i] = (char)rand();
    struct http_connection *connections = calloc((size_t)count, sizeof *connections);
    int64_t *sent_at = calloc((size_t)count, sizeof *sent_at);
    double *took_us = NULL;
    long done = 0, room = 0, under_way = 0;
    size_t length;
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++)
    {
        http_open(&connections[i], &target);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    int64_t began = now_ns();
    for (int i = 0; i < count; i++)
    {
        char *request = next_put(body, bytes, &length);
        if (request == NULL)
            break;
        sent_at[i] = now_ns();
        http_send(&connections[i], request, length);
        free(request);
        under_way++;
    }
    while (under_way > 0)
    {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, -1);
        for (int e = 0; e < ready; e++)
        {
            uint32_t i = events[e].data.u32;
            if (!http_receive(&connections[i]))
                continue;
            expect_success(&connections[i]);
            if (done == room)
                took_us = realloc(took_us, sizeof *took_us * (size_t)(room = room * 2 + 1024));
            took_us[done++] = (double)(now_ns() - sent_at[i]) / 1000;
            under_way--;
            char *request = next_put(body, bytes, &length);
            if (request == NULL)
                continue;
            sent_at[i] = now_ns();
            http_send(&connections[i], request, length);
            free(request);
            under_way++;
        }
    }
    double seconds = (double)(now_ns() - began) / 1e9;
    if (done == 0)
        die("no path was given");
    qsort(took_us, (size_t)done, sizeof *took_us, compare);
    printf("{\"per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", (double)done / seconds, took_us[done / 2], took_us[done * 99 / 100]);
    return 0;
}

struct writer
{
    const char *folder;
    int number, count;
    size_t bytes;
    bool flush_folder;
};

static void must(bool worked, const char *what)
{
    if (!worked)
        die("%s: %s", what, strerror(errno));
}

// A temporary file, fsync, rename, and the folder's fsync, for every object.
static void *write_files(void *argument)
{
    struct writer *writer = argument;
    char *body = malloc(writer->bytes), temporary[4096], path[4096];
    memset(body, 'x', writer->bytes);
    int folder = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(folder >= 0, writer->folder);
    for (int i = 0; i < writer->count; i++)
    {
        snprintf(temporary, sizeof temporary, "%s/.%d-%d", writer->folder, writer->number, i);
        snprintf(path, sizeof path, "%s/%d-%d", writer->folder, writer->number, i);
        int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        must(file >= 0 && write(file, body, writer->bytes) == (ssize_t)writer->bytes && fsync(file) == 0 && close(file) == 0, temporary);
        must(rename(temporary, path) == 0 && (!writer->flush_folder || fsync(folder) == 0), path);
    }
    close(folder);
    free(body);
    return NULL;
}

static int floor_of(const char *folder, int threads, int count, size_t bytes, bool flush_folder)
{
    pthread_t *running = calloc((size_t)threads, sizeof *running);
    struct writer *writers = calloc((size_t)threads, sizeof *writers);
    int64_t began = now_ns();
    for (int i = 0; i < threads; i++)
    {
        writers[i] = (struct writer){folder, i, count / threads, bytes, flush_folder};
        must(pthread_create(&running[i], NULL, write_files, &writers[i]) == 0, "a thread");
    }
    for (int i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    say_rate(began, (double)(count / threads * threads));
    return 0;
}

int main(int count, char **words)
{
    if (count == 7 && strcmp(words[1], "floor") == 0)
        return floor_of(words[2], atoi(words[3]), atoi(words[4]), (size_t)atol(words[5]), strcmp(words[6], "folder") == 0);
    char *colon = count >= 4 ? strchr(words[2], ':') : NULL;
    if (colon == NULL)
    {
        fputs("usage: store upload HOST:PORT PATH FILE | download HOST:PORT PATH\n"
              "       store puts HOST:PORT CONNECTIONS BYTES < PATHS\n"
              "       store floor FOLDER THREADS COUNT BYTES folder|file\n", stderr);
        return 2;
    }
    *colon = '\0';
    target.host = words[2];
    target.port = atoi(colon + 1);
    if (count == 5 && strcmp(words[1], "upload") == 0)
        return upload(words[3], words[4]);
    if (count == 4 && strcmp(words[1], "download") == 0)
        return download(words[3]);
    if (count == 5 && strcmp(words[1], "puts") == 0)
        return puts_small(atoi(words[3]), (size_t)atol(words[4]));
    die("no such mode or arguments: %s", words[1]);
}
