/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Subscriptions: what happens, told to functions as it happens, or kept for a loop (queue.c). */
#include "internal.h"

#include <string.h>

/* What a program may ask for, besides the filter. */
static const char *const types[] = { "state", "pulse",        "reading", "verdict", "explained",
                                     "acknowledged", "valve", "gap",     "refused", NULL };

/* With the subscription at 2: its function for events of this type. */
static int prepare_function(lua_State *L, const struct told *told)
{
    push_values(L, 2);
    lua_getfield(L, -1, told->type);
    if (!lua_isfunction(L, -1))
        return -1;
    told->push(L, told->event);
    lua_pushstring(L, told->type);
    lua_setfield(L, -2, "type");
    return 1;
}

static void hear(void *data, const char *type, int (*push)(lua_State *, const void *), const void *event)
{
    struct subscription *subscription = data;
    struct told told = { .place = subscription->place,
                         .number = subscription->number,
                         .prepare = subscription->queued ? queue_event : prepare_function,
                         .type = type,
                         .push = push,
                         .event = event };

    tell(subscription->client, &told);
}

static void on_state(void *data, const gasd_state_event *event)
{
    hear(data, "state", push_state, event);
}

static void on_pulse(void *data, const gasd_pulse_event *event)
{
    hear(data, "pulse", push_pulse, event);
}

static void on_reading(void *data, const gasd_reading_event *event)
{
    hear(data, "reading", push_reading, event);
}

static void on_verdict(void *data, const gasd_verdict_event *event)
{
    hear(data, "verdict", push_verdict, event);
}

static void on_explained(void *data, const gasd_verdict_event *event)
{
    hear(data, "explained", push_verdict, event);
}

static void on_acknowledged(void *data, const gasd_verdict_event *event)
{
    hear(data, "acknowledged", push_verdict, event);
}

static void on_valve(void *data, const gasd_valve_event *event)
{
    hear(data, "valve", push_valve, event);
}

static void on_gap(void *data, const gasd_gap_event *event)
{
    hear(data, "gap", push_gap, event);
}

static void on_refused(void *data, gasd_result result, const char *text)
{
    struct refusal refusal = { result, text };

    hear(data, "refused", push_refused, &refusal);
}

/* The library's handlers for those types that are in the table at an index. */
static gasd_handlers handlers_of(lua_State *L, int table)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers };

#define WANT(type) (lua_getfield(L, table, #type), lua_toboolean(L, -1) ? on_##type : NULL), lua_pop(L, 1)
    handlers.state = WANT(state);
    handlers.pulse = WANT(pulse);
    handlers.reading = WANT(reading);
    handlers.verdict = WANT(verdict);
    handlers.explained = WANT(explained);
    handlers.acknowledged = WANT(acknowledged);
    handlers.valve = WANT(valve);
    handlers.gap = WANT(gap);
    handlers.refused = WANT(refused);
#undef WANT
    return handlers;
}

/* Reads meters and min_severity; what they need in memory stays on the stack. */
static gasd_filter check_filter(lua_State *L, int options)
{
    gasd_filter filter = { .struct_size = sizeof filter };
    const char **meters, *severity = text_field(L, options, "min_severity");
    size_t at;

    if (severity) {
        while (severity_names[filter.min_severity] && strcmp(severity_names[filter.min_severity], severity) != 0)
            filter.min_severity++;
        if (!severity_names[filter.min_severity])
            luaL_error(L, "min_severity: \"%s\" is none of info, notice, warning, critical", severity);
    }
    lua_getfield(L, options, "meters");
    if (lua_isnil(L, -1))
        return filter;
    if (!lua_istable(L, -1))
        luaL_error(L, "meters: expected a table of ids");
    filter.meter_count = length_of(L, -1);
    meters = lua_newuserdata(L, (filter.meter_count + 1) * sizeof *meters);
    for (at = 0; at < filter.meter_count; at++) {
        lua_rawgeti(L, -2, (int)at + 1);
        if (lua_type(L, -1) != LUA_TSTRING || strlen(lua_tostring(L, -1)) != length_of(L, -1))
            luaL_error(L, "meters: expected ids, and number %d is none", (int)at + 1);
        /* The table keeps it alive. */
        meters[at] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    filter.meters = meters;
    return filter;
}

/* Subscribes for the client at 1, to what the table at 3 has, with the filter of the options at 2. Pushes the
 * subscription; on failure three values, and returns NULL. */
static struct subscription *subscribe(lua_State *L, int queued)
{
    struct client *client = check_client(L, 1);
    gasd_handlers handlers = handlers_of(L, 3);
    gasd_filter filter = check_filter(L, 2);
    struct subscription *subscription = new_object(L, SUBSCRIPTION, sizeof *subscription);
    int object = lua_gettop(L);
    gasd_result result;

    subscription->client = client;
    subscription->queued = queued;
    subscription->place = queued ? WEAK : KEPT;
    lua_pushvalue(L, 3);
    set_values(L, object);
    lua_pushvalue(L, 1);
    lua_setfield(L, 3, "client");
    subscription->number = keep_object(L, 1, object, subscription->place);
    result = gasd_client_subscribe(client->handle, &handlers, &filter, subscription, &subscription->handle);
    if (result != GASD_OK) {
        forget_object(L, 1, subscription->place, subscription->number);
        fail(L, result);
        return NULL;
    }
    return subscription;
}

/* client:subscribe{verdict=function, ..., meters=, min_severity=} */
int subscribe_functions(lua_State *L)
{
    static const char *const known[] = { "state", "pulse", "reading", "verdict", "explained", "acknowledged",
                                         "valve", "gap",   "refused", "meters",  "min_severity", NULL };
    const char *const *type;

    check_client(L, 1);
    check_keys(L, 2, known);
    lua_settop(L, 2);
    lua_newtable(L);
    for (type = types; *type; type++) {
        lua_getfield(L, 2, *type);
        if (!lua_isnil(L, -1) && !lua_isfunction(L, -1))
            luaL_error(L, "%s: expected a function", *type);
        lua_setfield(L, 3, *type);
    }
    return subscribe(L, 0) ? 1 : 3;
}

/* client:events{"verdict", ..., meters=, min_severity=}: the events for a loop; all of them if none is named. */
int subscribe_loop(lua_State *L)
{
    const char *const *type;
    size_t at, count;

    check_client(L, 1);
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_newtable(L);
    count = length_of(L, 2);
    for (at = 1; at <= count; at++) {
        lua_rawgeti(L, 2, (int)at);
        for (type = types; *type; type++)
            if (lua_type(L, -1) == LUA_TSTRING && strcmp(*type, lua_tostring(L, -1)) == 0)
                break;
        if (!*type)
            luaL_error(L, "number %d names no type of events", (int)at);
        lua_pushboolean(L, 1);
        lua_setfield(L, 3, *type);
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "meters") != 0 &&
            strcmp(lua_tostring(L, -1), "min_severity") != 0)
            luaL_error(L, "no option is called \"%s\"", lua_tostring(L, -1));
    }
    for (type = types; count == 0 && *type; type++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, 3, *type);
    }
    if (subscribe(L, 1))
        return loop_of(L);
    /* A for statement would only say that nil cannot be called. */
    lua_pop(L, 1);
    return lua_error(L);
}

/* When it is collected, or its block ends. */
static int subscription_end(lua_State *L)
{
    struct subscription *subscription = luaL_checkudata(L, 1, SUBSCRIPTION);

    gasd_subscription_free(subscription->handle);
    subscription->handle = NULL;
    return 0;
}

/* subscription:free() */
static int subscription_free(lua_State *L)
{
    struct subscription *subscription = luaL_checkudata(L, 1, SUBSCRIPTION);

    subscription_end(L);
    push_values(L, 1);
    lua_getfield(L, -1, "client");
    forget_object(L, lua_gettop(L), subscription->place, subscription->number);
    lua_pushboolean(L, 1);
    return 1;
}

void open_subscription(lua_State *L)
{
    static const luaL_Reg methods[] = { { "free", subscription_free }, { NULL, NULL } };

    new_type(L, SUBSCRIPTION, methods, subscription_end, NULL);
}
