#define _GNU_SOURCE
#include "http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void http_open(struct http_connection *connection, const struct http_target *target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target->port)};
    if (inet_pton(AF_INET, target->host, &address.sin_addr) != 1)
        die("%s is not an IPv4 address", target->host);
    memset(connection, 0, offsetof(struct http_connection, in));
    connection->body_used = 0;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("cannot connect to %s:%d: %s", target->host, target->port, strerror(errno));
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

char *http_request(const struct http_target *target, const char *path, const char *body, size_t *length)
{
    char *request = NULL;
    int made = body == NULL
        ? asprintf(&request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n", path, target->host, target->port, target->headers)
        : asprintf(&request, "POST %s HTTP/1.1\r\nHost: %s:%d\r\n%sContent-Length: %zu\r\n\r\n%s", path, target->host,
                   target->port, target->headers, strlen(body), body);
    if (made < 0)
        die("out of memory");
    *length = (size_t)made;
    return request;
}

void http_send(struct http_connection *connection, const char *request, size_t length)
{
    connection->status = 0;
    connection->ended = false;
    connection->body_used = 0;
    while (length > 0)
    {
        ssize_t sent = send(connection->fd, request, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            die("sending a request: %s", strerror(errno));
        request += sent;
        length -= (size_t)sent;
    }
}

static void consume(struct http_connection *connection, size_t count)
{
    connection->used -= count;
    memmove(connection->in, connection->in + count, connection->used);
}

static bool read_head(struct http_connection *connection)
{
    char *end = memmem(connection->in, connection->used, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    end[2] = '\0';
    if (sscanf(connection->in, "HTTP/1.1 %d", &connection->status) != 1)
        die("not an HTTP/1.1 response: %.60s", connection->in);
    const char *sized = strcasestr(connection->in, "\r\ncontent-length:");
    connection->chunked = strcasestr(connection->in, "\r\ntransfer-encoding: chunked") != NULL;
    connection->left = sized != NULL ? atol(sized + 17) : 0;
    consume(connection, (size_t)(end + 4 - connection->in));
    return true;
}

static void take_body(struct http_connection *connection)
{
    size_t count = connection->used < (size_t)connection->left ? connection->used : (size_t)connection->left;
    size_t room = HTTP_BUFFER - 1 - connection->body_used;
    size_t kept = count < room ? count : room;
    memcpy(connection->body + connection->body_used, connection->in, kept);
    connection->body_used += kept;
    connection->body[connection->body_used] = '\0';
    connection->left -= (long)count;
    consume(connection, count);
}

// Takes one chunk's size line, or the line end after a chunk. False when it has not come yet.
static bool read_chunk_line(struct http_connection *connection)
{
    char *end = memmem(connection->in, connection->used, "\r\n", 2);
    if (end == NULL)
        return false;
    if (end != connection->in)
    {
        connection->left = strtol(connection->in, NULL, 16);
        connection->ended = connection->left == 0;
    }
    else if (connection->ended)
    {
        connection->left = -1;
    }
    consume(connection, (size_t)(end + 2 - connection->in));
    return true;
}

static bool parse(struct http_connection *connection)
{
    if (connection->status == 0 && !read_head(connection))
        return false;
    if (!connection->chunked)
    {
        take_body(connection);
        return connection->left == 0;
    }
    for (;;)
    {
        if (connection->left > 0)
            take_body(connection);
        if (connection->left > 0 || !read_chunk_line(connection))
            return false;
        if (connection->left < 0)
        {
            connection->left = 0;
            return true;
        }
    }
}

bool http_receive(struct http_connection *connection)
{
    ssize_t got = recv(connection->fd, connection->in + connection->used, HTTP_BUFFER - connection->used, 0);
    if (got < 0 && errno == EINTR)
        return false;
    if (got <= 0)
        die("the server closed a connection%s%s", got < 0 ? ": " : "", got < 0 ? strerror(errno) : "");
    connection->used += (size_t)got;
    return parse(connection);
}
