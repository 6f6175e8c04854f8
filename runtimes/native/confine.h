/* What a process gives up before code that we do not know runs in it. Every function returns 0, or -1 with errno set. */
#ifndef DURE_CONFINE_H
#define DURE_CONFINE_H

enum { DURE_KEEP_NAMESPACES = 1 }; /* leaves mount, unshare, setns and clone's CLONE_NEW* to the zygote */

int dure_seccomp(unsigned flags);
int dure_drop_capabilities(void);
int dure_limits(long open_files); /* no core files; open_files 0 leaves the limit as it is */

#endif
