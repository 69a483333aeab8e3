/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program that owns a meter's contact hands its edges in; gasd counts, filters and judges them. Here each line
 * "0" or "1" of the input is an edge: the contact is open or closed now. At the end of the input it waits until
 * gasd has taken all. A driver would hand in the kernel's time of the interrupt.
 *
 *     cc $(pkg-config --cflags gasdetect) -o feed feed.c $(pkg-config --libs gasdetect)
 *     (while sleep 1; do echo 1; sleep 1; echo 0; done) | ./feed kitchen
 */
#define _GNU_SOURCE
#include <gasdetect.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void on_changed(void *data, const gasd_feed_event *event)
{
    (void)data;
    printf("%s%s\n", event->state == GASD_FEED_REFUSED ? "REFUSED: " : "feed: ", event->text);
}

static int hand_in(gasd_feed *feed, char level)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    gasd_edge edge = { (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                       level == '1' ? GASD_LEVEL_CLOSED : GASD_LEVEL_OPEN, 0 };
    if (gasd_pulse(feed, &edge, 1, NULL) == GASD_OK)
        return 0;
    fprintf(stderr, "feed: edge lost: %s\n", gasd_error_message());
    return 1;
}

int main(int argc, char **argv)
{
    gasd_feed_status status = { .struct_size = sizeof status };
    gasd_client *client;
    gasd_feed *feed;
    int lost = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (gasd_client_new(NULL, &client) != GASD_OK ||
        gasd_feed_new(client, argc > 1 ? argv[1] : "kitchen", 0, on_changed, NULL, &feed) != GASD_OK) {
        fprintf(stderr, "feed: %s\n", gasd_error_message());
        return 1;
    }
    struct pollfd fds[] = { { gasd_client_fd(client), POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    do {
        char input[64];
        ssize_t length = fds[1].revents ? read(STDIN_FILENO, input, sizeof input) : -1;

        for (ssize_t i = 0; i < length; i++)
            if (input[i] == '0' || input[i] == '1')
                lost += hand_in(feed, input[i]);
        if (length == 0)
            fds[1].fd = -1;
        if (gasd_client_dispatch(client) != GASD_OK || gasd_feed_read(feed, &status) != GASD_OK) {
            fprintf(stderr, "feed: %s\n", gasd_error_message());
            return 1;
        }
        if (fds[1].fd < 0 && (status.waiting == 0 || status.state == GASD_FEED_REFUSED))
            break;
    } while (poll(fds, 2, -1) >= 0);

    printf("%llu edges taken, %llu refused, %llu not handed over\n", (unsigned long long)status.taken,
           (unsigned long long)status.refused, (unsigned long long)status.waiting);
    gasd_feed_free(feed);
    gasd_client_free(client);
    return lost > 0 || status.refused > 0 || status.waiting > 0;
}
