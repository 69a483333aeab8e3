/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program that decodes a meter's telegrams hands its readings in; gasd keeps the total and judges them. Here each
 * line of the input is what the register shows now, in litres. At the end of the input it waits until gasd has all of
 * them on the disk. A driver would hand in the time at which the register was read.
 *
 *     cc $(pkg-config --cflags gasdetect) -o readings readings.c $(pkg-config --libs gasdetect)
 *     while read_my_meter; do sleep 60; done | ./readings flat-3
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
    char *end;
    double litres = strtod(line, &end);
    struct timespec now;

    if (end == line || *end != '\0' || !(litres >= 0 && litres < 1e12)) {
        fprintf(stderr, "readings: \"%s\" is no number of litres\n", line);
        return 1;
    }
    clock_gettime(CLOCK_BOOTTIME, &now);
    if (gasd_reading(feed, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                     (uint64_t)(litres * 1e6 + 0.5)) == GASD_OK)
        return 0;
    fprintf(stderr, "readings: reading lost: %s\n", gasd_error_message());
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
        gasd_feed_new(client, argc > 1 ? argv[1] : "flat-3", 1, on_changed, NULL, &feed) != GASD_OK) {
        fprintf(stderr, "readings: %s\n", gasd_error_message());
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
            fprintf(stderr, "readings: %s\n", gasd_error_message());
            return 1;
        }
        if (fds[1].fd < 0 && (status.waiting == 0 || status.state == GASD_FEED_REFUSED))
            break;
    } while (poll(fds, 2, -1) >= 0);

    printf("%llu readings taken, %llu refused, %llu not handed over\n", (unsigned long long)status.taken,
           (unsigned long long)status.refused, (unsigned long long)status.waiting);
    gasd_feed_free(feed);
    gasd_client_free(client);
    return lost > 0 || status.refused > 0 || status.waiting > 0;
}
