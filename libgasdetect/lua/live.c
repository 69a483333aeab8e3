/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A meter's state at hand. */
#include "internal.h"

struct live {
    gasd_live *handle; /* NULL once it was freed */
};

/* client:live(meter) */
int new_live(lua_State *L)
{
    struct client *client = check_client(L, 1);
    const char *meter = check_text(L, 2);
    struct live *live = new_object(L, LIVE, sizeof *live);
    int object = lua_gettop(L);
    gasd_result result;

    push_values(L, object);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "client");
    lua_pop(L, 1);
    result = gasd_live_new(client->handle, meter, &live->handle);
    return result == GASD_OK ? 1 : fail(L, result);
}

/* live:read(), live() */
static int live_read(lua_State *L)
{
    struct live *live = luaL_checkudata(L, 1, LIVE);
    gasd_meter_state state = { .struct_size = sizeof state };
    gasd_result result;

    if (!live->handle)
        luaL_error(L, "the live handle was freed");
    result = gasd_live_read(live->handle, &state);
    return result == GASD_OK ? push_meter(L, &state) : fail(L, result);
}

/* When it is collected, or its block ends. */
static int live_end(lua_State *L)
{
    struct live *live = luaL_checkudata(L, 1, LIVE);

    gasd_live_free(live->handle);
    live->handle = NULL;
    return 0;
}

static int live_free(lua_State *L)
{
    live_end(L);
    lua_pushboolean(L, 1);
    return 1;
}

void open_live(lua_State *L)
{
    static const luaL_Reg methods[] = { { "read", live_read }, { "free", live_free }, { NULL, NULL } };

    new_type(L, LIVE, methods, live_end, live_read);
}
