/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From the library's callbacks to Lua's functions. The library calls back in the middle of gasd_client_dispatch(), and
 * an error must not jump over it: everything that may fail is done by deliver(), in a protected call. What
 * failed is thrown once the library has returned.
 */
#include "internal.h"

/* Does the work of a callback; the client is its argument. */
static int deliver(lua_State *L)
{
    struct client *client = lua_touserdata(L, 1);
    const struct told *told = client->told;
    int arguments;

    push_values(L, 1);
    lua_rawgeti(L, 2, (int)told->place);
    lua_pushnumber(L, told->number);
    lua_rawget(L, 3);
    lua_replace(L, 2);
    lua_settop(L, 2);
    /* Freed just now, or about to be collected. */
    if (lua_isnil(L, 2))
        return 0;
    arguments = told->prepare(L, told);
    if (arguments < 0 || lua_pcall(L, arguments, 0, 0) == 0)
        return 0;
    push_values(L, 1);
    lua_rawgeti(L, -1, ERRORS);
    lua_pushvalue(L, -3);
    /* Counted once it is there: there may be no memory for it. */
    lua_rawseti(L, -2, client->errors + 1);
    client->errors++;
    return 0;
}

/* Called by the library's callbacks: never fails. */
void tell(struct client *client, const struct told *told)
{
    lua_State *L = client->L;

    if (!L)
        return;
    client->told = told;
    /* client_turn() made room for both. */
    lua_pushvalue(L, client->base);
    lua_pushvalue(L, client->base + 1);
    if (lua_pcall(L, 1, 0, 0) != 0) {
        client->lost = 1;
        lua_pop(L, 1);
    }
}

/* Lets the library work: waits for that long, or not at all, and dispatches. */
gasd_result client_turn(lua_State *L, int index, int timeout_ms)
{
    struct client *client = check_client(L, index);
    gasd_result result;

    /* The library would wait first, and find out then. */
    if (client->L)
        return gasd_client_dispatch(client->handle);
    luaL_checkstack(L, 8, "no room for callbacks");
    lua_pushcfunction(L, deliver);
    lua_pushvalue(L, index);
    client->base = lua_gettop(L) - 1;
    client->L = L;
    result = timeout_ms == AT_ONCE ? gasd_client_dispatch(client->handle)
                                   : gasd_client_wait(client->handle, timeout_ms);
    client->L = NULL;
    lua_pop(L, 2);
    return result;
}

/* Throws the oldest error of a callback, if there is one. */
void throw_errors(lua_State *L, int index)
{
    struct client *client = lua_touserdata(L, index);
    int at;

    if (client->lost) {
        client->lost = 0;
        luaL_error(L, "a callback failed, and no memory was left to say why");
    }
    if (client->errors == 0)
        return;
    push_values(L, index);
    lua_rawgeti(L, -1, ERRORS);
    lua_rawgeti(L, -1, 1);
    for (at = 1; at <= client->errors; at++) {
        lua_rawgeti(L, -2, at + 1);
        lua_rawseti(L, -3, at);
    }
    client->errors--;
    lua_error(L);
}

/* Gives an object a number, by which callbacks find it. */
double keep_object(lua_State *L, int client, int object, enum place place)
{
    double number = ++((struct client *)lua_touserdata(L, client))->numbers;

    push_values(L, client);
    lua_rawgeti(L, -1, (int)place);
    lua_pushnumber(L, number);
    lua_pushvalue(L, object);
    lua_rawset(L, -3);
    lua_pop(L, 2);
    return number;
}

void forget_object(lua_State *L, int client, enum place place, double number)
{
    push_values(L, client);
    lua_rawgeti(L, -1, (int)place);
    lua_pushnumber(L, number);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

static int nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/* A loop that waits in C lets Lua's hooks run, which is how Ctrl-C ends a program. */
void run_hooks(lua_State *L)
{
    lua_pushcfunction(L, nothing);
    lua_call(L, 0, 0);
}
