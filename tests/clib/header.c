/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The header alone, in C and C++: every type can be used, and the versions fit each other. */
#include <gasdetect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In both languages all zero. */
#define USE(type) do { type one; memset(&one, 0, sizeof one); structs += sizeof one != 0; } while (0)
#define SIZED(type) do { type one; memset(&one, 0, sizeof one); one.struct_size = sizeof one; \
    structs += one.struct_size == sizeof(struct type); } while (0)

int main(void)
{
    int structs = 0;
    const gasd_result result = GASD_BUFFER;
    const gasd_state state = GASD_STATE_READY;
    const gasd_kind kind = GASD_KIND_REVERSE_FLOW;
    const gasd_severity severity = GASD_SEVERITY_CRITICAL;
    const gasd_position position = GASD_POSITION_CLOSED;
    const gasd_level level = GASD_LEVEL_PULSE;
    const gasd_gap_reason reason = GASD_GAP_AWAY;
    const gasd_source source = GASD_SOURCE_PAGE;
    const gasd_feed_state feed = GASD_FEED_REFUSED;
    char text[32];

    SIZED(gasd_client_options); SIZED(gasd_engine_options); SIZED(gasd_engine_verdict); SIZED(gasd_feed_event);
    SIZED(gasd_feed_status); SIZED(gasd_meter_state); SIZED(gasd_state_event); SIZED(gasd_pulse_event);
    SIZED(gasd_reading_event); SIZED(gasd_verdict_event); SIZED(gasd_valve_event); SIZED(gasd_gap_event);
    SIZED(gasd_handlers); SIZED(gasd_filter); SIZED(gasd_valve_state); USE(gasd_edge);
    USE(gasd_feed_fn); USE(gasd_done_fn); USE(gasd_client *); USE(gasd_engine *); USE(gasd_feed *); USE(gasd_live *);
    USE(gasd_subscription *);
    if (structs != 23 || (int)result + (int)state + (int)kind + (int)severity + (int)position + (int)level +
            (int)reason + (int)source + (int)feed != 23 + 3 + 17 + 4 + 2 + 3 + 1 + 1 + 2)
        return 1;
    if (GASD_UNKNOWN != UINT64_MAX || (GASD_SIMULATED | GASD_RECOVERED | GASD_TOTAL_INCOMPLETE | GASD_SERVICE_AWAY) != 15)
        return 2;
    if (gasd_version_number() != GASDETECT_VERSION_NUMBER ||
        GASDETECT_VERSION_NUMBER != (GASDETECT_MAJOR << 16 | GASDETECT_MINOR << 8 | GASDETECT_PATCH))
        return 3;
    snprintf(text, sizeof text, "%d.%d.%d", GASDETECT_MAJOR, GASDETECT_MINOR, GASDETECT_PATCH);
    if (strcmp(text, gasd_version()) != 0)
        return 4;
    if (strcmp(gasd_result_name(GASD_DENIED), "GASD_DENIED") != 0 || strcmp(gasd_result_name(24), "GASD_UNKNOWN") != 0)
        return 5;
    return 0;
}
