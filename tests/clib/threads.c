/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What callbacks must not do and may, and several threads with one client.
 *
 *     threads BUS    with a gasd on it that plays the meter kitchen
 */
#include "calls.h"
#include <pthread.h>

/* Callbacks that do what they must not, and what they may. */
struct inside { gasd_client *client; gasd_subscription *mine, *other; gasd_live *live; int told, after; };

static void inside(void *data, const gasd_state_event *event)
{
    struct inside *in = data;
    double began = seconds();

    (void)event;
    EXPECT(gasd_client_dispatch(in->client) == GASD_BUSY, "dispatch in a callback");
    EXPECT(gasd_client_wait(in->client, -1) == GASD_BUSY && seconds() - began < 1, "wait in a callback");
    in->told++;
    uint32_t state;
    EXPECT(gasd_client_state(in->client, &state) == GASD_OK, "state in a callback");
    gasd_subscription_free(in->other);
    gasd_live_free(in->live);
    gasd_subscription_free(in->mine);
}
static void never(void *data, const gasd_state_event *event) { (void)event; ((struct inside *)data)->after++; }
static void frees_client(void *data, const gasd_state_event *event) { (void)event; gasd_client_free(((struct inside *)data)->client); ((struct inside *)data)->told++; }

static void callbacks(const char *bus)
{
    gasd_client_options options = { sizeof options, bus, "test" };
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = inside }, others = handlers;
    struct inside in = { 0 };

    others.state = never;
    EXPECT(gasd_client_new(&options, &in.client) == GASD_OK, "client");
    EXPECT(gasd_client_subscribe(in.client, &handlers, NULL, &in, &in.mine) == GASD_OK, "mine");
    EXPECT(gasd_client_subscribe(in.client, &others, NULL, &in, &in.other) == GASD_OK, "other");
    EXPECT(gasd_live_new(in.client, "kitchen", &in.live) == GASD_OK, "live");
    run_for(in.client, 0.5, NULL);
    EXPECT(in.told == 1 && in.after == 0, "%d and %d callbacks", in.told, in.after);
    ok("in a callback dispatch and wait are GASD_BUSY at once, and what it frees is called no more");
    handlers.state = frees_client;
    EXPECT(gasd_client_subscribe(in.client, &handlers, NULL, &in, &in.mine) == GASD_OK, "mine");
    EXPECT(gasd_client_subscribe(in.client, &others, NULL, &in, &in.other) == GASD_OK, "other");
    EXPECT(gasd_client_dispatch(in.client) == GASD_OK, "the dispatch below which it was freed");
    EXPECT(in.told == 2 && in.after == 0, "%d and %d callbacks", in.told, in.after);
    EXPECT(gasd_client_dispatch(in.client) == GASD_HANDLE, "a freed client");
    gasd_subscription_free(in.mine), gasd_subscription_free(in.other);
    ok("a client that its callback frees makes no other callback");
}

/* Threads. */
static gasd_client *shared;
static gasd_feed *fed;
static gasd_live *watched;
static volatile int stop;
static uint64_t clock_ns = 1;
static size_t taken[4];

static void *pulses(void *data)
{
    size_t *n = data;

    while (!stop) {
        gasd_edge edge = { __atomic_add_fetch(&clock_ns, 1, __ATOMIC_SEQ_CST), GASD_LEVEL_PULSE, 0 };
        size_t one = 9;
        int r = gasd_pulse(fed, &edge, 1, &one);

        EXPECT(r == GASD_OK || r == GASD_ORDER || r == GASD_FULL, "%s", gasd_result_name(r));
        if (r == GASD_OK)
            *n += one;
        if (r == GASD_FULL)
            break;
    }
    return NULL;
}
static void *reads(void *data)
{
    (void)data;
    while (!stop) {
        gasd_meter_state state = { .struct_size = sizeof state };
        int r = gasd_live_read(watched, &state);
        EXPECT(r == GASD_OK || r == GASD_NOT_CONNECTED, "%s", gasd_result_name(r));
    }
    return NULL;
}
static void *dispatches(void *data)
{
    (void)data;
    while (!stop) {
        int r = gasd_client_wait(shared, 50);
        EXPECT(r == GASD_OK || r == GASD_TIMED_OUT || (stop && r == GASD_HANDLE), "%s", gasd_result_name(r));
    }
    return NULL;
}
static volatile int in_callback, freed_at;
static void slow(void *data, const gasd_state_event *event)
{
    (void)data, (void)event;
    EXPECT(!freed_at, "a callback after its subscription was freed");
    in_callback = 1;
    usleep(100000);
    EXPECT(!freed_at, "the subscription was freed below a callback of another thread");
    in_callback = 0;
}

static void threads(const char *bus)
{
    gasd_client_options options = { sizeof options, bus, "test" };
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = slow };
    gasd_subscription *one;
    pthread_t thread[9];
    gasd_feed_status status = { .struct_size = sizeof status };

    stop = 0;
    EXPECT(gasd_client_new(&options, &shared) == GASD_OK, "client");
    EXPECT(gasd_live_new(shared, "kitchen", &watched) == GASD_OK, "live");
    EXPECT(gasd_feed_new(shared, "nobody", 0, NULL, NULL, &fed) == GASD_OK, "feed");
    pthread_create(&thread[8], NULL, dispatches, NULL);
    for (int i = 0; i < 4; i++) {
        pthread_create(&thread[i], NULL, pulses, &taken[i]);
        pthread_create(&thread[4 + i], NULL, reads, NULL);
    }
    double until = seconds() + 1;
    while (seconds() < until)
        for (size_t i = 0; i < N_CALLS; i++)
            if (CALLS[i].type == CLIENT && !CALLS[i].silent && CALLS[i].call != client_dispatch && CALLS[i].call != client_wait &&
                CALLS[i].call != valve_hold)
                EXPECT(CALLS[i].call(shared) != GASD_PANIC, "%s", CALLS[i].name);
    freed_at = 0;
    EXPECT(gasd_client_subscribe(shared, &handlers, NULL, NULL, &one) == GASD_OK, "subscription");
    for (double end = seconds() + 20; !in_callback && seconds() < end;)
        usleep(1000);
    EXPECT(in_callback, "no callback came");
    gasd_subscription_free(one);
    freed_at = 1;
    EXPECT(!in_callback, "free returned while a callback of it was under way");
    EXPECT(gasd_feed_read(fed, &status) == GASD_OK, "feed");
    stop = 1;
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
    EXPECT(gasd_feed_read(fed, &status) == GASD_OK, "feed");
    EXPECT(status.waiting + status.taken + status.refused == taken[0] + taken[1] + taken[2] + taken[3],
           "%llu wait of %zu", (unsigned long long)status.waiting, taken[0] + taken[1] + taken[2] + taken[3]);
    gasd_client_free(shared);
    pthread_join(thread[8], NULL);
    gasd_live_free(watched);
    gasd_feed_free(fed);
    ok("one thread dispatches while others do everything else: no entry is lost, and free waits for a callback");
}

static void *waits(void *data) { *(int *)data = gasd_client_wait(shared, 20000); return NULL; }

static void freed_while_waiting(const char *bus)
{
    gasd_client_options options = { sizeof options, bus, "test" };
    pthread_t thread;
    int r = 99;
    double began;

    EXPECT(gasd_client_new(&options, &shared) == GASD_OK, "client");
    until_state(shared, GASD_STATE_READY, 10);
    run_for(shared, 0.2, NULL);
    began = seconds();
    pthread_create(&thread, NULL, waits, &r);
    usleep(200000);
    gasd_client_free(shared);
    pthread_join(thread, NULL);
    EXPECT(seconds() - began < 5 && (r == GASD_HANDLE || r == GASD_OK), "%s after %.1f s", gasd_result_name(r), seconds() - began);
    ok("who waits for a client that another thread frees is woken");
}

int main(int argc, char **argv)
{
    const char *bus = argc > 1 ? argv[1] : "";

    callbacks(bus);
    threads(bus);
    freed_while_waiting(bus);
    return failures != 0;
}
