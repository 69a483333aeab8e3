/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The detection engine inside of the program: no connection, no clock, no file. */
#include "internal.h"

struct engine {
    gasd_engine *handle; /* NULL once it was freed */
};

static gasd_engine *check_engine(lua_State *L, int index)
{
    struct engine *engine = luaL_checkudata(L, index, ENGINE);

    if (!engine->handle)
        luaL_error(L, "the engine was freed");
    return engine->handle;
}

/* true, or nil and why not */
static int outcome(lua_State *L, gasd_result result)
{
    if (result != GASD_OK)
        return fail(L, result);
    lua_pushboolean(L, 1);
    return 1;
}

/* gasdetect.engine{pulse_volume_ul=, ...} */
int new_engine(lua_State *L)
{
    static const char *const known[] = { "pulse_volume_ul", "max_flow_ul_per_h", "profile",     "meter",
                                         "min_interval_ns", "min_width_ns",      "min_idle_ns", NULL };
    gasd_engine_options options = { .struct_size = sizeof options };
    struct engine *engine;

    check_keys(L, 1, known);
    options.pulse_volume_ul = u64_field(L, 1, "pulse_volume_ul");
    options.max_flow_ul_per_h = u64_field(L, 1, "max_flow_ul_per_h");
    options.profile = text_field(L, 1, "profile");
    options.meter = text_field(L, 1, "meter");
    options.min_interval_ns = u64_field(L, 1, "min_interval_ns");
    options.min_width_ns = u64_field(L, 1, "min_width_ns");
    options.min_idle_ns = u64_field(L, 1, "min_idle_ns");
    engine = new_object(L, ENGINE, sizeof *engine);
    gasd_result result = gasd_engine_new(&options, &engine->handle);
    return result == GASD_OK ? 1 : fail(L, result);
}

/* engine:push(t_ns [, level]), engine:push{t_ns, {t_ns, level}, ...} */
static int engine_push(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);
    gasd_edge edge, *edges = &edge;
    size_t count = 1;

    if (lua_istable(L, 2))
        edges = check_edges(L, 2, &count);
    else
        edge = (gasd_edge){ .t_ns = check_u64(L, 2), .level = check_level(L, 3) };
    return outcome(L, gasd_engine_push(engine, edges, count));
}

/* engine:tick(now_ns) */
static int engine_tick(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);

    return outcome(L, gasd_engine_tick(engine, check_u64(L, 2)));
}

/* engine:set_civil_offset(offset_ns) */
static int engine_set_civil_offset(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);

    return outcome(L, gasd_engine_set_civil_offset(engine, check_i64(L, 2)));
}

/* engine:set_valve(open, now_ns) */
static int engine_set_valve(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    return outcome(L, gasd_engine_set_valve(engine, lua_toboolean(L, 2), check_u64(L, 3)));
}

static void push_found(lua_State *L, const gasd_engine_verdict *verdict)
{
    lua_createtable(L, 0, 16);
    lua_pushstring(L, kind_name(verdict->kind));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, severity_name(verdict->severity));
    lua_setfield(L, -2, "severity");
    set_time(L, "start", verdict->start_ns);
    set_time(L, "decided", verdict->decided_ns);
    lua_pushstring(L, verdict->text);
    lua_setfield(L, -2, "text");
    lua_pushstring(L, verdict->rule);
    lua_setfield(L, -2, "rule");
    lua_pushnumber(L, verdict->before_m3_per_h);
    lua_setfield(L, -2, "before_m3_per_h");
    lua_pushnumber(L, verdict->after_m3_per_h);
    lua_setfield(L, -2, "after_m3_per_h");
    set_volume(L, "released", verdict->released_ul);
    lua_pushnumber(L, verdict->value);
    lua_setfield(L, -2, "value");
    lua_pushnumber(L, verdict->threshold);
    lua_setfield(L, -2, "threshold");
    lua_pushstring(L, verdict->unit);
    lua_setfield(L, -2, "unit");
}

/* engine:next() -> a verdict, or nil when none waits */
static int engine_next(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);
    gasd_engine_verdict verdict = { .struct_size = sizeof verdict };
    gasd_result result = gasd_engine_next(engine, &verdict);

    if (result == GASD_NONE) {
        lua_pushnil(L);
        return 1;
    }
    if (result != GASD_OK)
        return fail(L, result);
    push_found(L, &verdict);
    return 1;
}

/* for verdict in engine:verdicts() do */
static int engine_verdicts(lua_State *L)
{
    check_engine(L, 1);
    lua_pushcfunction(L, engine_next);
    lua_pushvalue(L, 1);
    return 2;
}

/* engine:save() -> bytes */
static int engine_save(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);
    uint8_t *bytes = NULL;
    size_t size = 0, needed = 0;
    gasd_result result = gasd_engine_save(engine, NULL, 0, &needed);

    while (result == GASD_BUFFER && needed > size) {
        size = needed;
        bytes = lua_newuserdata(L, size);
        result = gasd_engine_save(engine, bytes, size, &needed);
    }
    if (result != GASD_OK)
        return fail(L, result);
    lua_pushlstring(L, (const char *)bytes, needed);
    return 1;
}

/* engine:restore(bytes [, moved_ns]) */
static int engine_restore(lua_State *L)
{
    gasd_engine *engine = check_engine(L, 1);
    int64_t moved_ns = lua_isnoneornil(L, 3) ? 0 : check_i64(L, 3);
    const char *bytes;

    luaL_checktype(L, 2, LUA_TSTRING);
    bytes = lua_tostring(L, 2);
    return outcome(L, gasd_engine_restore(engine, (const uint8_t *)bytes, length_of(L, 2), moved_ns));
}

/* When it is collected, or its block ends. */
static int engine_end(lua_State *L)
{
    struct engine *engine = luaL_checkudata(L, 1, ENGINE);

    gasd_engine_free(engine->handle);
    engine->handle = NULL;
    return 0;
}

static int engine_free(lua_State *L)
{
    engine_end(L);
    lua_pushboolean(L, 1);
    return 1;
}

void open_engine(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "push", engine_push },
        { "tick", engine_tick },
        { "set_civil_offset", engine_set_civil_offset },
        { "set_valve", engine_set_valve },
        { "next", engine_next },
        { "verdicts", engine_verdicts },
        { "save", engine_save },
        { "restore", engine_restore },
        { "free", engine_free },
        { NULL, NULL },
    };

    new_type(L, ENGINE, methods, engine_end, NULL);
}
