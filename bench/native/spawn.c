// spawn COUNT PAUSE_MS COMMAND [ARG...]: starts COMMAND COUNT times, one after the other, and prints the time from
// the start to the end of each as a JSON array of microseconds. Its output goes to /dev/null.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

int main(int count, char **arguments)
{
    if (count < 4)
    {
        fprintf(stderr, "usage: spawn COUNT PAUSE_MS COMMAND [ARG...]\n");
        return 2;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < atoi(arguments[1]); i++)
    {
        pid_t pid;
        int status;
        usleep((useconds_t)atoi(arguments[2]) * 1000);
        double start = now_us();
        if (posix_spawnp(&pid, arguments[3], &actions, NULL, arguments + 3, environ) != 0
            || waitpid(pid, &status, 0) != pid || status != 0)
        {
            fprintf(stderr, "%s did not end with 0\n", arguments[3]);
            return 1;
        }
        printf("%c%.1f", i == 0 ? '[' : ',', now_us() - start);
    }
    puts("]");
    return 0;
}
