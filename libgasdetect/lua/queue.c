/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events that wait for a loop: for event in client:events{...} do. */
#include "internal.h"

#include <string.h>

/* So many wait; then pulses and readings, whose totals mend themselves, give way. */
enum { MOST = 16384 };

/* With the subscription at 2 and its values on top: appends the event on top. */
static void append(lua_State *L, struct subscription *subscription, const char *type)
{
    lua_pushstring(L, type);
    lua_setfield(L, -2, "type");
    /* Counted once it is there: there may be no memory for it. */
    lua_rawseti(L, -2, subscription->last + 1);
    subscription->last++;
}

/* A loop that was too slow is told so, as gasd tells it. */
static void append_gap(lua_State *L, struct subscription *subscription)
{
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "slow");
    lua_setfield(L, -2, "reason");
    push_count(L, subscription->lost);
    lua_setfield(L, -2, "lost");
    append(L, subscription, "gap");
    subscription->lost = 0;
}

/* Keeps an event for the loop of the subscription at 2. */
int queue_event(lua_State *L, const struct told *told)
{
    struct subscription *subscription = lua_touserdata(L, 2);
    int gives_way = strcmp(told->type, "pulse") == 0 || strcmp(told->type, "reading") == 0;

    if (gives_way && subscription->last - subscription->first >= MOST) {
        subscription->lost++;
        return -1;
    }
    push_values(L, 2);
    if (subscription->lost)
        append_gap(L, subscription);
    told->push(L, told->event);
    append(L, subscription, told->type);
    return -1;
}

/* The loop's function: the next event, waiting for it; nil once the subscription or its client is freed. */
static int next_event(lua_State *L)
{
    struct subscription *subscription;
    gasd_result result;

    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    subscription = lua_touserdata(L, 1);
    push_values(L, 1);
    lua_getfield(L, 2, "client");
    while (subscription->first == subscription->last) {
        if (!subscription->handle || !subscription->client->handle)
            return 0;
        throw_errors(L, 3);
        result = client_turn(L, 3, FOR_EVER);
        throw_errors(L, 3);
        if (result != GASD_OK && result != GASD_TIMED_OUT)
            return luaL_error(L, "%s", gasd_error_message());
        run_hooks(L);
    }
    lua_rawgeti(L, 2, ++subscription->first);
    lua_pushnil(L);
    lua_rawseti(L, 2, subscription->first);
    if (subscription->first == subscription->last)
        subscription->first = subscription->last = 0;
    return 1;
}

/* Pushes what the for statement wants, for the subscription on top. */
int loop_of(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, next_event, 1);
    lua_insert(L, -2);
    lua_pushnil(L);
    lua_insert(L, -2);
    lua_pushnil(L);
    lua_insert(L, -2);
#if LUA_VERSION_NUM >= 504
    /* Freed when the loop ends. */
    return 4;
#else
    /* Collected once the loop has ended. */
    lua_pop(L, 1);
    return 3;
#endif
}
