#define _GNU_SOURCE
#include "dure-init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int listen_on(const char *address) {
    char host[64];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof host) dure_die("not host:port: %s", address);
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
    if (inet_pton(AF_INET, host, &where.sin_addr) != 1) dure_die("not an IPv4 address: %s", host);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0
        || bind(listener, (struct sockaddr *)&where, sizeof where) != 0 || listen(listener, 128) != 0)
        dure_die("cannot listen on %s: %s", address, strerror(errno));
    return listener;
}

static int connect_to_worker(void) {
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    if (snprintf(where.sun_path, sizeof where.sun_path, "%s/listener.sock", dure_io()) >= (int)sizeof where.sun_path)
        dure_die("the path of listener.sock is too long");
    for (int tries = 0;; tries++) {
        int link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(link, (struct sockaddr *)&where, sizeof where) == 0) return link;
        if (tries == 1000) dure_die("no worker at %s: %s", where.sun_path, strerror(errno));
        close(link);
        nanosleep(&(struct timespec){ 0, 5 * 1000 * 1000 }, NULL);
    }
}

void dure_hand_over_listener(void) {
    const char *address = getenv("DURE_RUNTIME_API");
    if (!address) address = "127.0.0.1:9001";
    int listener = listen_on(address);
    int worker = connect_to_worker();
    char control[CMSG_SPACE(sizeof listener)] = { 0 }, byte = 1;
    struct iovec piece = { &byte, 1 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof listener);
    memcpy(CMSG_DATA(header), &listener, sizeof listener);
    if (sendmsg(worker, &message, MSG_NOSIGNAL) != 1) dure_die("cannot hand over the listener: %s", strerror(errno));
    close(worker);
    close(listener);
    setenv("AWS_LAMBDA_RUNTIME_API", address, 1);
    unsetenv("DURE_RUNTIME_API");
}
