/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What comes over the sockets and descriptors that gasd hands out, when it is not what it should be.
 *
 *     packets BUS    a bus without a gasd
 */
#define _GNU_SOURCE
#include "peer.h"
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static gasd_client *client;

static struct { unsigned pulses, readings, verdicts, valves, gaps, refusals; gasd_result refused; char why[200]; } heard;
static uint32_t kind, severity, position, fault;
static void on_pulse(void *data, const gasd_pulse_event *event) { (void)data; heard.pulses += strlen(event->meter) > 0; }
static void on_reading(void *data, const gasd_reading_event *event) { (void)data; heard.readings += strlen(event->meter) > 0; }
static void on_verdict(void *data, const gasd_verdict_event *event)
{
    (void)data;
    heard.verdicts += strlen(event->meter) > 0, kind = event->kind, severity = event->severity;
}
static void on_valve(void *data, const gasd_valve_event *event)
{
    (void)data;
    heard.valves += strlen(event->valve) > 0, position = event->position, fault = event->fault;
}
static void on_gap(void *data, const gasd_gap_event *event) { (void)data, (void)event; heard.gaps++; }
static void on_refused(void *data, gasd_result result, const char *text)
{
    (void)data;
    heard.refusals++, heard.refused = result;
    snprintf(heard.why, sizeof heard.why, "%s", text);
}

static struct { unsigned times; uint32_t state; gasd_result result; } fed;
static void on_fed(void *data, const gasd_feed_event *event)
{
    (void)data;
    EXPECT(event->text && event->text[0], "a feed says nothing");
    fed.times++, fed.state = event->state, fed.result = event->result;
}

/* Descriptors that are no socket of packets, or none that lives. */
static int hand(sd_bus_message *call, int fd)
{
    int r = sd_bus_reply_method_return(call, "h", fd);

    close(fd);
    return r;
}
static int of_pair(sd_bus_message *call, int type)
{
    int ends[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    /* The other end has something to say already. */
    if (send(ends[1], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 32, MSG_NOSIGNAL) != 32)
        return -1;
    close(ends[1]);
    return hand(call, ends[0]);
}
static int a_file(sd_bus_message *call) { return hand(call, open("/proc/self/exe", O_RDONLY | O_CLOEXEC)); }
static int a_folder(sd_bus_message *call) { return hand(call, open("/", O_PATH | O_CLOEXEC)); }
static int a_device(sd_bus_message *call) { return hand(call, open("/dev/zero", O_RDWR | O_CLOEXEC)); }
static int an_event(sd_bus_message *call) { return hand(call, eventfd(1, EFD_CLOEXEC)); }
static int a_stream(sd_bus_message *call) { return of_pair(call, SOCK_STREAM); }
static int datagrams(sd_bus_message *call) { return of_pair(call, SOCK_DGRAM); }
static int a_pipe(sd_bus_message *call)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    close(ends[1]);
    return hand(call, ends[0]);
}
static int a_number(sd_bus_message *call) { return sd_bus_reply_method_return(call, "u", 0); }
static int nothing(sd_bus_message *call) { return sd_bus_reply_method_return(call, ""); }
/* Packet sockets, and yet: one whose other end is gone, and one that was never connected. */
static int an_end(sd_bus_message *call) { return of_pair(call, SOCK_SEQPACKET); }
static int a_lone_socket(sd_bus_message *call) { return hand(call, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)); }

static gasd_subscription *subscribe(void)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .pulse = on_pulse, .reading = on_reading, .verdict = on_verdict,
                               .valve = on_valve, .gap = on_gap, .refused = on_refused };
    gasd_subscription *subscription = NULL;

    memset(&heard, 0, sizeof heard);
    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) == GASD_OK, "subscription");
    return subscription;
}

static void descriptors(void)
{
    answer *wrong[] = { a_file, a_folder, a_device, an_event, a_stream, datagrams, a_pipe, a_number, nothing };
    answer *dead[] = { an_end, a_lone_socket };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gasd_feed *feed;
        gasd_feed_status status = { .struct_size = sizeof status };
        gasd_edge edge = { 5, GASD_LEVEL_PULSE, 0 };

        be_good();
        answers[SUBSCRIBE] = answers[FEED] = wrong[i];
        gasd_subscription *subscription = subscribe();
        UNTIL(client, heard.refusals > 0, "descriptor %zu is not refused", i);
        EXPECT(heard.refused == GASD_UNSUPPORTED && strstr(heard.why, "cannot be read"), "%zu: %s", i, heard.why);
        memset(&fed, 0, sizeof fed);
        EXPECT(gasd_feed_new(client, "kitchen", 0, on_fed, NULL, &feed) == GASD_OK, "feed");
        EXPECT(gasd_pulse(feed, &edge, 1, NULL) == GASD_OK, "pulse");
        UNTIL(client, fed.times > 0 && fed.state == GASD_FEED_REFUSED, "feed %zu is not refused", i);
        EXPECT(fed.result == GASD_UNSUPPORTED, "%zu: %s", i, gasd_result_name(fed.result));
        EXPECT(gasd_feed_read(feed, &status) == GASD_OK && status.taken == 0 && status.waiting == 1, "%u", (unsigned)status.taken);
        wakes = 0;
        steps(client, 0.1);
        EXPECT(heard.refusals == 1 && asked[SUBSCRIBE] == 1 && asked[FEED] == 1, "%u refusals, asked %u and %u times",
               heard.refusals, asked[SUBSCRIBE], asked[FEED]);
        EXPECT(wakes < 20, "descriptor %zu wakes the client %u times", i, wakes);
        gasd_feed_free(feed), gasd_subscription_free(subscription);
    }
    ok("a descriptor that is no packet socket is refused in words, once");
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++) {
        gasd_feed *feed;

        be_good();
        answers[SUBSCRIBE] = answers[FEED] = dead[i];
        gasd_subscription *subscription = subscribe();
        memset(&fed, 0, sizeof fed);
        EXPECT(gasd_feed_new(client, "kitchen", 0, on_fed, NULL, &feed) == GASD_OK, "feed");
        UNTIL(client, asked[SUBSCRIBE] > 0 && asked[FEED] > 0 && fed.times > 0, "not asked");
        steps(client, 0.3);
        EXPECT(asked[SUBSCRIBE] <= 2 && asked[FEED] <= 2, "asked %u and %u times", asked[SUBSCRIBE], asked[FEED]);
        /* After a pause it is asked for again, and then it is good. */
        answers[SUBSCRIBE] = good_stream, answers[FEED] = good_feed, later += 2;
        UNTIL(client, fed.state == GASD_FEED_READY && stream_end >= 0, "feed state %u", fed.state);
        gasd_feed_free(feed), gasd_subscription_free(subscription);
    }
    ok("a socket that is dead already is asked for again after a pause");
}

/* A page that may be cut short under its reader would kill it. */
static int short_page(sd_bus_message *call)
{
    int fd = memfd_create("page", MFD_CLOEXEC);
    int r = ftruncate(fd, 64 << 20) == 0
        ? sd_bus_reply_method_return(call, "haa{sv}", fd, 1, 3, "Key", "t", key_of("kitchen"), "Line", "u", 0, "PulseVolumeMicrolitres", "t", (uint64_t)1)
        : -1;

    if (r >= 0 && ftruncate(fd, 0) != 0)
        r = -1;
    close(fd);
    return r;
}
static int zero_page(sd_bus_message *call)
{
    int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
    int r = sd_bus_reply_method_return(call, "haa{sv}", fd, 1, 2, "Key", "t", key_of("kitchen"), "Line", "u", 0xffffffffu);

    close(fd);
    return r;
}

static void pages(void)
{
    answer *wrong[] = { short_page, zero_page, a_file, a_stream, a_number, nothing };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gasd_live *live;
        gasd_meter_state state = { .struct_size = sizeof state };

        be_good();
        answers[LIVE] = wrong[i];
        EXPECT(gasd_live_new(client, "kitchen", &live) == GASD_OK, "live");
        UNTIL(client, asked[LIVE] > 0, "page %zu is not asked for", i);
        steps(client, 0.1);
        EXPECT(gasd_live_read(live, &state) == GASD_NOT_CONNECTED, "page %zu", i);
        gasd_live_free(live);
    }
    ok("a live page that is no map of the kernel's is not read");
}

/* A record of the stream. */
static void record(uint32_t of, uint64_t key, uint64_t t_ns, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    struct { uint32_t kind, index; uint64_t key, t_ns, body[5]; } one = { of, 0, key, t_ns, { a, b, c, d, e } };

    EXPECT(send(stream_end, &one, sizeof one, MSG_NOSIGNAL) == 64, "record");
}
static void hello(uint64_t version)
{
    uint64_t magic;

    memcpy(&magic, "gasdstrm", 8);
    record(1, magic, 1, version, 64, 1, 1, ~0ull);
}

static gasd_subscription *subscribed(void)
{
    be_good();
    drop(&stream_end);
    gasd_subscription *subscription = subscribe();
    UNTIL(client, stream_end >= 0, "no stream was asked for");
    return subscription;
}

static void records(void)
{
    static const uint64_t VERSIONS[] = { 0, 2, UINT64_MAX };
    char packet[4096];
    uint64_t kitchen = key_of("kitchen"), random = 88172645463325252u;

    for (size_t i = 0; i < 3; i++) {
        gasd_subscription *subscription = subscribed();
        hello(VERSIONS[i]);
        record(3, kitchen, 2, 2, 0, 1, 1, 0);
        UNTIL(client, heard.refusals > 0, "version %u is not refused", (unsigned)VERSIONS[i]);
        EXPECT(heard.refused == GASD_UNSUPPORTED && strstr(heard.why, "version"), "%s", heard.why);
        steps(client, 0.1);
        EXPECT(heard.pulses == 0 && asked[SUBSCRIBE] == 1, "%u pulses, asked %u times", heard.pulses, asked[SUBSCRIBE]);
        gasd_subscription_free(subscription);
    }
    ok("a stream of another version is refused");
    gasd_subscription *subscription = subscribed();
    hello(1);
    memset(packet, 3, sizeof packet);
    for (size_t size = 1; size < sizeof packet; size = size == 63 ? 65 : size < 200 ? size + 1 : size * 2) {
        /* Whose beginning is a pulse. */
        ((uint32_t *)packet)[0] = 3, memcpy(packet + 8, &kitchen, 8);
        EXPECT(send(stream_end, packet, size, MSG_NOSIGNAL) == (ssize_t)size, "%zu bytes", size);
        if (size % 50 == 0)
            step(client);
    }
    record(3, kitchen, 2, 2, 0, 1, 1, 0);
    UNTIL(client, heard.pulses > 0, "the pulse behind them is not told");
    EXPECT(heard.pulses == 1 && asked[SUBSCRIBE] == 1, "%u pulses of one", heard.pulses);
    ok("packets that are shorter or longer than a record are none");
    record(5, kitchen, 3, 1, 99, 77, 1, ~0ull & ~2ull);
    record(6, key_of("main"), 3, 9, UINT64_MAX, 1ull << 32, 0, 0);
    UNTIL(client, heard.verdicts == 1 && heard.valves == 1, "%u verdicts", heard.verdicts);
    EXPECT(kind == GASD_KIND_UNKNOWN && severity == GASD_SEVERITY_UNKNOWN, "kind %u, severity %u", kind, severity);
    EXPECT(position == GASD_POSITION_UNKNOWN && fault == 1, "position %u, fault %u", position, fault);
    record(5, kitchen, 4, 2, (1ull << 32) + 1, (1ull << 32) + 4, 1, 0);
    UNTIL(client, heard.verdicts == 2, "%u verdicts", heard.verdicts);
    EXPECT(kind == GASD_KIND_UNKNOWN && severity == GASD_SEVERITY_UNKNOWN, "kind %u, severity %u", kind, severity);
    ok("a code that is not known is told as unknown");
    /* Anything at all, and then what was there before still is. */
    for (int i = 0; i < 20000; i++) {
        uint64_t words[8];
        for (size_t at = 0; at < 8; at++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            words[at] = random >> (random & 63);
        }
        ((uint32_t *)words)[0] = (uint32_t)(i % 11);
        if (i % 3)
            words[1] = i % 2 ? kitchen : key_of("main");
        if (i % 11 == 1 && i % 55)
            continue; /* A HELLO is of another version mostly, which ends the stream: now and then is enough. */
        if (send(stream_end, words, sizeof words, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 || i % 100 == 0)
            step(client);
    }
    be_good();
    restart(client);
    UNTIL(client, asked[SUBSCRIBE] > 0, "not asked again");
    steps(client, 0.1);
    memset(&heard, 0, sizeof heard);
    hello(1);
    record(3, kitchen, 2, 2, 0, 1, 1, 0);
    UNTIL(client, heard.pulses == 1, "the pulse behind them is not told");
    gasd_subscription_free(subscription);
    ok("records of anything at all do not end a client");
}

static void answer_feed(uint32_t of, uint32_t code, uint64_t key, uint64_t number)
{
    struct { uint32_t kind, code; uint64_t key, number, t_ns; } one = { of, code, key, number, 0 };

    EXPECT(send(feed_end, &one, sizeof one, MSG_NOSIGNAL) == 32, "answer");
}

/* Whether the other side has read all. */
static int nothing_left(int fd)
{
    int bytes = 0;

    return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes == 0;
}

static void feeds(void)
{
    gasd_feed *feed;
    gasd_feed_status status = { .struct_size = sizeof status };
    gasd_edge edges[3] = { { 5, GASD_LEVEL_PULSE, 0 }, { 6, GASD_LEVEL_PULSE, 0 }, { 7, GASD_LEVEL_PULSE, 0 } };
    uint64_t kitchen = key_of("kitchen");
    char packet[4096];

    be_good();
    memset(&fed, 0, sizeof fed);
    EXPECT(gasd_feed_new(client, "kitchen", 0, on_fed, NULL, &feed) == GASD_OK, "feed");
    UNTIL(client, fed.state == GASD_FEED_READY, "feed state %u", fed.state);
    answer_feed(1, 1, kitchen, 0);
    /* Before anything was handed in, for another meter, and of kinds and sizes that there are not. */
    answer_feed(2, 0, kitchen, UINT64_MAX), answer_feed(3, 99, kitchen, UINT64_MAX);
    UNTIL(client, nothing_left(feed_end), "answers are not read");
    EXPECT(gasd_pulse(feed, edges, 3, NULL) == GASD_OK, "pulse");
    UNTIL(client, recv(feed_end, packet, sizeof packet, MSG_DONTWAIT) > 0, "nothing was handed in");
    answer_feed(2, 0, kitchen + 1, 3), answer_feed(2, 0, 0, 3), answer_feed(77, 0, kitchen, 3);
    memset(packet, 0, sizeof packet);
    ((uint32_t *)packet)[0] = 2, memcpy(packet + 8, &kitchen, 8), packet[16] = 3;
    for (size_t size = 1; size < 4096; size = size == 31 ? 33 : size < 64 ? size + 1 : size * 2)
        EXPECT(send(feed_end, packet, size, MSG_NOSIGNAL) == (ssize_t)size, "%zu bytes", size);
    steps(client, 0.1);
    EXPECT(gasd_feed_read(feed, &status) == GASD_OK && status.taken == 0 && status.refused == 0 && status.waiting == 3,
           "%u taken, %u refused", (unsigned)status.taken, (unsigned)status.refused);
    answer_feed(2, 0, kitchen, 2), answer_feed(3, 99, kitchen, 3), answer_feed(2, 0, kitchen, 1);
    UNTIL(client, gasd_feed_read(feed, &status) == GASD_OK && status.waiting == 0, "%u wait", (unsigned)status.waiting);
    EXPECT(status.taken == 2 && status.refused == 1 && status.result == GASD_REFUSED, "%s", gasd_result_name(status.result));
    ok("of answers to a feed only those count that are of its meter and of what it handed in");
    /* Faster than anybody reads. */
    for (int i = 0; i < 100; i++) {
        while (send(feed_end, packet, 32, MSG_NOSIGNAL | MSG_DONTWAIT) == 32)
            ;
        step(client);
    }
    EXPECT(gasd_feed_read(feed, &status) == GASD_OK && status.taken == 2, "%u taken", (unsigned)status.taken);
    ok("a flood of answers does not keep a dispatch");
    edges[0].t_ns = 8;
    EXPECT(gasd_pulse(feed, edges, 1, NULL) == GASD_OK, "pulse");
    answer_feed(1, 9, kitchen, 0);
    UNTIL(client, fed.state == GASD_FEED_REFUSED, "feed state %u", fed.state);
    EXPECT(fed.result == GASD_UNSUPPORTED, "%s", gasd_result_name(fed.result));
    EXPECT(gasd_feed_read(feed, &status) == GASD_OK && status.waiting == 1, "%u wait", (unsigned)status.waiting);
    steps(client, 0.1);
    EXPECT(asked[FEED] == 1, "asked %u times", asked[FEED]);
    gasd_feed_free(feed);
    ok("a feed of another version is refused, and keeps its entries");
}

int main(int argc, char **argv)
{
    gasd_client_options options = { sizeof options, argc > 1 ? argv[1] : NULL, "test" };

    if (argc < 2)
        return 2;
    begin(argv[1]);
    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    until_ready(client);
    descriptors();
    pages();
    records();
    feeds();
    gasd_client_free(client);
    end();
    return failures != 0;
}
