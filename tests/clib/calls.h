/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every function of the header once, called with good arguments and the handle that it is given. An output keeps
 * its mark unless the function returns GASD_OK. `run` compares the list with the header. */
#ifndef CLIB_CALLS_H
#define CLIB_CALLS_H

#include "lib.h"

enum type { NOTHING, CLIENT, SUBSCRIPTION, LIVE, FEED, READINGS, ENGINE };

struct call {
    const char *name;
    enum type type;
    /* No result: what frees, and what cannot fail. */
    int silent;
    /* Cannot panic: has no boundary. */
    int exempt;
    int (*call)(void *handle);
};

#define MARK 0xa5
#define MARKED(out) unsigned char before_##out[sizeof out]; \
    memset(&out, MARK, sizeof out); memset(before_##out, MARK, sizeof out)
#define UNTOUCHED(r, out) \
    EXPECT((r) == GASD_OK || memcmp(&out, before_##out, sizeof out) == 0, #out " was written with %s", \
           gasd_result_name(r))

static inline void on_state(void *data, const gasd_state_event *event) { (void)data, (void)event; }
static inline void on_done(void *data, gasd_result result, const char *text, uint64_t value)
{
    (void)text, (void)value;
    if (data)
        *(volatile int *)data = 1 + (int)result;
}

/* A struct to be written, with everything behind its size marked. */
#define SIZED(type, name) type name; MARKED(name); name.struct_size = sizeof name; \
    memcpy(before_##name, &name.struct_size, sizeof name.struct_size)

static int client_new(void *h)
{
    gasd_client_options options = { sizeof options, "unix:path=/nonexistent", "test" };
    gasd_client *out;
    MARKED(out);
    int r = gasd_client_new(&options, &out);
    (void)h;
    UNTOUCHED(r, out);
    if (r == GASD_OK)
        gasd_client_free(out);
    return r;
}
static int client_free(void *h) { gasd_client_free(h); return 0; }
static int client_fd(void *h) { return gasd_client_fd(h) < 0 ? -1 : 0; }
static int client_dispatch(void *h) { return gasd_client_dispatch(h); }
static int client_wait(void *h) { return gasd_client_wait(h, 0); }
static int client_state(void *h)
{
    uint32_t out;
    MARKED(out);
    int r = gasd_client_state(h, &out);
    UNTOUCHED(r, out);
    return r;
}
static int client_state_text(void *h)
{
    char out[300];
    size_t needed;
    MARKED(out);
    MARKED(needed);
    int r = gasd_client_state_text(h, out, sizeof out, &needed);
    UNTOUCHED(r, out);
    UNTOUCHED(r, needed);
    return r;
}
static int client_service_version(void *h)
{
    char out[64];
    size_t needed;
    MARKED(out);
    MARKED(needed);
    int r = gasd_client_service_version(h, out, sizeof out, &needed);
    UNTOUCHED(r, out);
    UNTOUCHED(r, needed);
    return r;
}
static int client_subscribe(void *h)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state };
    gasd_subscription *out;
    MARKED(out);
    int r = gasd_client_subscribe(h, &handlers, NULL, NULL, &out);
    UNTOUCHED(r, out);
    if (r == GASD_OK)
        gasd_subscription_free(out);
    return r;
}
static int engine_new(void *h)
{
    gasd_engine_options options = { .struct_size = sizeof options, .pulse_volume_ul = 10000000 };
    gasd_engine *out;
    MARKED(out);
    int r = gasd_engine_new(&options, &out);
    (void)h;
    UNTOUCHED(r, out);
    if (r == GASD_OK)
        gasd_engine_free(out);
    return r;
}
static int engine_free(void *h) { gasd_engine_free(h); return 0; }
static int engine_push(void *h)
{
    static uint64_t t_ns = 1000000000;
    gasd_edge edge = { t_ns += 1000000000, GASD_LEVEL_PULSE, 0 };
    return gasd_engine_push(h, &edge, 1);
}
static int engine_tick(void *h) { return gasd_engine_tick(h, 1u << 30); }
static int engine_set_civil_offset(void *h) { return gasd_engine_set_civil_offset(h, 0); }
static int engine_set_valve(void *h) { return gasd_engine_set_valve(h, 1, 1u << 30); }
static int engine_next(void *h)
{
    SIZED(gasd_engine_verdict, out);
    int r = gasd_engine_next(h, &out);
    UNTOUCHED(r, out);
    return r == GASD_NONE ? GASD_OK : r;
}
static int engine_save(void *h)
{
    static unsigned char out[8192];
    size_t needed;
    MARKED(out);
    MARKED(needed);
    int r = gasd_engine_save(h, out, sizeof out, &needed);
    UNTOUCHED(r, out);
    UNTOUCHED(r, needed);
    return r;
}
static int engine_restore(void *h)
{
    unsigned char bytes[4] = "no";
    int r = gasd_engine_restore(h, bytes, sizeof bytes, 0);
    return r == GASD_INVALID ? GASD_OK : r;
}
static int feed_new(void *h)
{
    gasd_feed *out;
    MARKED(out);
    int r = gasd_feed_new(h, "kitchen", 0, NULL, NULL, &out);
    UNTOUCHED(r, out);
    if (r == GASD_OK)
        gasd_feed_free(out);
    return r;
}
static int pulse(void *h)
{
    static uint64_t t_ns = 1;
    gasd_edge edge = { ++t_ns, GASD_LEVEL_PULSE, 0 };
    size_t out;
    MARKED(out);
    int r = gasd_pulse(h, &edge, 1, &out);
    UNTOUCHED(r, out);
    return r;
}
static int reading(void *h)
{
    static uint64_t t_ns = 1;
    return gasd_reading(h, ++t_ns, 5);
}
static int feed_read(void *h)
{
    SIZED(gasd_feed_status, out);
    int r = gasd_feed_read(h, &out);
    UNTOUCHED(r, out);
    return r;
}
static int feed_free(void *h) { gasd_feed_free(h); return 0; }
static int live_new(void *h)
{
    gasd_live *out;
    MARKED(out);
    int r = gasd_live_new(h, "kitchen", &out);
    UNTOUCHED(r, out);
    if (r == GASD_OK)
        gasd_live_free(out);
    return r;
}
static int live_read(void *h)
{
    SIZED(gasd_meter_state, out);
    int r = gasd_live_read(h, &out);
    UNTOUCHED(r, out);
    return r;
}
static int live_free(void *h) { gasd_live_free(h); return 0; }
static int subscription_free(void *h) { gasd_subscription_free(h); return 0; }
static int valve_close(void *h) { return gasd_valve_close(h, "main", "a test", on_done, NULL); }
static int valve_open(void *h) { return gasd_valve_open(h, "main", "a test", on_done, NULL); }
static int valve_hold(void *h) { return gasd_valve_hold(h, "main", "a test", on_done, NULL); }
static int valve_release(void *h) { return gasd_valve_release(h, "main", 1, on_done, NULL); }
static int valve_read(void *h)
{
    SIZED(gasd_valve_state, out);
    int r = gasd_valve_read(h, "main", &out);
    UNTOUCHED(r, out);
    return r;
}
static int verdict_acknowledge(void *h)
{
    int r = gasd_verdict_acknowledge(h, 999999999, "false-alarm", on_done, NULL);
    return r == GASD_NOT_FOUND ? GASD_OK : r;
}
static int version_number(void *h) { (void)h; return gasd_version_number() ? 0 : 1; }
static int version(void *h) { (void)h; return gasd_version()[0] ? 0 : 1; }
static int result_name(void *h) { (void)h; return gasd_result_name(-1)[0] ? 0 : 1; }
static int result_text(void *h) { (void)h; return gasd_result_text(99)[0] ? 0 : 1; }
static int error_message(void *h) { (void)h; return gasd_error_message() ? 0 : 1; }

static const struct call CALLS[] = {
    { "gasd_client_new", NOTHING, 0, 0, client_new },
    { "gasd_client_fd", CLIENT, 0, 0, client_fd },
    { "gasd_client_dispatch", CLIENT, 0, 0, client_dispatch },
    { "gasd_client_wait", CLIENT, 0, 0, client_wait },
    { "gasd_client_state", CLIENT, 0, 0, client_state },
    { "gasd_client_state_text", CLIENT, 0, 0, client_state_text },
    { "gasd_client_service_version", CLIENT, 0, 0, client_service_version },
    { "gasd_client_subscribe", CLIENT, 0, 0, client_subscribe },
    { "gasd_engine_new", NOTHING, 0, 0, engine_new },
    { "gasd_engine_push", ENGINE, 0, 0, engine_push },
    { "gasd_engine_tick", ENGINE, 0, 0, engine_tick },
    { "gasd_engine_set_civil_offset", ENGINE, 0, 0, engine_set_civil_offset },
    { "gasd_engine_set_valve", ENGINE, 0, 0, engine_set_valve },
    { "gasd_engine_next", ENGINE, 0, 0, engine_next },
    { "gasd_engine_save", ENGINE, 0, 0, engine_save },
    { "gasd_engine_restore", ENGINE, 0, 0, engine_restore },
    { "gasd_feed_new", CLIENT, 0, 0, feed_new },
    { "gasd_pulse", FEED, 0, 0, pulse },
    { "gasd_reading", READINGS, 0, 0, reading },
    { "gasd_feed_read", FEED, 0, 0, feed_read },
    { "gasd_live_new", CLIENT, 0, 0, live_new },
    { "gasd_live_read", LIVE, 0, 0, live_read },
    { "gasd_valve_close", CLIENT, 0, 0, valve_close },
    { "gasd_valve_open", CLIENT, 0, 0, valve_open },
    { "gasd_valve_hold", CLIENT, 0, 0, valve_hold },
    { "gasd_valve_release", CLIENT, 0, 0, valve_release },
    { "gasd_valve_read", CLIENT, 0, 0, valve_read },
    { "gasd_verdict_acknowledge", CLIENT, 0, 0, verdict_acknowledge },
    { "gasd_version_number", NOTHING, 1, 1, version_number },
    { "gasd_version", NOTHING, 1, 1, version },
    { "gasd_result_name", NOTHING, 1, 1, result_name },
    { "gasd_result_text", NOTHING, 1, 1, result_text },
    { "gasd_error_message", NOTHING, 1, 1, error_message },
    /* Last, as they free. */
    { "gasd_feed_free", FEED, 1, 0, feed_free },
    { "gasd_live_free", LIVE, 1, 0, live_free },
    { "gasd_subscription_free", SUBSCRIPTION, 1, 0, subscription_free },
    { "gasd_engine_free", ENGINE, 1, 0, engine_free },
    { "gasd_client_free", CLIENT, 1, 0, client_free },
};
#define N_CALLS (sizeof CALLS / sizeof *CALLS)

/* One handle of each type, at the place of the type. */
struct handles { void *of[ENGINE + 1]; };

static inline struct handles make_handles(const char *bus)
{
    struct handles all = { { NULL } };
    gasd_client_options options = { sizeof options, bus, "test" };
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state };
    gasd_engine_options engine = { .struct_size = sizeof engine, .pulse_volume_ul = 1000000 };
    gasd_client *client = NULL;

    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    all.of[CLIENT] = client;
    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, (gasd_subscription **)&all.of[SUBSCRIPTION]) ==
               GASD_OK, "subscription");
    EXPECT(gasd_live_new(client, "kitchen", (gasd_live **)&all.of[LIVE]) == GASD_OK, "live");
    EXPECT(gasd_feed_new(client, "kitchen", 0, NULL, NULL, (gasd_feed **)&all.of[FEED]) == GASD_OK, "feed");
    EXPECT(gasd_feed_new(client, "kitchen", 1, NULL, NULL, (gasd_feed **)&all.of[READINGS]) == GASD_OK, "feed");
    EXPECT(gasd_engine_new(&engine, (gasd_engine **)&all.of[ENGINE]) == GASD_OK, "engine");
    return all;
}

static inline void free_handles(struct handles *all)
{
    gasd_subscription_free(all->of[SUBSCRIPTION]);
    gasd_live_free(all->of[LIVE]);
    gasd_feed_free(all->of[FEED]);
    gasd_feed_free(all->of[READINGS]);
    gasd_engine_free(all->of[ENGINE]);
    gasd_client_free(all->of[CLIENT]);
}

static inline void list_calls(void)
{
    for (size_t i = 0; i < N_CALLS; i++)
        puts(CALLS[i].name);
}

#endif
