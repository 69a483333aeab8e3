/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* 64 bits in Lua. Lua 5.4 has integers of that size. Lua 5.1 and LuaJIT count in doubles, exact to 2^53: in ns that is
 * 104 days. There what may be larger is always a string of digits, so that a program finds out when it is written
 * and not after 104 days. Beside each exact number stands one for reckoning, in s or m3.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* LuaJIT's type of 64-bit numbers of C; no header names it. */
enum { CDATA = 10 };

static void push_digits(lua_State *L, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRIu64, value);
    lua_pushstring(L, digits);
}

/* A number that may be above 2^53. */
void push_exact(lua_State *L, uint64_t value)
{
#if LUA_VERSION_NUM >= 503
    if (value <= INT64_MAX) {
        lua_pushinteger(L, (lua_Integer)value);
        return;
    }
#endif
    push_digits(L, value);
}

/* A number that counts something, and is small. */
void push_count(lua_State *L, uint64_t value)
{
#if LUA_VERSION_NUM < 503
    if (value <= UINT64_C(1) << 53) {
        lua_pushnumber(L, (lua_Number)value);
        return;
    }
#endif
    push_exact(L, value);
}

static void set_both(lua_State *L, const char *name, const char *exact, uint64_t value, const char *unit, double in_it)
{
    char field[48];

    push_exact(L, value);
    snprintf(field, sizeof field, "%s_%s", name, exact);
    lua_setfield(L, -2, field);
    lua_pushnumber(L, in_it);
    snprintf(field, sizeof field, "%s_%s", name, unit);
    lua_setfield(L, -2, field);
}

/* Sets name_ns and name_s of the table on top. */
void set_time(lua_State *L, const char *name, uint64_t ns)
{
    set_both(L, name, "ns", ns, "s", (double)ns / 1e9);
}

/* Sets name_ul and name_m3. */
void set_volume(lua_State *L, const char *name, uint64_t ul)
{
    set_both(L, name, "ul", ul, "m3", (double)ul / 1e9);
}

/* Sets name_ul_per_h and name_m3_per_h, if it is known. */
void set_flow(lua_State *L, const char *name, uint64_t ul_per_h)
{
    if (ul_per_h != GASD_UNKNOWN)
        set_both(L, name, "ul_per_h", ul_per_h, "m3_per_h", (double)ul_per_h / 1e9);
}

/* Reads digits, with a sign before or LL or ULL behind them. */
static int read_digits(const char *text, int *negative, uint64_t *value)
{
    char *end;

    *negative = *text == '-';
    text += *negative;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && (*end == '\0' || strcmp(end, "LL") == 0 || strcmp(end, "ULL") == 0);
}

static int to_parts(lua_State *L, int index, int *negative, uint64_t *value)
{
    int type = lua_type(L, index), read;
    double number;

    if (type == LUA_TSTRING)
        return strlen(lua_tostring(L, index)) == length_of(L, index) &&
               read_digits(lua_tostring(L, index), negative, value);
    if (type == CDATA && luaL_callmeta(L, index, "__tostring")) {
        read = lua_type(L, -1) == LUA_TSTRING && read_digits(lua_tostring(L, -1), negative, value);
        lua_pop(L, 1);
        return read;
    }
    if (type != LUA_TNUMBER)
        return 0;
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, index)) {
        lua_Integer integer = lua_tointeger(L, index);
        *negative = integer < 0;
        *value = *negative ? 0 - (uint64_t)integer : (uint64_t)integer;
        return 1;
    }
#endif
    number = lua_tonumber(L, index);
    *negative = number < 0;
    number = *negative ? -number : number;
    /* Also of what is no number it is not said that it is smaller. */
    if (!(number < 18446744073709551616.0) || (double)(uint64_t)number != number)
        return 0;
    *value = (uint64_t)number;
    return 1;
}

/* Whether there is a whole number that is not negative. */
int to_u64(lua_State *L, int index, uint64_t *value)
{
    int negative;

    return to_parts(L, index, &negative, value) && (!negative || *value == 0);
}

uint64_t check_u64(lua_State *L, int index)
{
    uint64_t value = 0;

    luaL_argcheck(L, to_u64(L, index, &value), index, "expected a whole number of 0 or more, or its digits");
    return value;
}

int64_t check_i64(lua_State *L, int index)
{
    uint64_t value = 0;
    int negative = 0;

    luaL_argcheck(L, to_parts(L, index, &negative, &value) && value <= INT64_MAX, index,
                  "expected a whole number, or its digits");
    return negative ? -(int64_t)value : (int64_t)value;
}

/* A field of a table of options; 0 if it is not there. */
uint64_t u64_field(lua_State *L, int table, const char *name)
{
    uint64_t value = 0;

    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1) && !to_u64(L, -1, &value))
        luaL_error(L, "%s: expected a whole number of 0 or more, or its digits", name);
    lua_pop(L, 1);
    return value;
}

/* gasdetect.ns(s, ns): what clock_gettime(2) gave, in one exact number. */
int make_ns(lua_State *L)
{
    uint64_t s = check_u64(L, 1), ns = lua_isnoneornil(L, 2) ? 0 : check_u64(L, 2);

    luaL_argcheck(L, s < UINT64_C(9000000000), 1, "too many seconds");
    luaL_argcheck(L, ns < 1000000000, 2, "expected less than a second");
    push_exact(L, s * 1000000000 + ns);
    return 1;
}

/* gasdetect.now_ns(): CLOCK_BOOTTIME. */
int now_ns(lua_State *L)
{
    struct timespec now = { 0, 0 };

    clock_gettime(CLOCK_BOOTTIME, &now);
    push_exact(L, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    return 1;
}
