/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Edges of a contact: a time alone is a whole pulse, {t_ns, level} an edge. */
#include "internal.h"

#include <string.h>

static int to_level(lua_State *L, int index, uint32_t *level)
{
    *level = GASD_LEVEL_PULSE;
    if (lua_isnoneornil(L, index))
        return 1;
    for (*level = 0; level_names[*level]; (*level)++)
        if (lua_type(L, index) == LUA_TSTRING && strcmp(level_names[*level], lua_tostring(L, index)) == 0)
            return 1;
    return 0;
}

/* The level at an index; a pulse if there is none. */
uint32_t check_level(lua_State *L, int index)
{
    uint32_t level;

    luaL_argcheck(L, to_level(L, index, &level), index, "a level is unknown, closed, open or pulse");
    return level;
}

static gasd_edge edge_on_top(lua_State *L, int number)
{
    gasd_edge edge = { 0, 0, 0 };
    int time = lua_gettop(L), level = time + 1;

    if (lua_istable(L, time)) {
        lua_rawgeti(L, time, 1);
        lua_rawgeti(L, time, 2);
        time++, level++;
    } else {
        lua_pushnil(L);
    }
    if (!to_u64(L, time, &edge.t_ns) || !to_level(L, level, &edge.level))
        luaL_error(L, "edge %d: expected a time in ns, or {ns, level}; a level is unknown, closed, open or pulse",
                   number);
    return edge;
}

/* Reads a list of edges into memory that is left on the stack. */
gasd_edge *check_edges(lua_State *L, int table, size_t *count)
{
    gasd_edge *edges;
    size_t at;
    int top;

    luaL_checktype(L, table, LUA_TTABLE);
    *count = length_of(L, table);
    luaL_argcheck(L, *count <= 1 << 20, table, "at most 1048576 edges are taken at once");
    edges = lua_newuserdata(L, (*count + 1) * sizeof *edges);
    top = lua_gettop(L);
    for (at = 0; at < *count; at++) {
        lua_rawgeti(L, table, (int)at + 1);
        edges[at] = edge_on_top(L, (int)at + 1);
        lua_settop(L, top);
    }
    return edges;
}
