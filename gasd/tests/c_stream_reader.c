/* SPDX-License-Identifier: MIT OR Apache-2.0
 * Reads an event stream on standard input to its end and prints it, a line a record.
 * Compiled against the declarations of docs/event-stream.md. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "event_stream.h"

_Static_assert(sizeof(struct gasd_record) == 64, "a record has 64 bytes");

static void print(const struct gasd_record *r)
{
    switch (r->kind) {
    case GASD_HELLO:
        printf("hello version %" PRIu64 " bytes %" PRIu64 " meters %" PRIu64 " valves %" PRIu64 " magic %.8s\n",
               r->hello.version, r->hello.record_bytes, r->hello.meters, r->hello.valves, (const char *)&r->key);
        break;
    case GASD_METER:
        printf("meter %" PRIu32 " key %" PRIu64 " pulse %" PRIu64 " uL\n", r->index, r->key, r->meter.pulse_volume_ul);
        break;
    case GASD_PULSE:
        printf("pulse %" PRIu32 " at %" PRIu64 " total %" PRIu64 " uL %" PRIu64 "\n", r->index, r->t_ns,
               r->pulse.volume_ul, r->pulse.pulses);
        break;
    case GASD_READING:
        printf("reading %" PRIu32 " total %" PRIu64 " uL %" PRIu64 "%s\n", r->index, r->reading.volume_ul,
               r->reading.pulses, r->reading.flow_ul_per_h == UINT64_MAX ? " flow unknown" : "");
        break;
    case GASD_VERDICT:
        printf("verdict %" PRIu64 "%s%s\n", r->verdict.id, r->verdict.kind == GASD_SURGE ? " surge" : "",
               r->verdict.severity == GASD_CRITICAL ? " critical" : "");
        break;
    case GASD_VALVE:
        printf("valve %" PRIu32 " %s holds %" PRIu64 "\n", r->index,
               r->valve.position == GASD_OPEN     ? "open"
               : r->valve.position == GASD_CLOSED ? "closed"
                                                  : "unknown",
               r->valve.holds);
        break;
    case GASD_GAP:
        printf("gap %" PRIu64 "\n", r->gap.lost);
        break;
    default: /* a newer gasd */
        break;
    }
}

int main(void)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    struct gasd_record record;

    for (;;) {
        ssize_t n = recv(0, &record, sizeof record, MSG_DONTWAIT);
        if (n == sizeof record) {
            print(&record);
        } else if (n == 0) {
            puts("end");
            return 0;
        } else if (n > 0) {
            fprintf(stderr, "a packet of %zd bytes\n", n);
            return 1;
        } else if (errno == EAGAIN) {
            fflush(stdout);
            if (poll(&in, 1, 30000) != 1)
                return 2;
        } else if (errno != EINTR) {
            fprintf(stderr, "recv: %s\n", strerror(errno));
            return 1;
        }
    }
}
