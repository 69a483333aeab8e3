/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the library leaves of the process: no thread, no signal, no descriptor that a child would have, nothing behind
 * free or dlclose.
 *
 *     hygiene BUS LIBRARY    with a gasd on the bus
 */
#include "lib.h"
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int count(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = -3; /* . and .. and its own descriptor, or none in task */

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static int fds(void) { return count("/proc/self/fd"); }
static int threads(void) { return count("/proc/self/task") + 1; }

static void signals(char *into, size_t size)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];

    into[0] = 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0 || strncmp(line, "SigCgt", 6) == 0)
            strncat(into, line, size - strlen(into) - 1);
    fclose(file);
}

/* Those that were open already are the caller's. */
static char was_open[256];

static void all_close_on_exec(void)
{
    for (int fd = 0; fd < 256; fd++)
        if (!was_open[fd] && fcntl(fd, F_GETFD) >= 0)
            EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC, "descriptor %d is left open by exec", fd);
}

static int verdicts;
static void on_state(void *data, const gasd_state_event *event) { (void)data, (void)event; }
static void on_reading(void *data, const gasd_reading_event *event) { (void)event; ++*(int *)data; }
static void on_verdict(void *data, const gasd_verdict_event *event) { (void)data, (void)event; verdicts++; }

/* A child of a fork has every descriptor of its parent; what the parent closes must be gone for its epoll all the
 * same, or it would be woken for ever. */
static void forked(const char *bus)
{
    gasd_client_options options = { sizeof options, bus, "test" };
    gasd_client *client;
    struct pollfd one;
    struct rusage before, after;
    pid_t child;

    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    EXPECT(until_state(client, GASD_STATE_READY, 10), "ready");
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    /* The bus ends as far as this process sees it: half of its socket is shut down. */
    for (int fd = 3; fd < 256; fd++) {
        char path[32], to[64] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (!was_open[fd] && readlink(path, to, sizeof to - 1) > 0 && strncmp(to, "socket:", 7) == 0)
            shutdown(fd, 2);
    }
    EXPECT(until_state(client, GASD_STATE_NO_BUS, 5) || until_state(client, GASD_STATE_READY, 5), "the end was not seen");
    EXPECT(until_state(client, GASD_STATE_READY, 10), "ready again");
    run_for(client, 0.5, NULL);
    one = (struct pollfd){ gasd_client_fd(client), POLLIN, 0 };
    getrusage(RUSAGE_SELF, &before);
    int woken = 0;
    for (double until = seconds() + 1; seconds() < until;) {
        if (poll(&one, 1, 50) > 0)
            woken++;
        gasd_client_dispatch(client);
    }
    getrusage(RUSAGE_SELF, &after);
    EXPECT(woken < 200, "woken %d times in a second", woken);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    gasd_client_free(client);
    ok("a connection that a forked child still has wakes nobody once it ended");
}

int main(int argc, char **argv)
{
    const char *bus = argc > 1 ? argv[1] : "";
    gasd_client_options options = { sizeof options, bus, "test" };
    int began = fds(), tasks = threads(), readings = 0;
    char before[1000], after[1000];
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .reading = on_reading, .verdict = on_verdict };

    for (int fd = 0; fd < 256; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    EXPECT(tasks == 1, "%d threads at the beginning", tasks);
    signals(before, sizeof before);
    for (int round = 0; round < 20; round++) {
        gasd_client *client;
        gasd_subscription *one;
        gasd_live *live;
        gasd_feed *feed;

        EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
        EXPECT(gasd_client_subscribe(client, &handlers, NULL, &readings, &one) == GASD_OK, "subscription");
        EXPECT(gasd_live_new(client, "kitchen", &live) == GASD_OK, "live");
        EXPECT(gasd_feed_new(client, "kitchen", 0, NULL, NULL, &feed) == GASD_OK, "feed");
        EXPECT(until_state(client, GASD_STATE_READY, 10), "ready");
        run_for(client, round == 0 ? 1.5 : 0.05, NULL);
        EXPECT(fds() > began && threads() == tasks, "%d descriptors, %d threads", fds(), threads());
        all_close_on_exec();
        if (round % 2) {
            gasd_client_free(client);
            EXPECT(fds() <= began + 2, "%d descriptors behind gasd_client_free(), %d before", fds(), began);
        }
        gasd_feed_free(feed), gasd_live_free(live), gasd_subscription_free(one);
        if (!(round % 2))
            gasd_client_free(client);
        EXPECT(fds() == began, "%d descriptors, %d at the beginning", fds(), began);
    }
    EXPECT(readings > 0, "nothing was read");
    EXPECT(threads() == tasks, "%d threads", threads());
    signals(after, sizeof after);
    EXPECT(strcmp(before, after) == 0, "signals before:\n%sand after:\n%s", before, after);
    ok("no thread is made, no signal touched, every descriptor is close-on-exec and closed in the end");
    forked(bus);
    for (int i = 0; i < 100; i++) {
        void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        EXPECT(library, "%s", dlerror());
        uint32_t (*version)(void);
        *(void **)&version = dlsym(library, "gasd_version_number");
        EXPECT(version && version() == GASDETECT_VERSION_NUMBER, "version");
        EXPECT(dlclose(library) == 0, "dlclose");
    }
    ok("it is opened and closed a hundred times");
    return failures != 0;
}
