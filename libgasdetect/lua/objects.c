/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What all objects have: metatables, options with names, and failures as nil, message, code. */
#include "internal.h"

#include <string.h>

void set_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

/* Makes the metatable of a type. end frees an object, and may be called again. */
void new_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction end, lua_CFunction call)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    set_functions(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, end);
    lua_setfield(L, -2, "__gc");
#if LUA_VERSION_NUM >= 504
    lua_pushcfunction(L, end);
    lua_setfield(L, -2, "__close");
#endif
    if (call) {
        lua_pushcfunction(L, call);
        lua_setfield(L, -2, "__call");
    }
    /* Nobody changes it from outside. */
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* Pushes an object, all zero, with an empty table of values. */
void *new_object(lua_State *L, const char *name, size_t size)
{
    void *object = lua_newuserdata(L, size);

    memset(object, 0, size);
    lua_newtable(L);
    set_values(L, -2);
    if (name) {
        luaL_getmetatable(L, name);
        lua_setmetatable(L, -2);
    }
    return object;
}

/* A misspelt option would be one that nobody heeds, so it is an error. */
void check_keys(lua_State *L, int table, const char *const *known)
{
    const char *const *one;

    luaL_checktype(L, table, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "options have names, and one has none");
        for (one = known; *one && strcmp(*one, lua_tostring(L, -1)) != 0; one++)
            ;
        if (!*one)
            luaL_error(L, "no option is called \"%s\"", lua_tostring(L, -1));
    }
}

/* A string without a zero in it, which C would cut there. */
const char *check_text(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TSTRING);
    luaL_argcheck(L, strlen(lua_tostring(L, index)) == length_of(L, index), index, "there is a zero in the string");
    return lua_tostring(L, index);
}

/* A field of a table of options, which keeps the string alive; NULL if it is not there. */
const char *text_field(lua_State *L, int table, const char *name)
{
    const char *text = NULL;

    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1)) {
        if (lua_type(L, -1) != LUA_TSTRING || strlen(lua_tostring(L, -1)) != length_of(L, -1))
            luaL_error(L, "%s: expected a string without a zero in it", name);
        text = lua_tostring(L, -1);
    }
    lua_pop(L, 1);
    return text;
}

int fail_with(lua_State *L, const char *message, gasd_result result)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    push_code(L, result);
    return 3;
}

/* What the library said last. */
int fail(lua_State *L, gasd_result result)
{
    char message[512];

    /* Lua may collect garbage, which calls the library, before it has copied the sentence. */
    strncpy(message, gasd_error_message(), sizeof message - 1);
    message[sizeof message - 1] = '\0';
    return fail_with(L, message, result);
}
