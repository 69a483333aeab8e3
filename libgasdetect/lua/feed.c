/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Feeds: the way of one meter's edges or readings to gasd. */
#include "internal.h"

struct feed {
    gasd_feed *handle; /* NULL once it was freed */
    struct client *client;
    double number;
};

static struct feed *check_feed(lua_State *L)
{
    struct feed *feed = luaL_checkudata(L, 1, FEED);

    if (!feed->handle)
        luaL_error(L, "the feed was freed");
    return feed;
}

static int push_changed(lua_State *L, const void *event)
{
    const gasd_feed_event *feed = event;

    lua_createtable(L, 0, 4);
    lua_pushstring(L, feed_name(feed->state));
    lua_setfield(L, -2, "state");
    if (feed->result != GASD_OK) {
        push_code(L, feed->result);
        lua_setfield(L, -2, "code");
    }
    lua_pushstring(L, feed->text);
    lua_setfield(L, -2, "text");
    push_count(L, feed->refused);
    lua_setfield(L, -2, "refused");
    return 1;
}

/* With the feed at 2. */
static int prepare_changed(lua_State *L, const struct told *told)
{
    push_values(L, 2);
    lua_getfield(L, -1, "changed");
    return told->push(L, told->event);
}

static void on_changed(void *data, const gasd_feed_event *event)
{
    struct feed *feed = data;
    struct told told = { .place = WEAK,
                         .number = feed->number,
                         .prepare = prepare_changed,
                         .push = push_changed,
                         .event = event };

    tell(feed->client, &told);
}

/* client:feed(meter [, {readings=, changed=}]) */
int new_feed(lua_State *L)
{
    static const char *const known[] = { "readings", "changed", NULL };
    struct client *client = check_client(L, 1);
    const char *meter = check_text(L, 2);
    int readings = 0, changed = 0;
    struct feed *feed;
    gasd_result result;

    lua_settop(L, 3);
    feed = new_object(L, FEED, sizeof *feed);
    push_values(L, 4);
    lua_pushvalue(L, 1);
    lua_setfield(L, 5, "client");
    if (!lua_isnil(L, 3)) {
        check_keys(L, 3, known);
        lua_getfield(L, 3, "readings");
        readings = lua_toboolean(L, -1);
        lua_getfield(L, 3, "changed");
        changed = !lua_isnil(L, -1);
        if (changed && !lua_isfunction(L, -1))
            luaL_error(L, "changed: expected a function");
        lua_setfield(L, 5, "changed");
    }
    feed->client = client;
    feed->number = keep_object(L, 1, 4, WEAK);
    result = gasd_feed_new(client->handle, meter, readings, changed ? on_changed : NULL, feed, &feed->handle);
    if (result != GASD_OK)
        return fail(L, result);
    lua_settop(L, 4);
    return 1;
}

static int pushed(lua_State *L, gasd_result result, size_t taken)
{
    if (result == GASD_OK) {
        push_count(L, taken);
        return 1;
    }
    fail(L, result);
    push_count(L, taken);
    return 4;
}

/* feed:pulse(t_ns [, level]) -> how many were taken in */
static int feed_pulse(lua_State *L)
{
    struct feed *feed = check_feed(L);
    gasd_edge edge = { .t_ns = check_u64(L, 2), .level = check_level(L, 3) };
    size_t taken = 0;
    gasd_result result = gasd_pulse(feed->handle, &edge, 1, &taken);

    return pushed(L, result, taken);
}

/* feed:pulses{t_ns, {t_ns, level}, ...} -> how many were taken in */
static int feed_pulses(lua_State *L)
{
    struct feed *feed = check_feed(L);
    size_t count, taken = 0;
    gasd_edge *edges = check_edges(L, 2, &count);
    gasd_result result = gasd_pulse(feed->handle, edges, count, &taken);

    return pushed(L, result, taken);
}

/* feed:reading(t_ns, volume_ul) */
static int feed_reading(lua_State *L)
{
    struct feed *feed = check_feed(L);
    gasd_result result = gasd_reading(feed->handle, check_u64(L, 2), check_u64(L, 3));

    if (result != GASD_OK)
        return fail(L, result);
    lua_pushboolean(L, 1);
    return 1;
}

/* feed:status() */
static int feed_status(lua_State *L)
{
    struct feed *feed = check_feed(L);
    gasd_feed_status status = { .struct_size = sizeof status };
    gasd_result result = gasd_feed_read(feed->handle, &status);

    if (result != GASD_OK)
        return fail(L, result);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, feed_name(status.state));
    lua_setfield(L, -2, "state");
    if (status.result != GASD_OK) {
        push_code(L, status.result);
        lua_setfield(L, -2, "code");
    }
    push_count(L, status.taken);
    lua_setfield(L, -2, "taken");
    push_count(L, status.waiting);
    lua_setfield(L, -2, "waiting");
    push_count(L, status.refused);
    lua_setfield(L, -2, "refused");
    return 1;
}

/* When it is collected, or its block ends. */
static int feed_end(lua_State *L)
{
    struct feed *feed = luaL_checkudata(L, 1, FEED);

    gasd_feed_free(feed->handle);
    feed->handle = NULL;
    return 0;
}

static int feed_free(lua_State *L)
{
    feed_end(L);
    lua_pushboolean(L, 1);
    return 1;
}

void open_feed(lua_State *L)
{
    static const luaL_Reg methods[] = { { "pulse", feed_pulse },   { "pulses", feed_pulses },
                                        { "reading", feed_reading }, { "status", feed_status },
                                        { "free", feed_free },     { NULL, NULL } };

    new_type(L, FEED, methods, feed_end, NULL);
}
