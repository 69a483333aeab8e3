/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What gasd counts and finds, line by line, in a program whose loop is GLib's. Ends with Ctrl-C, and frees all.
 *
 *     cc $(pkg-config --cflags gasdetect glib-2.0) -o monitor monitor.c $(pkg-config --libs gasdetect glib-2.0)
 *     ./monitor
 */
#include <gasdetect.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

static GMainLoop *loop;

static void on_state(void *data, const gasd_state_event *event)
{
    (void)data;
    g_print("gasd: %s\n", event->text);
}

static void on_reading(void *data, const gasd_reading_event *event)
{
    (void)data;
    g_print("meter %s: %.3f m3, %.3f m3/h%s\n", event->meter, (double)event->volume_ul / 1e9,
            event->flow_ul_per_h == GASD_UNKNOWN ? 0.0 : (double)event->flow_ul_per_h / 1e9,
            event->flags & GASD_SIMULATED ? " (simulated)" : "");
}

static void on_verdict(void *data, const gasd_verdict_event *event)
{
    (void)data;
    g_print("verdict %" G_GUINT64_FORMAT " on meter %s, severity %u: %s\n", event->id, event->meter,
            event->severity, event->text ? event->text : "the words follow");
}

static void on_gap(void *data, const gasd_gap_event *event)
{
    (void)data;
    g_print("gap: %s; totals and verdicts are complete\n",
            event->reason == GASD_GAP_SLOW ? "this program was too slow" : "gasd was away");
}

static void on_refused(void *data, gasd_result result, const char *text)
{
    (void)data;
    g_print("refused: %s (%s)\n", text, gasd_result_name(result));
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer client)
{
    (void)fd, (void)condition;
    if (gasd_client_dispatch(client) == GASD_OK)
        return G_SOURCE_CONTINUE;
    g_printerr("monitor: %s\n", gasd_error_message());
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static gboolean on_signal(gpointer data)
{
    (void)data;
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

int main(void)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .reading = on_reading,
                               .verdict = on_verdict, .explained = on_verdict, .gap = on_gap, .refused = on_refused };
    gasd_client *client;
    gasd_subscription *subscription;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (gasd_client_new(NULL, &client) != GASD_OK ||
        gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) != GASD_OK) {
        g_printerr("monitor: %s\n", gasd_error_message());
        return 1;
    }
    loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGINT, on_signal, NULL);
    g_unix_fd_add(gasd_client_fd(client), G_IO_IN, on_readable, client);
    gasd_client_dispatch(client); /* the first time begins to connect */
    g_main_loop_run(loop);

    gasd_subscription_free(subscription);
    gasd_client_free(client);
    g_main_loop_unref(loop);
    return 0;
}
