/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* local gasdetect = require "gasdetect": see docs/lua.md. */
#include "internal.h"

/* gasdetect.version() -> of the C library, like "1.0.0" */
static int version(lua_State *L)
{
    lua_pushstring(L, gasd_version());
    return 1;
}

static const luaL_Reg functions[] = {
    { "client", new_client }, { "engine", new_engine }, { "version", version },
    { "now_ns", now_ns },     { "ns", make_ns },        { NULL, NULL },
};

/* The one name that the module exports. */
__attribute__((visibility("default"))) int luaopen_gasdetect(lua_State *L);

int luaopen_gasdetect(lua_State *L)
{
    /* A library of an older minor lacks functions that this was compiled with. */
    if (gasd_version_number() >> 16 != GASDETECT_MAJOR || gasd_version_number() < GASDETECT_VERSION_NUMBER)
        return luaL_error(L, "libgasdetect is %s, and this module was made for a newer one", gasd_version());
    open_client(L);
    open_subscription(L);
    open_live(L);
    open_feed(L);
    open_engine(L);
    lua_newtable(L);
    set_functions(L, functions);
    return 1;
}
