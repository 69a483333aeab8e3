/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A client: the connection to gasd. */
#include "internal.h"

#include <limits.h>
#include <math.h>

/* One that was not freed. */
struct client *check_client(lua_State *L, int index)
{
    struct client *client = luaL_checkudata(L, index, CLIENT);

    if (!client->handle)
        luaL_error(L, "the client was freed");
    return client;
}

/* Empty tables for what the client knows. */
static void set_places(lua_State *L, int client)
{
    push_values(L, client);
    lua_newtable(L);
    lua_rawseti(L, -2, KEPT);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawseti(L, -2, WEAK);
    lua_newtable(L);
    lua_rawseti(L, -2, ERRORS);
    lua_pop(L, 1);
}

/* gasdetect.client{bus=, app_id=} */
int new_client(lua_State *L)
{
    static const char *const known[] = { "bus", "app_id", NULL };
    gasd_client_options options = { .struct_size = sizeof options };
    struct client *client;
    gasd_result result;

    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) {
        check_keys(L, 1, known);
        options.bus = text_field(L, 1, "bus");
        options.app_id = text_field(L, 1, "app_id");
    }
    client = new_object(L, CLIENT, sizeof *client);
    set_places(L, 2);
    result = gasd_client_new(&options, &client->handle);
    return result == GASD_OK ? 1 : fail(L, result);
}

/* When it is collected, or its block ends. */
static int client_end(lua_State *L)
{
    struct client *client = luaL_checkudata(L, 1, CLIENT);

    gasd_client_free(client->handle);
    client->handle = NULL;
    return 0;
}

/* client:free() */
static int client_free(lua_State *L)
{
    client_end(L);
    /* Nobody will call what was kept for it. */
    push_values(L, 1);
    lua_newtable(L);
    lua_rawseti(L, -2, KEPT);
    lua_pushboolean(L, 1);
    return 1;
}

static int client_fd(lua_State *L)
{
    lua_pushinteger(L, gasd_client_fd(check_client(L, 1)->handle));
    return 1;
}

static int turn(lua_State *L, int timeout_ms)
{
    gasd_result result;

    check_client(L, 1);
    throw_errors(L, 1);
    result = client_turn(L, 1, timeout_ms);
    throw_errors(L, 1);
    if (result != GASD_OK)
        return fail(L, result);
    lua_pushboolean(L, 1);
    return 1;
}

static int client_dispatch(lua_State *L)
{
    return turn(L, AT_ONCE);
}

/* client:wait([seconds]) */
static int client_wait(lua_State *L)
{
    lua_Number ms;

    check_client(L, 1);
    if (lua_isnoneornil(L, 2))
        return turn(L, FOR_EVER);
    ms = ceil(luaL_checknumber(L, 2) * 1000);
    luaL_argcheck(L, ms >= 0, 2, "expected seconds, or nil for ever");
    return turn(L, ms < INT_MAX ? (int)ms : INT_MAX);
}

/* Pushes a text that the library writes into a buffer. */
static int push_text(lua_State *L, gasd_result (*read)(const gasd_client *, char *, size_t, size_t *))
{
    struct client *client = check_client(L, 1);
    char small[256], *text = small;
    size_t needed = sizeof small, size;
    gasd_result result;

    do {
        size = needed;
        if (size > sizeof small)
            text = lua_newuserdata(L, size);
        result = read(client->handle, text, size, &needed);
    } while (result == GASD_BUFFER);
    if (result != GASD_OK)
        return fail(L, result);
    lua_pushstring(L, text);
    return 1;
}

/* client:state() -> name, text */
static int client_state(lua_State *L)
{
    struct client *client = check_client(L, 1);
    uint32_t state = 0;
    gasd_result result = gasd_client_state(client->handle, &state);

    if (result != GASD_OK)
        return fail(L, result);
    lua_pushstring(L, state_name(state));
    return 1 + push_text(L, gasd_client_state_text);
}

static int client_service_version(lua_State *L)
{
    return push_text(L, gasd_client_service_version);
}

/* client:valve(id) -> what is known of it */
static int client_valve(lua_State *L)
{
    struct client *client = check_client(L, 1);
    gasd_valve_state state = { .struct_size = sizeof state };
    gasd_result result = gasd_valve_read(client->handle, check_text(L, 2), &state);

    if (result != GASD_OK)
        return fail(L, result);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, position_name(state.position));
    lua_setfield(L, -2, "position");
    lua_pushboolean(L, state.fault != 0);
    lua_setfield(L, -2, "fault");
    return 1;
}

static const luaL_Reg methods[] = {
    { "free", client_free },
    { "fd", client_fd },
    { "dispatch", client_dispatch },
    { "wait", client_wait },
    { "state", client_state },
    { "service_version", client_service_version },
    { "subscribe", subscribe_functions },
    { "events", subscribe_loop },
    { "close", close_valve },
    { "open", open_valve },
    { "hold", hold_valve },
    { "release", release_valve },
    { "acknowledge", acknowledge },
    { "valve", client_valve },
    { "live", new_live },
    { "feed", new_feed },
    { NULL, NULL },
};

void open_client(lua_State *L)
{
    new_type(L, CLIENT, methods, client_end, NULL);
}
