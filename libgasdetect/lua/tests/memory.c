/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Memory runs out at each allocation in turn, also in the middle of callbacks: Lua says so and nothing else happens. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static const char program[] =
    "local gasdetect = require 'gasdetect'\n"
    "return function()\n"
    "  local told = 0\n"
    "  local client = assert(gasdetect.client{ bus = 'unix:path=/nonexistent/bus' })\n"
    "  local subscription = client:subscribe{ verdict = print, state = function(e)\n"
    "    local kept = {}\n"
    "    for n = 1, 20 do kept[n] = e.text .. n end\n"
    "    told = told + 1\n"
    "  end }\n"
    "  local feed = client:feed('garden', { changed = print })\n"
    "  client:dispatch()\n"
    "  for event in client:events{ 'state' } do assert(event.type == 'state') break end\n"
    "  client:dispatch()\n"
    "  assert(told > 0)\n"
    "  subscription:free()\n"
    "end\n";

/* So many allocations are granted; negative: all. */
static long granted = -1;

static void *allocate(void *data, void *old, size_t had, size_t wanted)
{
    (void)data;
    if (wanted == 0) {
        free(old);
        return NULL;
    }
    if (!old || wanted > had) {
        if (granted == 0)
            return NULL;
        if (granted > 0)
            granted--;
    }
    return realloc(old, wanted);
}

int main(void)
{
    lua_State *L = lua_newstate(allocate, NULL);
    int enough = 0, failed = 0;
    long n;

    luaL_openlibs(L);
    if (luaL_loadstring(L, program) || lua_pcall(L, 0, 1, 0)) {
        fprintf(stderr, "memory: %s\n", lua_tostring(L, -1));
        return 1;
    }
    /* Ten runs in a row that had enough. */
    for (n = 0; enough < 10 && n < 10000; n++) {
        lua_settop(L, 1);
        lua_gc(L, LUA_GCCOLLECT, 0);
        lua_gc(L, LUA_GCCOLLECT, 0);
        lua_pushvalue(L, 1);
        granted = n;
        int result = lua_pcall(L, 0, 0, 0);
        granted = -1;
        if (result == 0) {
            enough++;
        } else if (result == LUA_ERRMEM) {
            enough = 0;
            failed++;
        } else {
            fprintf(stderr, "memory: with %ld allocations: %s\n", n, lua_tostring(L, -1));
            return 1;
        }
    }
    lua_close(L);
    printf("  ok      memory ran out at %d allocations\n", failed);
    return failed < 50;
}
