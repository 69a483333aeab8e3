/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Names instead of numbers, as gasctl and docs/verdicts.md have them. What is new to this module is "unknown". */
#include "internal.h"

#include <ctype.h>
#include <string.h>

static const char *const kind_names[] = {
    [GASD_KIND_UNKNOWN] = "unknown",
    [GASD_KIND_SURGE] = "surge",
    [GASD_KIND_SUSTAINED_FLOW] = "sustained-flow",
    [GASD_KIND_TRANSIENT_FLOW] = "transient-flow",
    [GASD_KIND_IMPLAUSIBLE_RATE] = "implausible-rate",
    [GASD_KIND_EDGE_STORM] = "edge-storm",
    [GASD_KIND_OVERLOAD] = "overload",
    [GASD_KIND_LONG_USE] = "long-use",
    [GASD_KIND_UNUSUAL_HOUR] = "unusual-hour",
    [GASD_KIND_BASE_FLOW] = "base-flow",
    [GASD_KIND_NEVER_ZERO] = "never-zero",
    [GASD_KIND_SILENT_METER] = "silent-meter",
    [GASD_KIND_FLOW_AFTER_OPENING] = "flow-after-opening",
    [GASD_KIND_FLOW_WHILE_CLOSED] = "flow-while-closed",
    [GASD_KIND_LOW_PRESSURE] = "low-pressure",
    [GASD_KIND_EARTHQUAKE] = "earthquake",
    [GASD_KIND_GAS_ALARM] = "gas-alarm",
    [GASD_KIND_REVERSE_FLOW] = "reverse-flow",
};

const char *const severity_names[] = {
    [GASD_SEVERITY_UNKNOWN] = "unknown", [GASD_SEVERITY_INFO] = "info",
    [GASD_SEVERITY_NOTICE] = "notice",   [GASD_SEVERITY_WARNING] = "warning",
    [GASD_SEVERITY_CRITICAL] = "critical", NULL,
};

static const char *const position_names[] = {
    [GASD_POSITION_UNKNOWN] = "unknown",
    [GASD_POSITION_OPEN] = "open",
    [GASD_POSITION_CLOSED] = "closed",
};

const char *const level_names[] = {
    [GASD_LEVEL_UNKNOWN] = "unknown", [GASD_LEVEL_CLOSED] = "closed", [GASD_LEVEL_OPEN] = "open",
    [GASD_LEVEL_PULSE] = "pulse",     NULL,
};

static const char *const state_names[] = {
    [GASD_STATE_NO_BUS] = "no-bus",
    [GASD_STATE_NO_SERVICE] = "no-service",
    [GASD_STATE_JOINING] = "joining",
    [GASD_STATE_READY] = "ready",
};

static const char *const gap_names[] = {
    [GASD_GAP_SLOW] = "slow",
    [GASD_GAP_AWAY] = "away",
};

static const char *const source_names[] = {
    [GASD_SOURCE_STREAM] = "stream",
    [GASD_SOURCE_PAGE] = "page",
};

static const char *const feed_names[] = {
    [GASD_FEED_WAITING] = "waiting",
    [GASD_FEED_READY] = "ready",
    [GASD_FEED_REFUSED] = "refused",
};

#define NAMED(names, number) \
    ((number) < sizeof(names) / sizeof *(names) && (names)[number] ? (names)[number] : "unknown")

const char *kind_name(uint32_t kind)
{
    return NAMED(kind_names, kind);
}

const char *severity_name(uint32_t severity)
{
    return NAMED(severity_names, severity);
}

const char *position_name(uint32_t position)
{
    return NAMED(position_names, position);
}

const char *state_name(uint32_t state)
{
    return NAMED(state_names, state);
}

const char *gap_name(uint32_t reason)
{
    return NAMED(gap_names, reason);
}

const char *source_name(uint32_t source)
{
    return NAMED(source_names, source);
}

const char *feed_name(uint32_t state)
{
    return NAMED(feed_names, state);
}

/* "not-connected" for GASD_NOT_CONNECTED, by the library's own list: it may know more results than this module. */
void push_code(lua_State *L, gasd_result result)
{
    const char *name = gasd_result_name((int32_t)result);
    char code[32];
    size_t at;

    name += strncmp(name, "GASD_", 5) == 0 ? 5 : 0;
    for (at = 0; name[at] && at < sizeof code - 1; at++)
        code[at] = name[at] == '_' ? '-' : (char)tolower((unsigned char)name[at]);
    lua_pushlstring(L, code, at);
}
