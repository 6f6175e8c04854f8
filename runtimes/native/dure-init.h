#ifndef DURE_INIT_H
#define DURE_INIT_H

_Noreturn void dure_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void dure_become(char **command); /* exec; exits 126 or 127 as a shell would when that fails */
const char *dure_io(void);                  /* the folder shared with the worker and the server */

int dure_plain(char **command);      /* serves the function protocol, one start of the command per invocation */
void dure_hand_over_listener(void);  /* runtime-api: gives the worker a listener in this network namespace */
void dure_zygote_namespaces(void);   /* returns in a child that may make namespaces for its own children */

#endif
