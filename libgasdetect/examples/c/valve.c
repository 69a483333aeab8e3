/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A valve controller: closes a valve at each warning, so a person looks before gas flows on.
 *
 *     cc $(pkg-config --cflags gasdetect) -o valve valve.c $(pkg-config --libs gasdetect)
 *     ./valve main
 */
#include <gasdetect.h>
#include <poll.h>
#include <stdio.h>

struct controller {
    gasd_client *client;
    const char *valve;
};

static void on_state(void *data, const gasd_state_event *event)
{
    (void)data;
    printf("gasd: %s\n", event->text);
}

static void on_refused(void *data, gasd_result result, const char *text)
{
    (void)data, (void)result;
    printf("REFUSED: %s\n", text);
}

static void on_closed(void *data, gasd_result result, const char *text, uint64_t cookie)
{
    (void)data, (void)cookie;
    printf(result == GASD_OK ? "closed\n" : "NOT CLOSED: %s\n", text);
}

static void on_explained(void *data, const gasd_verdict_event *event)
{
    (void)data;
    printf("verdict %llu: %s\n", (unsigned long long)event->id, event->text);
}

static void on_verdict(void *data, const gasd_verdict_event *event)
{
    struct controller *controller = data;

    printf("verdict %llu on meter %s\n", (unsigned long long)event->id, event->meter);
    if (event->text) /* the words came with it; otherwise they follow */
        on_explained(NULL, event);
    if (gasd_valve_close(controller->client, controller->valve, "warning of gasd", on_closed, NULL) != GASD_OK)
        printf("NOT CLOSED: %s\n", gasd_error_message());
}

int main(int argc, char **argv)
{
    struct controller controller = { NULL, argc > 1 ? argv[1] : "main" };
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .verdict = on_verdict,
                               .explained = on_explained, .refused = on_refused };
    gasd_filter filter = { .struct_size = sizeof filter, .min_severity = GASD_SEVERITY_WARNING };
    gasd_subscription *subscription;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (gasd_client_new(NULL, &controller.client) != GASD_OK ||
        gasd_client_subscribe(controller.client, &handlers, &filter, &controller, &subscription) != GASD_OK) {
        fprintf(stderr, "valve: %s\n", gasd_error_message());
        return 1;
    }
    struct pollfd fds = { gasd_client_fd(controller.client), POLLIN, 0 };
    while (gasd_client_dispatch(controller.client) == GASD_OK)
        poll(&fds, 1, -1);
    fprintf(stderr, "valve: %s\n", gasd_error_message());
    return 1;
}
