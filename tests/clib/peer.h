/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program that passes for gasd: it owns io.gasd1 on a private bus and answers as a test says. It lives in the
 * process and thread of the client that it is to break, so a client that waits for it would hang for ever. */
#ifndef CLIB_PEER_H
#define CLIB_PEER_H

#include "lib.h"
#include <sys/socket.h>
#include <sys/syscall.h>
#include <systemd/sd-bus.h>

/* What a client asks for. */
enum { OBJECTS, VERSION, SUBSCRIBE, FEED, LIVE, REQUEST, QUESTIONS };
typedef int answer(sd_bus_message *call);

static sd_bus *gasd, *stranger;
/* How the next calls are answered, and how many there were. */
static answer *answers[QUESTIONS];
static unsigned asked[QUESTIONS];
/* The client's unique name, and its last request. */
static char client_name[64];
static sd_bus_message *request;
/* Answers to what was never asked that came to gasd. */
static unsigned unasked;
/* Our ends of the sockets that were handed out last. */
static int stream_end = -1, feed_end = -1;

/* The client's clock, moved: what would take a minute takes none. */
static time_t later;
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int r = (int)syscall(SYS_clock_gettime, clock, now);

    if (r == 0 && clock == CLOCK_MONOTONIC)
        now->tv_sec += later;
    return r;
}

static uint64_t key_of(const char *id)
{
    uint64_t key = 0xcbf29ce484222325u;

    while (*id)
        key = (key ^ (unsigned char)*id++) * 0x100000001b3u;
    return key;
}

/* The two ends of a new socket; ours goes to *ours. */
static int hand_out(sd_bus_message *call, int type, int *ours)
{
    int ends[2], r;

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return -1;
    if (*ours >= 0)
        close(*ours);
    *ours = ends[0];
    r = sd_bus_reply_method_return(call, "h", ends[1]);
    close(ends[1]);
    return r;
}

/* The answers of a gasd that is as it should be, with the meter kitchen and the valve main. */
static int good_objects(sd_bus_message *call)
{
    return sd_bus_reply_method_return(call, "a{oa{sa{sv}}}", 2,
        "/io/gasd1/meters/kitchen", 1, "io.gasd1.Meter", 2, "Id", "s", "kitchen", "Key", "t", key_of("kitchen"),
        "/io/gasd1/valves/main", 1, "io.gasd1.Valve", 4, "Id", "s", "main", "Key", "t", key_of("main"),
        "Position", "s", "open", "Health", "s", "ok");
}
static int good_version(sd_bus_message *call) { return sd_bus_reply_method_return(call, "a{sv}", 1, "Version", "s", "9.9"); }
static int good_stream(sd_bus_message *call) { return hand_out(call, SOCK_SEQPACKET, &stream_end); }
static int good_feed(sd_bus_message *call) { return hand_out(call, SOCK_SEQPACKET, &feed_end); }
static int no_page(sd_bus_message *call) { return sd_bus_reply_method_errorf(call, "io.gasd1.Error.NoPage", "no page"); }
/* A request is answered by the test itself. */
static int keep(sd_bus_message *call)
{
    sd_bus_message_unref(request);
    request = sd_bus_message_ref(call);
    return 1;
}

static void be_good(void)
{
    answers[OBJECTS] = good_objects, answers[VERSION] = good_version, answers[SUBSCRIBE] = good_stream;
    answers[FEED] = good_feed, answers[LIVE] = no_page, answers[REQUEST] = keep;
    memset(asked, 0, sizeof asked);
}

static int on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
    static const char *const MEMBERS[] = { "GetManagedObjects", "GetAll", "Subscribe", "Feed", "Live" };
    uint8_t type = 0;
    int question = 0;

    (void)data, (void)error;
    sd_bus_message_get_type(message, &type);
    unasked += type == SD_BUS_MESSAGE_METHOD_RETURN;
    if (type != SD_BUS_MESSAGE_METHOD_CALL || strncmp(sd_bus_message_get_path(message), "/io/gasd1", 9) != 0)
        return 0;
    snprintf(client_name, sizeof client_name, "%s", sd_bus_message_get_sender(message));
    while (question < REQUEST && strcmp(sd_bus_message_get_member(message), MEMBERS[question]) != 0)
        question++;
    asked[question]++;
    EXPECT(answers[question](message) > 0, "the answer to %s was not sent", sd_bus_message_get_member(message));
    return 1;
}

static sd_bus *connection(const char *address)
{
    sd_bus *bus = NULL;

    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, 1) < 0 ||
        sd_bus_negotiate_fds(bus, 1) < 0 || sd_bus_start(bus) < 0) {
        fprintf(stderr, "not ok no connection to %s\n", address);
        exit(1);
    }
    return bus;
}

static void begin(const char *address)
{
    gasd = connection(address), stranger = connection(address);
    be_good();
    if (sd_bus_add_filter(gasd, NULL, on_message, NULL) < 0 || sd_bus_request_name(gasd, "io.gasd1", 0) < 0)
        exit(1);
}

/* How often the client's descriptor was readable. */
static unsigned wakes;

static void step(gasd_client *client)
{
    struct pollfd fds[] = { { gasd_client_fd(client), POLLIN, 0 }, { sd_bus_get_fd(gasd), POLLIN, 0 },
                            { sd_bus_get_fd(stranger), POLLIN, 0 } };

    poll(fds, 3, 5);
    wakes += fds[0].revents != 0;
    EXPECT(gasd_client_dispatch(client) == GASD_OK, "dispatch");
    while (sd_bus_process(gasd, NULL) > 0)
        ;
    while (sd_bus_process(stranger, NULL) > 0)
        ;
    sd_bus_flush(gasd), sd_bus_flush(stranger);
}

/* Goes on until it is so; that it does not become so is a failure. */
#define UNTIL(client, yes, ...)                                      \
    do {                                                             \
        double until_ = seconds() + 30;                              \
        int is_so;                                                   \
        while (!(is_so = !!(yes)) && seconds() < until_)               \
            step(client);                                            \
        EXPECT(is_so, #yes ": " __VA_ARGS__);                        \
    } while (0)

static void steps(gasd_client *client, double at_most)
{
    for (double until = seconds() + at_most; seconds() < until;)
        step(client);
}

static void drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* gasd goes, and its sockets with it, and comes again, so the client asks it anew. */
static void restart(gasd_client *client)
{
    uint32_t state = 0;

    drop(&stream_end), drop(&feed_end);
    sd_bus_release_name(gasd, "io.gasd1");
    UNTIL(client, gasd_client_state(client, &state) == GASD_OK && state == GASD_STATE_NO_SERVICE, "state %u", state);
    sd_bus_request_name(gasd, "io.gasd1", 0);
}

static void until_ready(gasd_client *client)
{
    uint32_t state = 0;

    UNTIL(client, gasd_client_state(client, &state) == GASD_OK && state == GASD_STATE_READY, "state %u", state);
}

static void end(void)
{
    sd_bus_message_unref(request);
    sd_bus_flush_close_unref(gasd), sd_bus_flush_close_unref(stranger);
    drop(&stream_end), drop(&feed_end);
}

#endif
