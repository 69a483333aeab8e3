/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program that owns a meter's contact hands its edges in; gasd counts, filters and judges them. Here each line of
 * the input is an edge: "0" or "1", the contact is open or closed since now, or since the CLOCK_BOOTTIME in ns behind
 * it. A driver would hand in the kernel's time of the interrupt. At the end of the input it waits until gasd has taken
 * all.
 *
 *     cc $(pkg-config --cflags gasdetect) -o feed feed.c $(pkg-config --libs gasdetect)
 *     (while sleep 1; do echo 1; sleep 1; echo 0; done) | ./feed kitchen
 */
#define _GNU_SOURCE
#include <gasdetect.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void on_changed(void *data, const gasd_feed_event *event)
{
    (void)data;
    printf("%s%s\n", event->state == GASD_FEED_REFUSED ? "REFUSED: " : "feed: ", event->text);
}

static int hand_in(gasd_feed *feed, const char *line)
{
    struct timespec now;

    if ((*line != '0' && *line != '1') || (line[1] != '\0' && line[1] != ' ')) {
        fprintf(stderr, "feed: \"%s\" is no edge\n", line);
        return 1;
    }
    clock_gettime(CLOCK_BOOTTIME, &now);
    gasd_edge edge = { strtoull(line + 1, NULL, 10), *line == '1' ? GASD_LEVEL_CLOSED : GASD_LEVEL_OPEN, 0 };
    if (edge.t_ns == 0)
        edge.t_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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
    char line[64];
    size_t length = 0;
    int lost = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (gasd_client_new(NULL, &client) != GASD_OK ||
        gasd_feed_new(client, argc > 1 ? argv[1] : "kitchen", 0, on_changed, NULL, &feed) != GASD_OK) {
        fprintf(stderr, "feed: %s\n", gasd_error_message());
        return 1;
    }
    struct pollfd fds[] = { { gasd_client_fd(client), POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    do {
        ssize_t more = fds[1].revents ? read(STDIN_FILENO, line + length, sizeof line - 1 - length) : -1;

        length += more > 0 ? (size_t)more : 0;
        line[length] = '\0';
        for (char *end; (end = strchr(line, '\n')) != NULL; length = strlen(line)) {
            *end = '\0';
            lost += hand_in(feed, line);
            memmove(line, end + 1, strlen(end + 1) + 1);
        }
        if (more == 0 || length == sizeof line - 1) {
            lost += length > 0 ? hand_in(feed, line) : 0;
            fds[1].fd = -1;
        }
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
