// The least that a compiled handler does: read the event, answer with it. Built static, it is the floor for C++.
#include <unistd.h>

int main()
{
    char event[65536];
    for (ssize_t got; (got = read(0, event, sizeof event)) > 0;)
        if (write(1, event, static_cast<size_t>(got)) != got)
            return 1;
    return 0;
}
