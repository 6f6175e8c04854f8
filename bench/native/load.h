// What every mode of `load` is told on the command line.
#pragma once
#include "http.h"

struct options
{
    struct http_target target;
    const char *path;
    const char *events; // SSE stream that announces completions
    const char *body;
    const char *status; // path whose JSON has "running" and "waiting"
    long count;
    int connections;
    int batch; // events in one request
    int rate;  // requests a second
    int seconds;
    int pause_ms;
};

int drain(const struct options *options);
int paced(const struct options *options);
int each(const struct options *options);

// Prints "name": {"p50":..,"p99":..,"min":..,"max":..} in microseconds; sorts the values.
void print_spread(const char *name, double *values, long count);
