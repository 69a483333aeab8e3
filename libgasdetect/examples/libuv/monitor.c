/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What gasd counts and finds, line by line, in a program whose loop is libuv's. Ends with Ctrl-C, and frees all.
 *
 *     cc $(pkg-config --cflags gasdetect libuv) -o monitor monitor.c $(pkg-config --libs gasdetect libuv)
 *     ./monitor
 */
#define _GNU_SOURCE /* what uv.h needs in C99 */
#include <gasdetect.h>
#include <signal.h>
#include <stdio.h>
#include <uv.h>

static void on_state(void *data, const gasd_state_event *event)
{
    (void)data;
    printf("gasd: %s\n", event->text);
}

static void on_reading(void *data, const gasd_reading_event *event)
{
    (void)data;
    printf("meter %s: %.3f m3, %.3f m3/h%s\n", event->meter, (double)event->volume_ul / 1e9,
           event->flow_ul_per_h == GASD_UNKNOWN ? 0.0 : (double)event->flow_ul_per_h / 1e9,
           event->flags & GASD_SIMULATED ? " (simulated)" : "");
}

static void on_verdict(void *data, const gasd_verdict_event *event)
{
    (void)data;
    printf("verdict %llu on meter %s, severity %u: %s\n", (unsigned long long)event->id, event->meter,
           event->severity, event->text ? event->text : "the words follow");
}

static void on_gap(void *data, const gasd_gap_event *event)
{
    (void)data;
    printf("gap: %s; totals and verdicts are complete\n",
           event->reason == GASD_GAP_SLOW ? "this program was too slow" : "gasd was away");
}

static void on_refused(void *data, gasd_result result, const char *text)
{
    (void)data;
    printf("refused: %s (%s)\n", text, gasd_result_name(result));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    if (status < 0 || gasd_client_dispatch(poll->data) != GASD_OK) {
        fprintf(stderr, "monitor: %s\n", status < 0 ? uv_strerror(status) : gasd_error_message());
        uv_stop(poll->loop);
    }
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

int main(void)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .reading = on_reading,
                               .verdict = on_verdict, .explained = on_verdict, .gap = on_gap, .refused = on_refused };
    gasd_client *client;
    gasd_subscription *subscription;
    uv_signal_t interrupt;
    uv_poll_t poll;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (gasd_client_new(NULL, &client) != GASD_OK ||
        gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) != GASD_OK) {
        fprintf(stderr, "monitor: %s\n", gasd_error_message());
        return 1;
    }
    uv_poll_init(uv_default_loop(), &poll, gasd_client_fd(client));
    poll.data = client;
    uv_poll_start(&poll, UV_READABLE, on_readable);
    uv_signal_init(uv_default_loop(), &interrupt);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    on_readable(&poll, 0, 0); /* the first time begins to connect */
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);

    uv_poll_stop(&poll); /* before the descriptor goes */
    gasd_subscription_free(subscription);
    gasd_client_free(client);
    return 0;
}
