/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What no program should do, against a gasd that runs: the documented result, outputs that stay, no abort.
 *
 *     misuse BUS     with a gasd on it that plays the meter kitchen and has the valve main
 *     misuse --list  the functions of the table
 */
#include "calls.h"
#include <sys/mman.h>

static void wrong_handles(const char *bus)
{
    struct handles all = make_handles(bus), freed = make_handles(bus);
    int local;

    free_handles(&freed);
    until_state(all.of[CLIENT], GASD_STATE_READY, 10);
    for (size_t i = 0; i < N_CALLS; i++) {
        const struct call *call = &CALLS[i];

        if (call->type == NOTHING)
            continue;
        void *wrong[] = { freed.of[call->type], &local, (void *)1, (void *)UINTPTR_MAX, (void *)call,
                          all.of[call->type == CLIENT ? ENGINE : CLIENT], all.of[call->type == LIVE ? FEED : LIVE],
                          (char *)all.of[call->type] + 4096, (char *)all.of[call->type] + 2000 };
        for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
            int r = call->call(wrong[w]);

            if (!call->silent)
                EXPECT(r == (call->call == client_fd ? -1 : GASD_HANDLE), "%s, wrong handle %zu: %d", call->name, w, r);
            EXPECT(gasd_error_message()[0], "%s", call->name);
        }
        int r = call->call(NULL);
        if (!call->silent)
            EXPECT(r == (call->call == client_fd ? -1 : GASD_NULL), "%s, NULL: %d", call->name, r);
    }
    ok("a handle that is NULL, freed, made up or of another type is found out by every function");
    for (size_t i = 0; i < N_CALLS; i++)
        if (!CALLS[i].silent && CALLS[i].type == FEED)
            EXPECT(CALLS[i].call(all.of[FEED]) == GASD_OK, "%s", CALLS[i].name);
    gasd_client_free(all.of[CLIENT]);
    for (size_t i = 0; i < N_CALLS; i++)
        if (!CALLS[i].silent && (CALLS[i].type == FEED || CALLS[i].type == LIVE || CALLS[i].type == READINGS))
            EXPECT(CALLS[i].call(all.of[CALLS[i].type]) == GASD_HANDLE, "%s", CALLS[i].name);
    free_handles(&all);
    ok("what was made of a client is void once that is freed, and is still to be freed");
}

/* Structs by size. */
static gasd_client *ready;
static gasd_live *live;
static gasd_feed *feed;
static gasd_engine *engine;

static int with_client_options(void *s) { gasd_client *c; int r = gasd_client_new(s, &c); if (r == 0) gasd_client_free(c); return r; }
static int with_engine_options(void *s) { gasd_engine *e; int r = gasd_engine_new(s, &e); if (r == 0) gasd_engine_free(e); return r; }
static int with_handlers(void *s)
{
    gasd_subscription *one;
    int r = gasd_client_subscribe(ready, s, NULL, NULL, &one);
    if (r == 0) gasd_subscription_free(one);
    return r;
}
static int with_filter(void *s)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state };
    gasd_subscription *one;
    int r = gasd_client_subscribe(ready, &handlers, s, NULL, &one);
    if (r == 0) gasd_subscription_free(one);
    return r;
}
static int with_meter_state(void *s) { return gasd_live_read(live, s); }
static int with_feed_status(void *s) { return gasd_feed_read(feed, s); }
static int with_valve_state(void *s) { return gasd_valve_read(ready, "main", s); }
static int with_engine_verdict(void *s)
{
    static uint64_t t_ns = 1000000000;
    gasd_engine_verdict one = { .struct_size = sizeof one };

    /* A hose until something is found; each try has a verdict that waits. */
    gasd_engine_options options = { .struct_size = sizeof options, .pulse_volume_ul = 1000000 };
    gasd_engine_free(engine);
    gasd_engine_new(&options, &engine);
    for (int i = 0; i < 40; i++) {
        gasd_edge edge = { t_ns += 400000000, GASD_LEVEL_PULSE, 0 };
        gasd_engine_push(engine, &edge, 1);
    }
    int r = gasd_engine_next(engine, s);
    /* It waits on if it was not given. */
    EXPECT(r == 0 || gasd_engine_next(engine, &one) == GASD_OK, "the verdict was lost");
    return r;
}

static const struct { const char *name; size_t size; int in; int (*call)(void *); } STRUCTS[] = {
    { "gasd_client_options", sizeof(gasd_client_options), 1, with_client_options },
    { "gasd_engine_options", sizeof(gasd_engine_options), 1, with_engine_options },
    { "gasd_handlers", sizeof(gasd_handlers), 1, with_handlers },
    { "gasd_filter", sizeof(gasd_filter), 1, with_filter },
    { "gasd_meter_state", sizeof(gasd_meter_state), 0, with_meter_state },
    { "gasd_feed_status", sizeof(gasd_feed_status), 0, with_feed_status },
    { "gasd_valve_state", sizeof(gasd_valve_state), 0, with_valve_state },
    { "gasd_engine_verdict", sizeof(gasd_engine_verdict), 0, with_engine_verdict },
};

static void wrong_sizes(void)
{
    /* The struct ends where memory ends: one byte too far is a fault. */
    long page = sysconf(_SC_PAGESIZE);
    unsigned char *pages = mmap(NULL, (size_t)page * 3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(pages + 2 * page, (size_t)page, PROT_NONE);
    for (size_t i = 0; i < sizeof STRUCTS / sizeof *STRUCTS; i++) {
        size_t size = STRUCTS[i].size;
        size_t sizes[] = { 0, 1, 7, 8, size - 1, size, size + 1, size + 64, 4096, 4097, SIZE_MAX };

        for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
            for (int tail = 0; tail < 2; tail++) {
                size_t n = sizes[at] <= 4096 ? sizes[at] : size;
                unsigned char *one = pages + 2 * page - (n < 8 ? 8 : n), copy[4096];
                int r, good = sizes[at] >= size && sizes[at] <= 4096;

                memset(one, STRUCTS[i].in ? 0 : MARK, n < 8 ? 8 : n);
                memcpy(one, &sizes[at], sizeof sizes[at]);
                if (n >= size && i == 1)
                    memcpy(one + 8, &(uint64_t){ 1000000 }, 8);
                if (n >= size && i == 2)
                    memcpy(one + 8, &(void (*)(void *, const gasd_state_event *)){ on_state }, 8);
                if (n > size)
                    one[n - 1] = (unsigned char)tail;
                memcpy(copy, one, n < 8 ? 8 : n);
                r = STRUCTS[i].call(one);
                if (!good || (STRUCTS[i].in && n > size && tail))
                    EXPECT(r == GASD_STRUCT_SIZE, "%s, size %zu, tail %d: %s", STRUCTS[i].name, sizes[at], tail,
                           gasd_result_name(r));
                else
                    EXPECT(r == GASD_OK, "%s, size %zu, tail %d: %s", STRUCTS[i].name, sizes[at], tail,
                           gasd_result_name(r));
                EXPECT(memcmp(one, copy, 8) == 0, "%s: struct_size was written", STRUCTS[i].name);
                if (r != GASD_OK || STRUCTS[i].in)
                    EXPECT(memcmp(one, copy, n) == 0, "%s was written", STRUCTS[i].name);
                else if (n > size)
                    EXPECT(memcmp(one + size, copy + size, n - size) == 0, "%s: behind it", STRUCTS[i].name);
            }
        }
        if (i != 0)
            EXPECT(STRUCTS[i].call(NULL) == (i == 3 ? GASD_OK : GASD_NULL), "%s NULL", STRUCTS[i].name);
    }
    munmap(pages, (size_t)page * 3);
    ok("a struct of no version's size is found out, a newer one is understood, and nothing behind it is written");
}

static void wrong_arguments(const char *bus)
{
    gasd_client_options options = { sizeof options, bus, "test" };
    gasd_handlers handlers = { .struct_size = sizeof handlers };
    gasd_filter filter = { .struct_size = sizeof filter };
    gasd_engine_options eo = { .struct_size = sizeof eo, .pulse_volume_ul = 1000000 };
    const char *ids[] = { "kitchen", NULL, "\xff", "", "a b" };
    char *mark = (char *)&options, long_reason[600], long_id[80], small[4] = "abc";
    gasd_client *c = (void *)mark;
    gasd_subscription *s = (void *)mark;
    gasd_engine *e = (void *)mark;
    gasd_live *l = (void *)mark;
    gasd_feed *f = (void *)mark, *r2 = NULL;
    gasd_edge edges[3] = { { 10, 3, 0 }, { 20, 4, 0 }, { 30, 3, 0 } };
    size_t n = 77;
    int called = 0;

#define IS(result, call) do { int r_ = (call); EXPECT(r_ == (result), "got %s", gasd_result_name(r_)); } while (0)
    IS(GASD_NULL, gasd_client_new(&options, NULL));
    options.bus = "\xff\xfe"; IS(GASD_INVALID, gasd_client_new(&options, &c));
    options.bus = bus;
    const char *apps[] = { "\xc3(", "", "a b", "gasd", "operator", "0123456789012345678901234567890123456789012345678901234567890123x" };
    for (size_t i = 0; i < sizeof apps / sizeof *apps; i++) {
        options.app_id = apps[i];
        IS(GASD_INVALID, gasd_client_new(&options, &c));
    }
    IS(GASD_NULL, gasd_client_state(ready, NULL));
    IS(GASD_BUFFER, gasd_client_state_text(ready, NULL, 99, &n)); EXPECT(n == 6, "%zu", n);
    IS(GASD_BUFFER, gasd_client_state_text(ready, small, 4, NULL)); EXPECT(strcmp(small, "abc") == 0, "written");
    IS(GASD_BUFFER, gasd_client_service_version(ready, small, 1, &n)); EXPECT(n > 4, "%zu", n);
    IS(GASD_NULL, gasd_client_subscribe(ready, &handlers, NULL, NULL, NULL));
    IS(GASD_INVALID, gasd_client_subscribe(ready, &handlers, NULL, NULL, &s));
    handlers.state = on_state;
    filter.min_severity = 5; IS(GASD_INVALID, gasd_client_subscribe(ready, &handlers, &filter, NULL, &s));
    filter.min_severity = 0;
    filter.meter_count = 1; IS(GASD_NULL, gasd_client_subscribe(ready, &handlers, &filter, NULL, &s));
    filter.meters = ids; filter.meter_count = 2; IS(GASD_NULL, gasd_client_subscribe(ready, &handlers, &filter, NULL, &s));
    filter.meter_count = SIZE_MAX; IS(GASD_INVALID, gasd_client_subscribe(ready, &handlers, &filter, NULL, &s));
    for (int i = 2; i < 5; i++) {
        filter.meters = ids + i; filter.meter_count = 1;
        IS(GASD_INVALID, gasd_client_subscribe(ready, &handlers, &filter, NULL, &s));
        IS(GASD_INVALID, gasd_live_new(ready, ids[i], &l));
        IS(GASD_INVALID, gasd_feed_new(ready, ids[i], 0, NULL, NULL, &f));
    }
    IS(GASD_NULL, gasd_live_new(ready, NULL, &l)); IS(GASD_NULL, gasd_live_new(ready, "kitchen", NULL));
    IS(GASD_NULL, gasd_feed_new(ready, NULL, 0, NULL, NULL, &f)); IS(GASD_NULL, gasd_feed_new(ready, "kitchen", 0, NULL, NULL, NULL));
    memset(long_id, 'a', 79); long_id[79] = 0; IS(GASD_INVALID, gasd_live_new(ready, long_id, &l));
    eo.pulse_volume_ul = 0; IS(GASD_INVALID, gasd_engine_new(&eo, &e));
    eo.pulse_volume_ul = 100000000001u; IS(GASD_INVALID, gasd_engine_new(&eo, &e));
    eo.pulse_volume_ul = 1000000; eo.max_flow_ul_per_h = UINT64_MAX; IS(GASD_INVALID, gasd_engine_new(&eo, &e));
    eo.max_flow_ul_per_h = 0; eo.profile = "mars"; IS(GASD_INVALID, gasd_engine_new(&eo, &e));
    eo.profile = "\xff"; IS(GASD_INVALID, gasd_engine_new(&eo, &e));
    eo.profile = NULL; eo.meter = "\xff"; IS(GASD_INVALID, gasd_engine_new(&eo, &e));
    eo.meter = NULL; IS(GASD_NULL, gasd_engine_new(&eo, NULL));
    EXPECT((char *)c == mark && (char *)s == mark && (char *)e == mark && (char *)l == mark && (char *)f == mark, "an output was written");
    IS(GASD_OK, gasd_engine_new(&eo, &e));
    IS(GASD_NULL, gasd_engine_push(e, NULL, 1)); IS(GASD_OK, gasd_engine_push(e, NULL, 0));
    IS(GASD_INVALID, gasd_engine_push(e, edges, SIZE_MAX)); IS(GASD_INVALID, gasd_engine_push(e, edges, 3));
    edges[1].level = 3; edges[1].t_ns = 10; IS(GASD_ORDER, gasd_engine_push(e, edges, 3));
    edges[1].t_ns = 20; IS(GASD_OK, gasd_engine_push(e, edges, 3)); IS(GASD_ORDER, gasd_engine_push(e, edges, 1));
    IS(GASD_ORDER, gasd_engine_tick(e, 29)); IS(GASD_NULL, gasd_engine_restore(e, NULL, 5, 0));
    IS(GASD_INVALID, gasd_engine_restore(e, (const uint8_t *)mark, SIZE_MAX, 0)); IS(GASD_INVALID, gasd_engine_restore(e, (const uint8_t *)mark, 0, 0));
    IS(GASD_BUFFER, gasd_engine_save(e, (uint8_t *)small, 3, &n)); EXPECT(n > 3 && n <= 8192 && strcmp(small, "abc") == 0, "%zu", n);
    IS(GASD_NULL, gasd_engine_next(e, NULL) == GASD_NONE ? GASD_NULL : gasd_engine_next(e, NULL));
    /* Numbers at their ends: nothing is promised but that it comes back. */
    uint64_t ends[] = { 0, 1, 29, 1u << 31, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX };
    int64_t offsets[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
    for (size_t i = 0; i < 7; i++)
        for (size_t k = 0; k < 5; k++) {
            unsigned char kept[8192];
            gasd_edge edge = { ends[i], (uint32_t)k % 4, 0 };
            EXPECT(gasd_engine_set_valve(e, (int32_t)k - 1, ends[i]) == GASD_OK, "valve");
            EXPECT(gasd_engine_set_civil_offset(e, offsets[k]) == GASD_OK, "offset");
            EXPECT(gasd_engine_push(e, &edge, 1) != GASD_PANIC, "push %zu", i);
            EXPECT(gasd_engine_tick(e, ends[i]) != GASD_PANIC, "tick %zu", i);
            EXPECT(gasd_engine_save(e, kept, sizeof kept, &n) == GASD_OK, "save");
            EXPECT(gasd_engine_restore(e, kept, n, offsets[k]) == GASD_OK, "restore %zu %zu", i, k);
        }
    gasd_engine_free(e);
    n = 77;
    IS(GASD_OK, gasd_feed_new(ready, "nobody", 0, NULL, NULL, &f)); IS(GASD_OK, gasd_feed_new(ready, "nobody", 1, NULL, NULL, &r2));
    IS(GASD_NULL, gasd_pulse(f, NULL, 1, &n)); IS(GASD_INVALID, gasd_pulse(f, edges, SIZE_MAX, &n));
    IS(GASD_INVALID, gasd_pulse(r2, edges, 1, &n)); IS(GASD_INVALID, gasd_reading(f, 1, 1)); EXPECT(n == 77, "%zu", n);
    edges[2].level = 9; IS(GASD_INVALID, gasd_pulse(f, edges, 3, &n)); edges[2].level = 3; EXPECT(n == 77, "%zu", n);
    edges[2].t_ns = 20; IS(GASD_ORDER, gasd_pulse(f, edges, 3, &n)); EXPECT(n == 2, "%zu", n);
    for (int i = 0; i < 16382; i++) { gasd_edge one = { 100 + (uint64_t)i, 3, 0 }; IS(GASD_OK, gasd_pulse(f, &one, 1, NULL)); }
    edges[0].t_ns = 1u << 30; IS(GASD_FULL, gasd_pulse(f, edges, 1, &n)); EXPECT(n == 0, "%zu", n);
    gasd_feed_free(f); gasd_feed_free(r2);
    IS(GASD_NULL, gasd_valve_close(ready, NULL, "x", on_done, &called)); IS(GASD_NULL, gasd_valve_close(ready, "main", NULL, on_done, &called));
    IS(GASD_INVALID, gasd_valve_open(ready, "\xff", "x", on_done, &called)); IS(GASD_INVALID, gasd_valve_open(ready, "main", "\xff", on_done, &called));
    IS(GASD_NOT_FOUND, gasd_valve_hold(ready, "garage", "x", on_done, &called));
    IS(GASD_NOT_FOUND, gasd_valve_release(ready, "", 1, on_done, &called));
    memset(long_reason, 'x', 599); long_reason[599] = 0; IS(GASD_INVALID, gasd_valve_hold(ready, "main", long_reason, on_done, &called));
    IS(GASD_NULL, gasd_valve_read(ready, NULL, NULL)); IS(GASD_NULL, gasd_valve_read(ready, "main", NULL));
    IS(GASD_INVALID, gasd_verdict_acknowledge(ready, 1, "perhaps", on_done, &called)); IS(GASD_INVALID, gasd_verdict_acknowledge(ready, 1, "\xff", on_done, &called));
    IS(GASD_NOT_FOUND, gasd_verdict_acknowledge(ready, UINT64_MAX, NULL, on_done, &called));
    for (int32_t i = INT32_MIN; i < INT32_MAX - 100000007; i += 100000007)
        EXPECT(gasd_result_name(i) && gasd_result_text(i), "%d", i);
    run_for(ready, 0.2, NULL);
    EXPECT(!called, "done was called though the request failed");
    ok("arguments out of bounds, bad UTF-8, NULLs and numbers at their ends have their result, and outputs stay");
    /* Requests: each is answered once; NULL for done is no harm. */
    int done = 0;
    IS(GASD_OK, gasd_valve_close(ready, "main", "a test", NULL, NULL));
    IS(GASD_OK, gasd_valve_release(ready, "main", UINT64_MAX, on_done, &done));
    run_for(ready, 5, &done);
    EXPECT(done == 1 + GASD_NOT_FOUND, "release of no hold: %s", gasd_result_name(done - 1));
    int full = GASD_OK;
    for (int i = 0; i < 400 && full == GASD_OK; i++)
        full = gasd_valve_release(ready, "main", UINT64_MAX, on_done, NULL);
    EXPECT(full == GASD_LIMIT, "%s", gasd_result_name(full));
    run_for(ready, 2, NULL);
    ok("requests are answered once, and 256 of them are under way at the most");
}

static void limits(void)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state };
    gasd_subscription *one[70];
    gasd_engine_options options = { .struct_size = sizeof options, .pulse_volume_ul = 1000000 };
    static gasd_engine *engines[4100];
    int n = 0, r;

    while (n < 70 && (r = gasd_client_subscribe(ready, &handlers, NULL, NULL, &one[n])) == GASD_OK)
        n++;
    EXPECT(n == 64 && r == GASD_LIMIT, "%d subscriptions, with a live handle beside them", n);
    while (n > 0)
        gasd_subscription_free(one[--n]);
    gasd_engine_free(engine);
    engine = NULL;
    while (n < 4100 && (r = gasd_engine_new(&options, &engines[n])) == GASD_OK)
        n++;
    EXPECT(n == 4095 && r == GASD_LIMIT, "%d engines", n);
    while (n > 0)
        gasd_engine_free(engines[--n]);
    ok("limits are those of the header");
}

int main(int argc, char **argv)
{
    const char *bus = argc > 1 ? argv[1] : "";
    gasd_engine_options eo = { .struct_size = sizeof eo, .pulse_volume_ul = 1000000 };
    gasd_client_options options = { sizeof options, bus, "test" };
    gasd_meter_state state = { .struct_size = sizeof state };

    if (strcmp(bus, "--list") == 0)
        return list_calls(), 0;
    EXPECT(gasd_client_new(&options, &ready) == GASD_OK, "client");
    EXPECT(gasd_live_new(ready, "kitchen", &live) == GASD_OK, "live");
    EXPECT(gasd_feed_new(ready, "kitchen", 0, NULL, NULL, &feed) == GASD_OK, "feed");
    EXPECT(gasd_engine_new(&eo, &engine) == GASD_OK, "engine");
    EXPECT(until_state(ready, GASD_STATE_READY, 10), "gasd on %s does not answer", bus);
    for (int i = 0; i < 100 && gasd_live_read(live, &state) != GASD_OK; i++)
        run_for(ready, 0.1, NULL);
    wrong_handles(bus);
    wrong_sizes();
    wrong_arguments(bus);
    limits();
    gasd_feed_free(feed), gasd_live_free(live), gasd_engine_free(engine), gasd_client_free(ready);
    return failures != 0;
}
