/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A socket where a bus should be: it says nothing, nonsense, half of what a bus says, or what no bus may say.
 *
 *     notabus
 */
#define _GNU_SOURCE
#include "lib.h"
#include <sys/socket.h>
#include <sys/un.h>

/* How a bus takes a program in: sd-bus sends all that it has to say at once, and so may we. */
#define WELCOME "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n"
/* Headers of messages: little-endian signals of version 1 from the bus. */
#define HEAD(body, fields) "l\4\1\1" body "\1\0\0\0" fields
#define FIELD_PATH(path, length) "\1\1o\0" length path

static const struct { const char *what, *bytes; size_t size; } SAYS[] = {
#define SAY(what, bytes) { what, bytes, sizeof(bytes) - 1 }
    SAY("nothing", ""),
    SAY("nonsense", "HTTP/1.1 400 Bad Request\r\n\r\n"),
    SAY("zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    SAY("that it rejects the program", "REJECTED EXTERNAL\r\n"),
    SAY("half of a welcome", "DATA\r\nOK 0123"),
    SAY("a welcome of another shape", "DATA\r\nOK zz\r\nAGREE_UNIX_FD\r\n"),
    SAY("nothing behind the welcome", WELCOME),
    SAY("half of a message", WELCOME "l\4\1\1\0\0"),
    SAY("a message of 4 GB", WELCOME HEAD("\377\377\377\377", "\377\377\377\377")),
    SAY("a message of an unknown version", WELCOME "l\4\1\7\0\0\0\0\1\0\0\0\0\0\0\0"),
    SAY("a message of no byte order", WELCOME "x\4\1\1\0\0\0\0\1\0\0\0\0\0\0\0"),
    SAY("a path that is none", WELCOME HEAD("\0\0\0\0", "\20\0\0\0") FIELD_PATH("no//path", "\10\0\0\0") "\0\0\0\0\0\0\0\0"),
    SAY("a field that is longer than the message", WELCOME HEAD("\0\0\0\0", "\20\0\0\0") FIELD_PATH("/", "\377\377\0\0") "\0\0\0\0\0\0\0"),
};

static char address[128];
static int server;

static int listener(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    /* An abstract name: nothing is left behind. */
    int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "gasd-notabus-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(address, sizeof address, "unix:abstract=%s", at.sun_path + 1);
    if (bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) != 0 || listen(fd, 16) != 0)
        exit(1);
    return fd;
}

int main(void)
{
    char text[300];

    server = listener();
    for (size_t i = 0; i < sizeof SAYS / sizeof *SAYS; i++) {
        for (int ends = 0; ends < 2; ends++) {
            gasd_client_options options = { sizeof options, address, "test" };
            gasd_client *client;
            unsigned connections = 0, wakes = 0;
            int held[64];

            EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
            for (double until = seconds() + 0.3; seconds() < until;) {
                struct pollfd fds[] = { { gasd_client_fd(client), POLLIN, 0 }, { server, POLLIN, 0 } };
                uint32_t state = 99;

                EXPECT(gasd_client_dispatch(client) == GASD_OK, "dispatch");
                EXPECT(gasd_client_state(client, &state) == GASD_OK && state == GASD_STATE_NO_BUS, "%s: state %u", SAYS[i].what, state);
                EXPECT(gasd_valve_close(client, "main", "gas", NULL, NULL) == GASD_NOT_CONNECTED, "%s", SAYS[i].what);
                poll(fds, 2, 10);
                wakes += fds[0].revents != 0;
                int one = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (one < 0)
                    continue;
                if (send(one, SAYS[i].bytes, SAYS[i].size, MSG_NOSIGNAL) < 0 && SAYS[i].size > 0)
                    EXPECT(0, "%s: not said", SAYS[i].what);
                if (ends || connections >= 64)
                    close(one);
                else
                    held[connections] = one;
                connections++;
            }
            EXPECT(connections > 0, "%s: it did not connect", SAYS[i].what);
            /* It tries again after 0.1 s, then after longer. */
            EXPECT(connections < 10 && wakes < 60, "%s: %u connections, woken %u times", SAYS[i].what, connections, wakes);
            EXPECT(gasd_client_state_text(client, text, sizeof text, NULL) == GASD_OK && text[0], "%s: no words", SAYS[i].what);
            gasd_client_free(client);
            while (!ends && connections > 0)
                close(held[--connections]);
        }
    }
    close(server);
    ok("what is no bus is tried again after a while, whatever it says");
    return failures != 0;
}
