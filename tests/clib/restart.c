/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A client that outlives gasd and the bus: writes a line for each thing it is told, until its input ends.
 *
 *     restart BUS
 *
 * made ID | acknowledged ID | state N | gap N | live N, and "rss KIB fds N" for each line that it reads.
 */
#include "lib.h"
#include <dirent.h>
#include <inttypes.h>

static void on_state(void *data, const gasd_state_event *event) { (void)data; printf("state %u\n", event->state); }
static void on_pulse(void *data, const gasd_pulse_event *event) { (void)event; ++*(uint64_t *)data; }
static void on_reading(void *data, const gasd_reading_event *event) { (void)event; ++*(uint64_t *)data; }
static void on_verdict(void *data, const gasd_verdict_event *event)
{
    (void)data;
    printf("made %" PRIu64 " %s\n", event->id, event->text ? "said" : "wordless");
}
static void on_explained(void *data, const gasd_verdict_event *event) { (void)data; printf("explained %" PRIu64 "\n", event->id); }
static void on_acknowledged(void *data, const gasd_verdict_event *event) { (void)data; printf("acknowledged %" PRIu64 "\n", event->id); }
static void on_valve(void *data, const gasd_valve_event *event) { (void)event; ++*(uint64_t *)data; }
static void on_gap(void *data, const gasd_gap_event *event) { (void)data; printf("gap %u\n", event->reason); }

static void look(gasd_live *live)
{
    gasd_meter_state state = { .struct_size = sizeof state };
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long rss = 0;
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");

    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &rss) == 1)
            break;
    fclose(file);
    while (readdir(dir))
        n++;
    closedir(dir);
    printf("rss %ld fds %d live %s\n", rss, n, gasd_result_name(gasd_live_read(live, &state)));
}

int main(int argc, char **argv)
{
    gasd_client_options options = { sizeof options, argc > 1 ? argv[1] : NULL, "test" };
    gasd_handlers handlers = { sizeof handlers, on_state, on_pulse, on_reading, on_verdict, on_explained,
                               on_acknowledged, on_valve, on_gap, NULL };
    uint64_t events = 0;
    gasd_client *client;
    gasd_subscription *one;
    gasd_live *live;
    char line[100];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (gasd_client_new(&options, &client) || gasd_client_subscribe(client, &handlers, NULL, &events, &one) ||
        gasd_live_new(client, "kitchen", &live))
        return fprintf(stderr, "restart: %s\n", gasd_error_message()), 1;
    for (;;) {
        struct pollfd fds[] = { { gasd_client_fd(client), POLLIN, 0 }, { 0, POLLIN, 0 } };

        if (gasd_client_dispatch(client) != GASD_OK)
            return fprintf(stderr, "restart: %s\n", gasd_error_message()), 1;
        poll(fds, 2, -1);
        if (fds[1].revents) {
            ssize_t n = read(0, line, sizeof line);
            if (n <= 0)
                break;
            look(live);
        }
    }
    gasd_live_free(live), gasd_subscription_free(one), gasd_client_free(client);
    printf("end %" PRIu64 "\n", events);
    return 0;
}
