/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the parts of the Lua module share. Lua 5.4 and the API of 5.1 (LuaJIT, Lua 5.1), over gasdetect.h alone.
 *
 * No part has a variable of its own: everything lives in the Lua state, so several states in several threads
 * may each have the module.
 */
#ifndef GASDETECT_LUA_INTERNAL_H
#define GASDETECT_LUA_INTERNAL_H

#include <gasdetect.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

/* Each userdata has one table of values: what it keeps alive. */
#if LUA_VERSION_NUM >= 504
#define push_values(L, index) ((void)lua_getiuservalue(L, index, 1))
#define set_values(L, index) ((void)lua_setiuservalue(L, index, 1))
#define length_of(L, index) ((size_t)lua_rawlen(L, index))
#else
#define push_values(L, index) lua_getfenv(L, index)
#define set_values(L, index) ((void)lua_setfenv(L, index))
#define length_of(L, index) ((size_t)lua_objlen(L, index))
#endif

#define CLIENT "gasdetect.client"
#define SUBSCRIPTION "gasdetect.subscription"
#define LIVE "gasdetect.live"
#define FEED "gasdetect.feed"
#define ENGINE "gasdetect.engine"

/* How long client_turn() waits: not at all, or for ever. */
enum { AT_ONCE = -2, FOR_EVER = -1 };

/* Where a client finds the objects that callbacks are for; also their indices in its table of values. */
enum place {
    KEPT = 1, /* lives as long as the client, or until it is freed */
    WEAK = 2, /* lives as long as the program holds it */
    ERRORS = 3 /* errors of callbacks that wait to be thrown */
};

struct told;

/* A client. */
struct client {
    gasd_client *handle; /* NULL once it was freed */
    lua_State *L; /* who dispatches now; NULL: nobody */
    int base; /* there: deliver() and the client, on the stack of the function that dispatches */
    const struct told *told; /* what deliver() is to tell */
    double numbers; /* given to objects so far */
    int errors; /* that wait to be thrown */
    int lost; /* an error that no memory was left for */
};

/* Something that a callback of the library was told. */
struct told {
    enum place place;
    double number; /* of the object there */
    /* With the client at 1 and the object at 2: pushes a function and its arguments and returns how many these are;
     * -1: nothing is to be called. */
    int (*prepare)(lua_State *L, const struct told *told);
    const char *type; /* of the event */
    int (*push)(lua_State *L, const void *event); /* pushes the event as a table */
    const void *event;
};

/* objects.c: metatables, options, failures. */
void new_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction end, lua_CFunction call);
void *new_object(lua_State *L, const char *name, size_t size);
void set_functions(lua_State *L, const luaL_Reg *functions);
void check_keys(lua_State *L, int table, const char *const *known);
const char *check_text(lua_State *L, int index);
const char *text_field(lua_State *L, int table, const char *name);
int fail(lua_State *L, gasd_result result);
int fail_with(lua_State *L, const char *message, gasd_result result);

/* numbers.c: 64 bits in Lua. */
void push_exact(lua_State *L, uint64_t value);
void push_count(lua_State *L, uint64_t value);
void set_time(lua_State *L, const char *name, uint64_t ns);
void set_volume(lua_State *L, const char *name, uint64_t ul);
void set_flow(lua_State *L, const char *name, uint64_t ul_per_h);
int to_u64(lua_State *L, int index, uint64_t *value);
uint64_t check_u64(lua_State *L, int index);
int64_t check_i64(lua_State *L, int index);
uint64_t u64_field(lua_State *L, int table, const char *name);
int make_ns(lua_State *L);
int now_ns(lua_State *L);

/* names.c: names instead of numbers. */
extern const char *const severity_names[], *const level_names[];
const char *kind_name(uint32_t kind);
const char *severity_name(uint32_t severity);
const char *position_name(uint32_t position);
const char *state_name(uint32_t state);
const char *gap_name(uint32_t reason);
const char *source_name(uint32_t source);
const char *feed_name(uint32_t state);
void push_code(lua_State *L, gasd_result result);

/* edges.c: edges of a contact. */
uint32_t check_level(lua_State *L, int index);
gasd_edge *check_edges(lua_State *L, int table, size_t *count);

/* told.c: from the library's callbacks to Lua's functions. */
void tell(struct client *client, const struct told *told);
gasd_result client_turn(lua_State *L, int index, int timeout_ms);
void throw_errors(lua_State *L, int index);
double keep_object(lua_State *L, int client, int object, enum place place);
void forget_object(lua_State *L, int client, enum place place, double number);
void run_hooks(lua_State *L);

/* client.c */
struct client *check_client(lua_State *L, int index);
int new_client(lua_State *L);
void open_client(lua_State *L);

/* event.c: events as tables. */
struct refusal {
    gasd_result result;
    const char *text;
};
int push_pulse(lua_State *L, const void *event);
int push_reading(lua_State *L, const void *event);
int push_verdict(lua_State *L, const void *event);
int push_valve(lua_State *L, const void *event);
int push_gap(lua_State *L, const void *event);
int push_state(lua_State *L, const void *event);
int push_refused(lua_State *L, const void *event);
int push_meter(lua_State *L, const gasd_meter_state *state);

/* subscription.c, queue.c */
struct subscription {
    gasd_subscription *handle; /* NULL once it was freed */
    struct client *client;
    enum place place;
    double number;
    int queued; /* events wait for a loop, and no function is called */
    int first, last; /* of them; none if last < first */
    uint64_t lost; /* pulses and readings that found no room */
};
int subscribe_functions(lua_State *L);
int subscribe_loop(lua_State *L);
int queue_event(lua_State *L, const struct told *told);
int loop_of(lua_State *L);
void open_subscription(lua_State *L);

/* request.c */
int close_valve(lua_State *L);
int open_valve(lua_State *L);
int hold_valve(lua_State *L);
int release_valve(lua_State *L);
int acknowledge(lua_State *L);

/* live.c, feed.c, engine.c */
int new_live(lua_State *L);
void open_live(lua_State *L);
int new_feed(lua_State *L);
void open_feed(lua_State *L);
int new_engine(lua_State *L);
void open_engine(lua_State *L);

#endif
