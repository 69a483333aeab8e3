/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the C library costs, beside a peer in the same run; scripts/bench-clib starts the gasd that it needs.
 * usage: figures METERS   (meters "m0" ... with source = "stack", 1 L a pulse, which nobody else feeds; they judge
 *                          earthquakes) */
#define _GNU_SOURCE
#include <gasdetect.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define MOST 64
#define MS 1000000ull
/* 7 m3/h with 1 L a pulse. */
#define INTERVAL (514 * MS)

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void must(gasd_result result, const char *what)
{
    if (result == GASD_OK)
        return;
    fprintf(stderr, "figures: %s: %s: %s\n", what, gasd_result_name(result), gasd_error_message());
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void print(const char *what, uint64_t *ns, size_t n, const char *unit, double per)
{
    qsort(ns, n, sizeof *ns, by_size);
    printf("| %s | %.1f | %.1f | %s, %zu times |\n", what, (double)ns[n / 2] / per, (double)ns[n * 99 / 100] / per, unit, n);
}

static unsigned state;
/* When the verdict that is waited for was told, and when gasd says that it was made. */
static gasd_kind awaited;
static uint64_t told_ns, made_ns;

static void on_state(void *data, const gasd_state_event *event)
{
    (void)data;
    state = event->state;
}

static void on_verdict(void *data, const gasd_verdict_event *event)
{
    (void)data;
    if (event->kind != (uint32_t)awaited)
        return;
    told_ns = now();
    made_ns = event->decided_ns;
}

static long resident_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Rss: %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}

/* How many pulses of the hose make a surge: asked of the engine itself. */
static unsigned pulses_of_a_surge(void)
{
    gasd_engine_options options = { .struct_size = sizeof options, .pulse_volume_ul = 1000000 };
    gasd_engine_verdict verdict = { .struct_size = sizeof verdict };
    gasd_engine *engine;
    must(gasd_engine_new(&options, &engine), "engine");
    unsigned n = 0;
    do {
        gasd_edge edge = { 1000 * MS + n++ * INTERVAL, GASD_LEVEL_PULSE, 0 };
        must(gasd_engine_push(engine, &edge, 1), "push");
    } while (gasd_engine_next(engine, &verdict) != GASD_OK && n < 1000);
    gasd_engine_free(engine);
    return n;
}

static void wait_ready(gasd_client *client)
{
    while (state != GASD_STATE_READY)
        gasd_client_wait(client, 1000);
}

static void ping(sd_bus *bus)
{
    if (sd_bus_call_method(bus, "io.gasd1", "/io/gasd1", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, "") < 0)
        exit(1);
}

static void wait_told(gasd_client *client)
{
    while (told_ns == 0)
        must(gasd_client_wait(client, 5000), "verdict");
}

/* From handing in the edge that makes a surge to the callback with the verdict; and from the moment at which gasd made
 * a verdict to the callback. That is one on an earthquake: its time is the clock's as gasd judges the report, where
 * a surge's is the pulse's own, which is before. */
static void verdicts(gasd_client *client, size_t meters)
{
    static uint64_t edge_ns[MOST], made_to_told_ns[MOST], ping_ns[MOST];
    unsigned n = pulses_of_a_surge();
    gasd_edge edges[1000];
    sd_bus *bus = NULL;
    const char *address = getenv("GASD_BUS_ADDRESS");
    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, 1) < 0 || sd_bus_start(bus) < 0)
        exit(1);
    /* The connection is made with the first call. */
    ping(bus);
    for (size_t i = 0; i < meters; i++) {
        char meter[16], path[40];
        gasd_feed *feed;
        gasd_feed_status status = { .struct_size = sizeof status };
        snprintf(meter, sizeof meter, "m%zu", i);
        snprintf(path, sizeof path, "/io/gasd1/meters/%s", meter);
        must(gasd_feed_new(client, meter, 0, NULL, NULL, &feed), "feed");
        uint64_t first = now() - (n + 2) * INTERVAL;
        for (unsigned k = 0; k < n - 1; k++)
            edges[k] = (gasd_edge){ first + k * INTERVAL, GASD_LEVEL_PULSE, 0 };
        must(gasd_pulse(feed, edges, n - 1, NULL), "pulses");
        do {
            gasd_client_wait(client, 1000);
            must(gasd_feed_read(feed, &status), "status");
        } while (status.taken < n - 1);
        awaited = GASD_KIND_SURGE, told_ns = 0;
        gasd_edge last = { first + (n - 1) * INTERVAL, GASD_LEVEL_PULSE, 0 };
        uint64_t begin = now();
        must(gasd_pulse(feed, &last, 1, NULL), "pulse");
        wait_told(client);
        edge_ns[i] = told_ns - begin;
        awaited = GASD_KIND_EARTHQUAKE, told_ns = 0;
        begin = now();
        if (sd_bus_call_method_async(bus, NULL, "io.gasd1", path, "io.gasd1.Meter", "Report", NULL, NULL, "a{sv}", 1, "seismic_gal", "d", 300.0) < 0)
            exit(1);
        wait_told(client);
        if (made_ns < begin || made_ns > told_ns) {
            fprintf(stderr, "figures: the verdict's time is not that of its making\n");
            exit(1);
        }
        made_to_told_ns[i] = told_ns - made_ns;
        begin = now();
        ping(bus);
        ping_ns[i] = now() - begin;
        gasd_feed_free(feed);
    }
    print("edge handed in to the verdict's callback", edge_ns, meters, "µs", 1e3);
    print("verdict made (an earthquake's, by its own time) to its callback", made_to_told_ns, meters, "µs", 1e3);
    print("peer: a call of the bus and its answer (`Ping`, sd-bus)", ping_ns, meters, "µs", 1e3);
    sd_bus_close_unref(bus);
}

static void live(gasd_client *client)
{
    enum { ROUNDS = 200, EACH = 5000 };
    static uint64_t read_ns[ROUNDS], clock_ns[ROUNDS];
    gasd_live *live;
    gasd_meter_state at = { .struct_size = sizeof at };
    must(gasd_live_new(client, "m0", &live), "live");
    while (gasd_live_read(live, &at) != GASD_OK)
        gasd_client_wait(client, 1000);
    for (int i = 0; i < 20; i++)
        gasd_client_wait(client, 10);
    must(gasd_live_read(live, &at), "live");
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now();
        for (int i = 0; i < EACH; i++)
            gasd_live_read(live, &at);
        uint64_t middle = now();
        for (int i = 0; i < EACH; i++)
            now();
        clock_ns[round] = (now() - middle) / EACH;
        read_ns[round] = (middle - begin) / EACH;
    }
    print(at.source == GASD_SOURCE_PAGE ? "live read, the kernel's page" : "live read, the last reading", read_ns, ROUNDS, "ns", 1);
    print("peer: `clock_gettime(CLOCK_BOOTTIME)`, which is in it", clock_ns, ROUNDS, "ns", 1);
    gasd_live_free(live);
}

static void pulses(gasd_client *client, size_t meters)
{
    enum { ROUNDS = 200, BATCH = 64 };
    static uint64_t alone_ns[ROUNDS], batch_ns[ROUNDS], peer_ns[ROUNDS];
    gasd_feed *feed;
    gasd_feed_status status = { .struct_size = sizeof status };
    gasd_edge edges[BATCH];
    char meter[16], packet[40] = { 0 };
    int ends[2];
    snprintf(meter, sizeof meter, "m%zu", meters - 1);
    must(gasd_feed_new(client, meter, 0, NULL, NULL, &feed), "feed");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        exit(1);
    do {
        gasd_client_wait(client, 100);
        must(gasd_feed_read(feed, &status), "status");
    } while (status.state != GASD_FEED_READY);
    uint64_t at = now() - 600000 * MS;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BATCH; i++)
            edges[i] = (gasd_edge){ at += 25 * MS, GASD_LEVEL_PULSE, 0 };
        uint64_t begin = now();
        must(gasd_pulse(feed, edges, BATCH, NULL), "batch");
        batch_ns[round] = (now() - begin) / BATCH;
        gasd_edge one = { at += 25 * MS, GASD_LEVEL_PULSE, 0 };
        begin = now();
        must(gasd_pulse(feed, &one, 1, NULL), "one");
        alone_ns[round] = now() - begin;
        begin = now();
        if (send(ends[0], packet, sizeof packet, MSG_DONTWAIT) < 0)
            exit(1);
        peer_ns[round] = now() - begin;
        if (recv(ends[1], packet, sizeof packet, 0) < 0)
            exit(1);
        do {
            gasd_client_wait(client, 100);
            must(gasd_feed_read(feed, &status), "status");
        } while (status.waiting > 0);
    }
    print("`gasd_pulse`, one edge", alone_ns, ROUNDS, "ns", 1);
    print("`gasd_pulse`, an edge of 64", batch_ns, ROUNDS, "ns", 1);
    print("peer: `send` of 40 bytes over such a socket", peer_ns, ROUNDS, "ns", 1);
    gasd_feed_free(feed);
}

int main(int argc, char **argv)
{
    size_t meters = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .verdict = on_verdict };
    gasd_client *client;
    gasd_subscription *subscription;
    if (meters < 2 || meters > MOST) {
        fprintf(stderr, "usage: figures METERS (2 to %d)\n", MOST);
        return 2;
    }
    long before = resident_kb();
    must(gasd_client_new(NULL, &client), "client");
    must(gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription), "subscription");
    wait_ready(client);
    long after = resident_kb();
    printf("| what | median | p99 | |\n|---|--:|--:|---|\n");
    verdicts(client, meters - 1);
    live(client);
    pulses(client, meters);
    printf("\nResident: %ld KB when the program begins, linked to the library; %ld KB more once it is connected and subscribed.\n", before, after - before);
    gasd_client_free(client);
    return 0;
}
