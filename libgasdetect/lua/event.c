/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events as tables. What is not known is not there: a field is nil rather than a number that means so. */
#include "internal.h"

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

static void set_count(lua_State *L, const char *name, uint64_t value)
{
    push_count(L, value);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, uint64_t flags, uint64_t flag)
{
    lua_pushboolean(L, (flags & flag) != 0);
    lua_setfield(L, -2, name);
}

/* A time or an interval that is 0 where there is none. */
static void set_time_if(lua_State *L, const char *name, uint64_t ns)
{
    if (ns)
        set_time(L, name, ns);
}

int push_pulse(lua_State *L, const void *event)
{
    const gasd_pulse_event *pulse = event;

    lua_createtable(L, 0, 12);
    set_text(L, "meter", pulse->meter);
    set_time(L, "t", pulse->t_ns);
    set_time(L, "decided", pulse->decided_ns);
    set_time_if(L, "interval", pulse->interval_ns);
    set_count(L, "pulses", pulse->pulses);
    set_volume(L, "volume", pulse->volume_ul);
    set_flag(L, "simulated", pulse->flags, GASD_SIMULATED);
    return 1;
}

int push_reading(lua_State *L, const void *event)
{
    const gasd_reading_event *reading = event;

    lua_createtable(L, 0, 12);
    set_text(L, "meter", reading->meter);
    set_time(L, "t", reading->t_ns);
    set_volume(L, "volume", reading->volume_ul);
    set_count(L, "pulses", reading->pulses);
    set_flow(L, "flow", reading->flow_ul_per_h);
    set_time_if(L, "last_pulse", reading->last_pulse_ns);
    set_flag(L, "simulated", reading->flags, GASD_SIMULATED);
    return 1;
}

int push_verdict(lua_State *L, const void *event)
{
    const gasd_verdict_event *verdict = event;

    lua_createtable(L, 0, 13);
    push_exact(L, verdict->id);
    lua_setfield(L, -2, "id");
    set_text(L, "meter", verdict->meter);
    set_text(L, "kind", kind_name(verdict->kind));
    set_text(L, "severity", severity_name(verdict->severity));
    set_time(L, "start", verdict->start_ns);
    set_time(L, "decided", verdict->decided_ns);
    set_text(L, "text", verdict->text);
    set_text(L, "evidence", verdict->evidence);
    set_flag(L, "simulated", verdict->flags, GASD_SIMULATED);
    set_flag(L, "recovered", verdict->flags, GASD_RECOVERED);
    return 1;
}

int push_valve(lua_State *L, const void *event)
{
    const gasd_valve_event *valve = event;

    lua_createtable(L, 0, 7);
    set_text(L, "valve", valve->valve);
    set_time(L, "t", valve->t_ns);
    set_text(L, "position", position_name(valve->position));
    set_flag(L, "fault", valve->fault, UINT64_MAX);
    set_count(L, "holds", valve->holds);
    return 1;
}

int push_gap(lua_State *L, const void *event)
{
    const gasd_gap_event *gap = event;

    lua_createtable(L, 0, 7);
    set_text(L, "reason", gap_name(gap->reason));
    if (gap->lost != GASD_UNKNOWN)
        set_count(L, "lost", gap->lost);
    set_time(L, "since", gap->since_ns);
    set_time(L, "until", gap->until_ns);
    return 1;
}

int push_state(lua_State *L, const void *event)
{
    const gasd_state_event *state = event;

    lua_createtable(L, 0, 3);
    set_text(L, "state", state_name(state->state));
    set_text(L, "text", state->text);
    return 1;
}

int push_refused(lua_State *L, const void *event)
{
    const struct refusal *refusal = event;

    lua_createtable(L, 0, 3);
    push_code(L, refusal->result);
    lua_setfield(L, -2, "code");
    set_text(L, "text", refusal->text);
    return 1;
}

/* What live:read() gives. */
int push_meter(lua_State *L, const gasd_meter_state *state)
{
    lua_createtable(L, 0, 15);
    set_text(L, "source", source_name(state->source));
    set_time(L, "t", state->t_ns);
    set_volume(L, "volume", state->volume_ul);
    set_count(L, "pulses", state->pulses);
    set_flow(L, "flow", state->flow_ul_per_h);
    set_time_if(L, "last_pulse", state->last_pulse_ns);
    set_time_if(L, "interval", state->interval_ns);
    set_flag(L, "simulated", state->flags, GASD_SIMULATED);
    set_flag(L, "total_incomplete", state->flags, GASD_TOTAL_INCOMPLETE);
    set_flag(L, "service_away", state->flags, GASD_SERVICE_AWAY);
    return 1;
}
