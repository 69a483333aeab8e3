/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The same small client below three event loops: each wakes for it, and for nothing.
 *
 *     loops poll|epoll|select BUS
 */
#include "lib.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int readings, state;
static void on_state(void *data, const gasd_state_event *event) { (void)data; state = (int)event->state; }
static void on_reading(void *data, const gasd_reading_event *event) { (void)data, (void)event; readings++; }

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "poll";
    gasd_client_options options = { sizeof options, argc > 2 ? argv[2] : NULL, "test" };
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .reading = on_reading };
    gasd_client *client;
    gasd_subscription *one;
    int outer = epoll_create1(EPOLL_CLOEXEC), wakes = 0;
    char text[100];

    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, &one) == GASD_OK, "subscription");
    int fd = gasd_client_fd(client);
    struct epoll_event event = { EPOLLIN, { .fd = fd } };
    epoll_ctl(outer, EPOLL_CTL_ADD, fd, &event);
    /* No dispatch before the loop: the descriptor itself says that there is something to do. */
    for (double until = seconds() + 4; seconds() < until && readings < 8;) {
        int n;

        if (strcmp(how, "epoll") == 0) {
            n = epoll_wait(outer, &event, 1, 1000);
        } else if (strcmp(how, "select") == 0) {
            fd_set set;
            struct timeval second = { 1, 0 };
            FD_ZERO(&set);
            FD_SET(fd, &set);
            n = select(fd + 1, &set, NULL, NULL, &second);
        } else {
            struct pollfd fds = { fd, POLLIN, 0 };
            n = poll(&fds, 1, 1000);
        }
        if (n > 0) {
            wakes++;
            EXPECT(gasd_client_dispatch(client) == GASD_OK, "dispatch");
        }
    }
    EXPECT(state == GASD_STATE_READY && readings >= 8, "state %d, %d readings", state, readings);
    EXPECT(wakes < 400, "woken %d times", wakes);
    gasd_subscription_free(one), gasd_client_free(client), close(outer);
    snprintf(text, sizeof text, "a client lives below %s, and wakes it for what there is", how);
    ok(text);
    return failures != 0;
}
