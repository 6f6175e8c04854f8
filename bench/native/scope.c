// scope COMMAND [ARG...]: runs COMMAND and stays the parent of everything it starts, daemons too.
// Its /proc/PID/stat then accounts for every process that has ended (cutime, cstime), and its tree holds all that
// live. On TERM or INT, or when the program that started it dies, the command gets TERM, and after the grace of
// SCOPE_GRACE_MS (5000) whatever is left gets KILL, level by level, until nothing is left.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void on_end(int number)
{
    (void)number;
    ending = 1;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void signal_children(int number)
{
    FILE *children = fopen("/proc/thread-self/children", "r");
    if (children == NULL)
        return;
    long pid;
    while (fscanf(children, "%ld", &pid) == 1)
        kill((pid_t)pid, number);
    fclose(children);
}

// Orphans of a killed child become children of this process, so killing children again and again ends the tree.
static void end_all(pid_t command, long grace_ms)
{
    kill(command, SIGTERM);
    for (long until = now_ms() + grace_ms; now_ms() < until;)
    {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return;
        if (pid == 0)
            usleep(5000);
        if (pid == command)
            break;
    }
    for (;;)
    {
        signal_children(SIGKILL);
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return;
        if (pid == 0)
            usleep(2000);
    }
}

int main(int count, char **arguments)
{
    if (count < 2)
    {
        fprintf(stderr, "usage: scope COMMAND [ARG...]\n");
        return 2;
    }
    const char *grace = getenv("SCOPE_GRACE_MS");
    pid_t parent = getppid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 1;

    struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    pid_t command = fork();
    if (command == 0)
    {
        setpgid(0, 0);
        execvp(arguments[1], arguments + 1);
        perror(arguments[1]);
        _exit(127);
    }

    int code = 1;
    while (!ending)
    {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == command)
            code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (pid < 0 && errno == ECHILD)
            return code;
    }
    end_all(command, grace != NULL ? atol(grace) : 5000);
    return code;
}
