// load drain|paced|each: the HTTP load generator for queued and cold invocations (warm synchronous calls use wrk).
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void print_spread(const char *name, double *values, long count)
{
    if (count == 0)
        die("no value for %s", name);
    qsort(values, (size_t)count, sizeof *values, compare);
    printf("\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"min\":%.1f,\"max\":%.1f,\"count\":%ld}", name, values[count / 2],
           values[count * 99 / 100], values[0], values[count - 1], count);
}

static void usage(void)
{
    fputs("usage: load drain -a HOST:PORT -p PATH -n COUNT -c CONNECTIONS [-k BATCH] [-w STATUSPATH]\n"
          "       load paced -a HOST:PORT -p PATH -r RATE -s SECONDS -e EVENTSPATH\n"
          "       load each  -a HOST:PORT -i PAUSE_MS < PATHS\n"
          "       common: -b BODY, -H 'Header: value' (repeated)\n", stderr);
    exit(2);
}

static struct options read_options(int count, char **arguments)
{
    struct options options = {.body = "{\"n\":1}", .connections = 1, .batch = 1, .rate = 100, .seconds = 5, .path = "/"};
    for (int flag; (flag = getopt(count, arguments, "a:p:e:w:b:H:n:c:k:r:s:i:")) != -1;)
    {
        switch (flag)
        {
        case 'a':
        {
            char *colon = strchr(optarg, ':');
            if (colon == NULL)
                usage();
            *colon = '\0';
            options.target.host = optarg;
            options.target.port = atoi(colon + 1);
            break;
        }
        case 'p': options.path = optarg; break;
        case 'e': options.events = optarg; break;
        case 'w': options.status = optarg; break;
        case 'b': options.body = optarg; break;
        case 'H':
            if (strlen(options.target.headers) + strlen(optarg) + 3 > sizeof options.target.headers)
                die("headers are too long");
            strcat(strcat(options.target.headers, optarg), "\r\n");
            break;
        case 'n': options.count = atol(optarg); break;
        case 'c': options.connections = atoi(optarg); break;
        case 'k': options.batch = atoi(optarg); break;
        case 'r': options.rate = atoi(optarg); break;
        case 's': options.seconds = atoi(optarg); break;
        case 'i': options.pause_ms = atoi(optarg); break;
        default: usage();
        }
    }
    if (options.target.host == NULL)
        usage();
    return options;
}

int main(int count, char **arguments)
{
    if (count < 2)
        usage();
    struct options options = read_options(count - 1, arguments + 1);
    if (strcmp(arguments[1], "drain") == 0)
        return drain(&options);
    if (strcmp(arguments[1], "paced") == 0)
        return paced(&options);
    if (strcmp(arguments[1], "each") == 0)
        return each(&options);
    usage();
}
