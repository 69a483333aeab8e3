/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the test programs share: expectations that count what failed, and go on. */
#ifndef CLIB_LIB_H
#define CLIB_LIB_H

#include <gasdetect.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int failures;

#define EXPECT(yes, ...)                                                                                       \
    do {                                                                                                       \
        if (!(yes)) {                                                                                          \
            failures++;                                                                                        \
            fprintf(stderr, "not ok %s:%d: %s: ", __FILE__, __LINE__, #yes);                                   \
            fprintf(stderr, __VA_ARGS__);                                                                      \
            fprintf(stderr, " (%s)\n", gasd_error_message());                                                  \
        }                                                                                                      \
    } while (0)

/* Says that a behaviour holds, if nothing failed since the last one. */
static inline void ok(const char *behaviour)
{
    static int told;

    if (failures == told)
        printf("ok %s\n", behaviour);
    told = failures;
    fflush(stdout);
}

static inline double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline uint64_t boottime_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Dispatches for so long, or until *flag is not 0. */
static inline void run_for(gasd_client *client, double at_most, const volatile int *flag)
{
    double until = seconds() + at_most;

    while (seconds() < until && !(flag && *flag)) {
        struct pollfd fds = { gasd_client_fd(client), POLLIN, 0 };

        if (gasd_client_dispatch(client) != GASD_OK)
            return;
        poll(&fds, 1, 20);
    }
}

/* Dispatches until the state is so; whether it came. */
static inline int until_state(gasd_client *client, uint32_t state, double at_most)
{
    double until = seconds() + at_most;

    while (seconds() < until) {
        uint32_t now = 99;

        run_for(client, 0.01, NULL);
        if (gasd_client_state(client, &now) == GASD_OK && now == state)
            return 1;
    }
    return 0;
}

#endif
