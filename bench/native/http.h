// A keep-alive HTTP/1.1 client for load: one thread, non-blocking sockets, bodies by Content-Length or in chunks.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_BUFFER (256 * 1024)

struct http_target
{
    const char *host; // an IPv4 address
    int port;
    char headers[4096]; // whole lines, each ended by \r\n
};

struct http_connection
{
    int fd;
    int status;   // of the response being read, 0 before its head is complete
    bool chunked; // how the body is framed
    long left;    // bytes of body or chunk still to come
    bool ended;   // the last chunk's line has been seen
    size_t used;  // bytes in `in` that have not been consumed
    char in[HTTP_BUFFER];
    size_t body_used;
    char body[HTTP_BUFFER]; // the decoded body, its beginning when it is longer
};

int64_t now_ns(void);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void http_open(struct http_connection *connection, const struct http_target *target);
void http_send(struct http_connection *connection, const char *request, size_t length);

// Writes a whole request into a new buffer; `body` may be NULL for a GET.
char *http_request(const struct http_target *target, const char *path, const char *body, size_t *length);

// Reads what is there. True when a whole response is complete: its status and body are then valid until the next
// http_send. A stream never completes: its decoded bytes pile up in `body`, for the caller to consume.
bool http_receive(struct http_connection *connection);
