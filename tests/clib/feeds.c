/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program that owns two contacts hands in what they do while gasd ends and comes again beside it.
 *
 *     feeds BUS RESTARTS    goes on until gasd came again so often, and says "ready N" each time; then
 *                           "counted PULSES CONTACT-PULSES"
 *
 * The meters pulses, contact and misused have source = "stack", kitchen has not.
 */
#include "lib.h"
#include <inttypes.h>

#define MS 1000000u

static gasd_client *client;

static int ready;
static void on_state(void *data, const gasd_state_event *event)
{
    (void)data;
    if (event->state == GASD_STATE_READY)
        printf("ready %d\n", ready++);
}

struct feed { gasd_feed *of; uint32_t state; gasd_result result; uint64_t refused; int told; char text[300]; };
static void on_changed(void *data, const gasd_feed_event *event)
{
    struct feed *feed = data;

    feed->told++, feed->state = event->state, feed->result = event->result, feed->refused = event->refused;
    snprintf(feed->text, sizeof feed->text, "%s", event->text);
}

static gasd_feed_status status_of(const struct feed *feed)
{
    gasd_feed_status status = { .struct_size = sizeof status };

    EXPECT(gasd_feed_read(feed->of, &status) == GASD_OK, "status");
    return status;
}

#define UNTIL(yes, ...)                                                 \
    do {                                                                \
        double until_ = seconds() + 30;                                 \
        int is_so;                                                      \
        while (!(is_so = !!(yes)) && seconds() < until_)                \
            run_for(client, 0.01, NULL);                                \
        EXPECT(is_so, #yes ": " __VA_ARGS__);                           \
    } while (0)

static struct feed *open_feed(const char *meter, int readings)
{
    struct feed *feed = calloc(1, sizeof *feed);

    EXPECT(gasd_feed_new(client, meter, readings, on_changed, feed, &feed->of) == GASD_OK, "%s", meter);
    return feed;
}
static void close_feed(struct feed *feed) { gasd_feed_free(feed->of), free(feed); }

/* All are taken in, now or as soon as there is room. */
static void hand_in(struct feed *feed, const gasd_edge *edges, size_t count)
{
    while (count > 0) {
        size_t taken = 0;
        gasd_result r = gasd_pulse(feed->of, edges, count, &taken);

        EXPECT(r == GASD_OK || r == GASD_FULL, "%s", gasd_result_name(r));
        if (r != GASD_OK && r != GASD_FULL)
            return;
        edges += taken, count -= taken;
        if (count > 0)
            run_for(client, 0.01, NULL);
    }
}

/* Times of the past as far as there is one, and of now behind that. */
static uint64_t wait_for(uint64_t t_ns)
{
    while (t_ns > boottime_ns())
        run_for(client, 0.005, NULL);
    return t_ns;
}

static uint64_t live_pulses(gasd_live *live)
{
    gasd_meter_state state = { .struct_size = sizeof state };

    return gasd_live_read(live, &state) == GASD_OK ? state.pulses : UINT64_MAX;
}

static void over_restarts(int restarts)
{
    struct feed *pulses = open_feed("pulses", 0), *contact = open_feed("contact", 0);
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state };
    gasd_live *live, *live_contact;
    gasd_subscription *subscription;
    uint64_t now = boottime_ns(), t = now > 60000ull * MS ? now - 60000ull * MS : MS, n = 0;

    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) == GASD_OK, "subscription");
    EXPECT(gasd_live_new(client, "pulses", &live) == GASD_OK && gasd_live_new(client, "contact", &live_contact) == GASD_OK, "live");
    for (; ready <= restarts || n < 500; n++) {
        t = wait_for(t + 100 * MS);
        gasd_edge pulse = { t, GASD_LEVEL_PULSE, 0 };
        /* A contact that bounces, closes for 40 ms, and is touched for 2 ms while it is open. */
        gasd_edge edges[] = { { t - 90 * MS, GASD_LEVEL_CLOSED, 0 }, { t - 89 * MS, GASD_LEVEL_OPEN, 0 },
                              { t - 88 * MS, GASD_LEVEL_CLOSED, 0 }, { t - 48 * MS, GASD_LEVEL_OPEN, 0 },
                              { t - 20 * MS, GASD_LEVEL_CLOSED, 0 }, { t - 18 * MS, GASD_LEVEL_OPEN, 0 } };

        hand_in(pulses, &pulse, 1), hand_in(contact, edges, 6);
        run_for(client, 0.002, NULL);
    }
    UNTIL(status_of(pulses).waiting == 0 && status_of(contact).waiting == 0, "%u and %u wait",
          (unsigned)status_of(pulses).waiting, (unsigned)status_of(contact).waiting);
    gasd_feed_status one = status_of(pulses), other = status_of(contact);
    EXPECT(one.taken == n && one.refused == 0 && one.state == GASD_FEED_READY && one.result == GASD_OK, "%u of %u taken, %u refused",
           (unsigned)one.taken, (unsigned)n, (unsigned)one.refused);
    EXPECT(other.taken == 6 * n && other.refused == 0, "%u of %u taken", (unsigned)other.taken, 6 * (unsigned)n);
    UNTIL(live_pulses(live) == n, "%u pulses of %u", (unsigned)live_pulses(live), (unsigned)n);
    UNTIL(live_pulses(live_contact) == n, "%u pulses of %u", (unsigned)live_pulses(live_contact), (unsigned)n);
    ok("pulses and edges that were handed in while gasd ended and came again are counted once each");
    printf("counted %" PRIu64 " %" PRIu64 "\n", n, n);
    gasd_live_free(live), gasd_live_free(live_contact), gasd_subscription_free(subscription);
    close_feed(pulses), close_feed(contact);
}

static void misuse(const char *bus)
{
    struct feed *feed = open_feed("misused", 0), *none;
    gasd_client_options options = { sizeof options, bus, "another" };
    gasd_client *second = NULL;
    gasd_feed *theirs;
    size_t taken = 9;
    uint64_t now;

    UNTIL(feed->state == GASD_FEED_READY, "state %u: %s", feed->state, feed->text);
    now = boottime_ns();
    gasd_edge edges[] = { { now - 50 * MS, GASD_LEVEL_PULSE, 0 }, { now - 50 * MS, GASD_LEVEL_PULSE, 0 }, { now, GASD_LEVEL_PULSE, 0 } };
    EXPECT(gasd_pulse(feed->of, edges, 3, &taken) == GASD_ORDER && taken == 1, "%zu taken", taken);
    edges[2].level = 9;
    EXPECT(gasd_pulse(feed->of, edges + 2, 1, NULL) == GASD_INVALID, "a level that is none");
    EXPECT(gasd_reading(feed->of, now, 5) == GASD_INVALID, "a reading for edges");
    UNTIL(status_of(feed).taken == 1, "%u taken", (unsigned)status_of(feed).taken);
    ok("times that do not rise, levels that are none and readings are not handed in");
    edges[0] = (gasd_edge){ now + 3600000ull * MS, GASD_LEVEL_PULSE, 0 };
    EXPECT(gasd_pulse(feed->of, edges, 1, &taken) == GASD_INVALID && taken == 0, "%zu taken", taken);
    EXPECT(strstr(gasd_error_message(), "CLOCK_BOOTTIME"), "%s", gasd_error_message());
    EXPECT(status_of(feed).waiting == 0 && status_of(feed).taken == 1, "%u wait", (unsigned)status_of(feed).waiting);
    edges[0].t_ns = now + MS;
    EXPECT(gasd_pulse(feed->of, edges, 1, NULL) == GASD_OK, "the next one");
    UNTIL(status_of(feed).taken == 2, "%u taken", (unsigned)status_of(feed).taken);
    ok("a time in the future is not taken in, in words, and the next right one is");
    close_feed(feed);
    none = open_feed("kitchen", 0);
    UNTIL(none->state == GASD_FEED_REFUSED, "state %u", none->state);
    EXPECT(none->result == GASD_INVALID && strstr(none->text, "stack"), "%s: %s", gasd_result_name(none->result), none->text);
    edges[0] = (gasd_edge){ now, GASD_LEVEL_PULSE, 0 };
    EXPECT(gasd_pulse(none->of, edges, 1, NULL) == GASD_OK, "pulse");
    run_for(client, 0.1, NULL);
    EXPECT(status_of(none).waiting == 1 && status_of(none).taken == 0 && none->told == 1, "told %d times", none->told);
    close_feed(none);
    none = open_feed("attic", 0);
    UNTIL(none->state == GASD_FEED_REFUSED, "state %u", none->state);
    EXPECT(none->result == GASD_INVALID && strstr(none->text, "no meter is called"), "%s: %s", gasd_result_name(none->result), none->text);
    close_feed(none);
    ok("a meter that is not fed, or not there, refuses once and in words; what was handed in is kept");
    none = open_feed("misused", 1);
    EXPECT(gasd_reading(none->of, boottime_ns(), 5) == GASD_OK, "reading");
    UNTIL(none->refused == 1, "%u refused: %s", (unsigned)none->refused, none->text);
    EXPECT(status_of(none).taken == 0 && none->result == GASD_REFUSED, "%s", none->text);
    close_feed(none);
    ok("a reading for a meter that is fed with edges is refused");
    feed = open_feed("misused", 0);
    UNTIL(feed->state == GASD_FEED_READY, "state %u", feed->state);
    EXPECT(gasd_client_new(&options, &second) == GASD_OK && gasd_feed_new(second, "misused", 0, NULL, NULL, &theirs) == GASD_OK, "a second feed");
    for (double until = seconds() + 20; feed->state != GASD_FEED_REFUSED && seconds() < until;)
        run_for(second, 0.01, NULL), run_for(client, 0.01, NULL);
    EXPECT(feed->result == GASD_REFUSED && strstr(feed->text, "taken over"), "%s", feed->text);
    gasd_feed_free(theirs), gasd_client_free(second);
    close_feed(feed);
    ok("who takes a feed over has it, and who had it is told");
}

int main(int argc, char **argv)
{
    gasd_client_options options = { sizeof options, argc > 1 ? argv[1] : NULL, "test" };

    setvbuf(stdout, NULL, _IOLBF, 0);
    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    misuse(options.bus);
    over_restarts(argc > 2 ? atoi(argv[2]) : 0);
    gasd_client_free(client);
    return failures != 0;
}
