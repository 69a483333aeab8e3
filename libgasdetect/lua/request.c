/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Requests to gasd: valves and verdicts. With a function they return at once and it is told what became of them;
 * without, they wait for the answer. Callbacks go on to be made meanwhile; what fails in them waits for
 * the next dispatch, so that the answer is not lost.
 */
#include "internal.h"

/* A request under way; its values are the function, or the answer. */
struct request {
    struct client *client;
    double number;
    int done;
    gasd_result result;
    uint64_t value;
    const char *text; /* as long as it is told */
};

enum { FUNCTION = 1, MESSAGE = 2 };

/* With the request at 2. */
static int prepare_answer(lua_State *L, const struct told *told)
{
    const struct request *request = lua_touserdata(L, 2);
    int ok = request->result == GASD_OK;

    forget_object(L, 1, KEPT, told->number);
    push_values(L, 2);
    lua_rawgeti(L, -1, FUNCTION);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushstring(L, request->text);
        lua_rawseti(L, -2, MESSAGE);
        return -1;
    }
    lua_pushboolean(L, ok);
    if (ok) {
        lua_pushnil(L);
        lua_pushnil(L);
    } else {
        lua_pushstring(L, request->text);
        push_code(L, request->result);
    }
    if (!ok || request->value == 0)
        return 3;
    push_exact(L, request->value);
    return 4;
}

static void on_done(void *data, gasd_result result, const char *text, uint64_t value)
{
    struct request *request = data;
    struct told told = { .place = KEPT, .number = request->number, .prepare = prepare_answer };

    request->done = 1;
    request->result = result;
    request->value = value;
    request->text = text;
    tell(request->client, &told);
}

/* Waits for the answer to the request at an index. */
static int wait_for(lua_State *L, int index)
{
    struct request *request = lua_touserdata(L, index);
    struct client *client = request->client;
    gasd_result result;

    while (!request->done) {
        result = client_turn(L, 1, FOR_EVER);
        if (request->done)
            break;
        if (!client->handle)
            return fail_with(L, "the client was freed before the answer came; it may be done", GASD_CANCELLED);
        if (result != GASD_OK && result != GASD_TIMED_OUT)
            return fail(L, result);
        run_hooks(L);
    }
    if (request->result == GASD_OK) {
        if (request->value)
            push_exact(L, request->value);
        else
            lua_pushboolean(L, 1);
        return 1;
    }
    push_values(L, index);
    lua_rawgeti(L, -1, MESSAGE);
    /* Without memory for the sentence there is the one for all such results. */
    if (!lua_isstring(L, -1))
        lua_pushstring(L, gasd_result_text((int32_t)request->result));
    return fail_with(L, lua_tostring(L, -1), request->result);
}

/* Makes a request with the function at an index, or none. Pushes it. */
static struct request *new_request(lua_State *L, int function)
{
    struct client *client = check_client(L, 1);
    struct request *request;

    if (!lua_isnoneornil(L, function))
        luaL_checktype(L, function, LUA_TFUNCTION);
    lua_settop(L, function);
    request = new_object(L, NULL, sizeof *request);
    request->client = client;
    push_values(L, function + 1);
    lua_pushvalue(L, function);
    lua_rawseti(L, -2, FUNCTION);
    lua_pop(L, 1);
    request->number = keep_object(L, 1, function + 1, KEPT);
    return request;
}

/* A callback of the client cannot wait for it, and what cannot be waited for is not even asked. */
static int cannot_wait(lua_State *L, int function)
{
    return lua_isnoneornil(L, function) && check_client(L, 1)->L;
}

/* It was asked, or not. */
static int asked(lua_State *L, int function, gasd_result result)
{
    struct request *request = lua_touserdata(L, function + 1);

    if (result != GASD_OK) {
        int values = fail(L, result);
        forget_object(L, 1, KEPT, request->number);
        return values;
    }
    if (lua_isnil(L, function))
        return wait_for(L, function + 1);
    lua_pushboolean(L, 1);
    return 1;
}

static int busy(lua_State *L)
{
    return fail_with(L, "a callback cannot wait for its own client; give a function to be called", GASD_BUSY);
}

typedef gasd_result (*call_with_reason)(gasd_client *, const char *, const char *, gasd_done_fn, void *);

/* client:close(valve, reason [, function]), and its like */
static int with_reason(lua_State *L, call_with_reason call)
{
    const char *valve = check_text(L, 2), *reason = check_text(L, 3);
    struct request *request;

    if (cannot_wait(L, 4))
        return busy(L);
    request = new_request(L, 4);
    return asked(L, 4, call(request->client->handle, valve, reason, on_done, request));
}

int close_valve(lua_State *L)
{
    return with_reason(L, gasd_valve_close);
}

int open_valve(lua_State *L)
{
    return with_reason(L, gasd_valve_open);
}

int hold_valve(lua_State *L)
{
    return with_reason(L, gasd_valve_hold);
}

/* client:release(valve, cookie [, function]) */
int release_valve(lua_State *L)
{
    const char *valve = check_text(L, 2);
    uint64_t cookie = check_u64(L, 3);
    struct request *request;

    if (cannot_wait(L, 4))
        return busy(L);
    request = new_request(L, 4);
    return asked(L, 4, gasd_valve_release(request->client->handle, valve, cookie, on_done, request));
}

/* client:acknowledge(id [, feedback] [, function]) */
int acknowledge(lua_State *L)
{
    uint64_t id = check_u64(L, 2);
    const char *feedback;
    struct request *request;

    if (lua_isfunction(L, 3) && lua_isnone(L, 4)) {
        lua_pushnil(L);
        lua_insert(L, 3);
    }
    feedback = lua_isnoneornil(L, 3) ? NULL : check_text(L, 3);
    if (cannot_wait(L, 4))
        return busy(L);
    request = new_request(L, 4);
    return asked(L, 4, gasd_verdict_acknowledge(request->client->handle, id, feedback, on_done, request));
}
