/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A client between programs that mean it no good: one that has gasd's name, and one that only pretends to be gasd.
 *
 *     hostile BUS    a bus without a gasd, that lets anybody answer what he was not asked
 */
#include "peer.h"

static gasd_client *client;

/* What was told. */
static struct { unsigned made, gone, states; uint64_t id; uint32_t kind, severity; size_t words; } heard;
static void on_state(void *data, const gasd_state_event *event) { (void)data; heard.states += event->text != NULL; }
static void on_verdict(void *data, const gasd_verdict_event *event)
{
    (void)data;
    heard.made++, heard.id = event->id, heard.kind = event->kind, heard.severity = event->severity;
    heard.words = strlen(event->meter) + (event->text ? strlen(event->text) : 0) + (event->evidence ? strlen(event->evidence) : 0);
}
static void on_acknowledged(void *data, const gasd_verdict_event *event) { (void)data, (void)event; heard.gone++; }

struct told { unsigned times; gasd_result result; uint64_t value; size_t length; };
static void on_done(void *data, gasd_result result, const char *text, uint64_t value)
{
    struct told *told = data;

    told->times++, told->result = result, told->value = value, told->length = strlen(text);
}

static const char *state_text(void)
{
    static char text[300];

    if (gasd_client_state_text(client, text, sizeof text, NULL) == GASD_BUFFER)
        snprintf(text, sizeof text, "very long");
    return text;
}

/* A verdict that is as it should be, as a property of an object and as a signal. */
#define VERDICT_OF(id) 6, "Id", "t", (uint64_t)(id), "Meter", "s", "kitchen", "Kind", "s", "surge", "Severity", "s", "critical", \
    "Decided", "t", (uint64_t)(id), "Text", "s", "gas"

static void good_verdict(uint64_t id)
{
    sd_bus_emit_signal(gasd, "/io/gasd1", "io.gasd1.Manager", "VerdictAdded", "oa{sv}", "/io/gasd1/verdicts/1", VERDICT_OF(id));
}

/* The bus has everything that was sent, and has handed it on. */
static void sent(sd_bus *bus)
{
    sd_bus_message *answer = NULL;

    sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", NULL, &answer, "");
    sd_bus_message_unref(answer);
}

/* What is no answer to GetManagedObjects. */
static int silent(sd_bus_message *call) { (void)call; return 1; }
static int text_for_objects(sd_bus_message *call) { return sd_bus_reply_method_return(call, "s", "everything"); }
static int nothing_for_objects(sd_bus_message *call) { return sd_bus_reply_method_return(call, ""); }
static int flat_objects(sd_bus_message *call) { return sd_bus_reply_method_return(call, "a{oa{sv}}", 1, "/io/gasd1/valves/main", 1, "Id", "s", "main"); }
static int half_objects(sd_bus_message *call)
{
    return sd_bus_reply_method_return(call, "a{oa{sa{ss}}}", 1, "/io/gasd1/valves/main", 1, "io.gasd1.Valve", 1, "Id", "main");
}
static int refused_objects(sd_bus_message *call) { return sd_bus_reply_method_errorf(call, "x.y.Z", "no"); }
/* An answer, without what is needed of it. */
static int bare_objects(sd_bus_message *call)
{
    return sd_bus_reply_method_return(call, "a{oa{sa{sv}}}", 3, "/io/gasd1/meters/kitchen", 1, "io.gasd1.Meter", 0,
        "/io/gasd1/valves/main", 1, "io.gasd1.Valve", 0, "/", 2, "io.gasd1.Verdict", 0, "", 0);
}
static int confused_objects(sd_bus_message *call)
{
    return sd_bus_reply_method_return(call, "a{oa{sa{sv}}}", 3,
        "/", 1, "io.gasd1.Meter", 2, "Id", "u", 7, "Key", "s", "main",
        "/a", 1, "io.gasd1.Valve", 4, "Id", "a{sv}", 1, "s", "v", "v", "d", 0.5, "Key", "d", 0.0, "Position", "y", 1, "Health", "as", 1, "ok",
        "/io/gasd1/meters/x", 1, "io.gasd1.Verdict", 5, "Id", "x", (int64_t)-1, "Kind", "s", "no such kind", "Meter", "o", "/m",
        "Severity", "as", 0, "Decided", "h", 0);
}
static char *long_text(size_t n)
{
    char *text = malloc(n + 1);

    memset(text, 'x', n), text[n] = 0;
    return text;
}
static int huge_objects(sd_bus_message *call)
{
    sd_bus_message *reply = NULL;
    char *text = long_text(8 << 20), path[64];
    int r;

    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
    sd_bus_message_append(reply, "{oa{sa{sv}}}", "/io/gasd1/meters/kitchen", 1, "io.gasd1.Meter", 1, "Id", "s", text);
    sd_bus_message_append(reply, "{oa{sa{sv}}}", "/io/gasd1/valves/main", 1, "io.gasd1.Valve", 2, "Id", "s", text, "Health", "s", text);
    for (uint64_t id = 1; id <= 5000; id++) {
        snprintf(path, sizeof path, "/io/gasd1/verdicts/%u", (unsigned)id);
        sd_bus_message_append(reply, "{oa{sa{sv}}}", path, 1, "io.gasd1.Verdict", VERDICT_OF(id));
    }
    sd_bus_message_close_container(reply);
    r = sd_bus_send(sd_bus_message_get_bus(call), reply, NULL);
    sd_bus_message_unref(reply), free(text);
    return r;
}
static int huge_version(sd_bus_message *call)
{
    char *text = long_text(1 << 20);
    int r = sd_bus_reply_method_return(call, "a{sv}", 1, "Version", "s", text);

    free(text);
    return r;
}
static int number_for_version(sd_bus_message *call) { return sd_bus_reply_method_return(call, "t", (uint64_t)1); }

static void wrong_answers(void)
{
    answer *none[] = { text_for_objects, nothing_for_objects, flat_objects, half_objects, refused_objects };
    gasd_valve_state valve = { .struct_size = sizeof valve };
    char version[16];
    size_t needed = 0;

    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        be_good();
        answers[OBJECTS] = none[i], answers[VERSION] = number_for_version;
        restart(client);
        UNTIL(client, asked[OBJECTS] > 0 && strstr(state_text(), "does not say what it has"), "answer %zu: %s", i, state_text());
        /* It is asked again after a while, and not at once. */
        unsigned before = asked[OBJECTS];
        steps(client, 0.2);
        EXPECT(asked[OBJECTS] <= before + 1, "asked %u times", asked[OBJECTS] - before);
        EXPECT(gasd_valve_read(client, "main", &valve) == GASD_NOT_CONNECTED, "answer %zu", i);
        EXPECT(gasd_client_service_version(client, version, sizeof version, NULL) == GASD_NOT_CONNECTED, "answer %zu", i);
        answers[OBJECTS] = good_objects, later += 2;
        until_ready(client);
        EXPECT(gasd_valve_read(client, "main", &valve) == GASD_OK && valve.position == GASD_POSITION_OPEN, "answer %zu", i);
    }
    ok("what is no answer is said in words, and asked for again once a second");
    answer *some[] = { bare_objects, confused_objects, huge_objects };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        be_good();
        answers[OBJECTS] = some[i], answers[VERSION] = huge_version;
        restart(client);
        until_ready(client);
        EXPECT(gasd_valve_read(client, "main", &valve) == GASD_NOT_FOUND, "answer %zu", i);
        EXPECT(gasd_client_service_version(client, version, sizeof version, &needed) == GASD_BUFFER && needed == (1 << 20) + 1, "%zu", needed);
    }
    EXPECT(heard.made == 5000, "%u of 5000 verdicts", heard.made);
    be_good();
    restart(client);
    until_ready(client);
    UNTIL(client, heard.gone == 5000, "%u of 5000 verdicts are gone", heard.gone);
    ok("properties that are missing, of another type or of megabytes are no valve, no meter and no crash");
}

/* gasd answers a request: with another type, with an error, twice, late, or never. */
static struct told ask_hold(void)
{
    struct told told = { 0 };

    sd_bus_message_unref(request);
    request = NULL;
    return told;
}
#define REQUESTED(call_, ...)                                              \
    struct told told = ask_hold();                                         \
    EXPECT((call_) == GASD_OK, __VA_ARGS__);                               \
    UNTIL(client, request != NULL, "the request did not come")
#define TOLD(expected, ...)                                                \
    UNTIL(client, told.times > 0, "no answer was told");                   \
    EXPECT(told.times == 1 && told.result == (expected) && told.value == 0, "%u times %s, %llu", told.times, \
           gasd_result_name(told.result), (unsigned long long)told.value)

static void requests(void)
{
    static const struct { const char *name; gasd_result result; } ERRORS[] = {
        { "org.freedesktop.DBus.Error.AccessDenied", GASD_DENIED }, { "org.freedesktop.DBus.Error.InvalidArgs", GASD_INVALID },
        { "org.freedesktop.DBus.Error.LimitsExceeded", GASD_LIMIT }, { "org.freedesktop.DBus.Error.UnknownMethod", GASD_UNSUPPORTED },
        { "org.freedesktop.DBus.Error.UnknownObject", GASD_NOT_FOUND }, { "io.gasd1.Error.NotFound", GASD_NOT_FOUND },
        { "io.gasd1.Error.Unacknowledged", GASD_UNACKNOWLEDGED }, { "io.gasd1.Error.Held", GASD_HELD },
        { "io.gasd1.Error.Actuator", GASD_ACTUATOR }, { "io.gasd1.Error.Overtaken", GASD_ACTUATOR },
        { "io.gasd1.Error.Store", GASD_STORE },
        { "io.gasd1.Error.Stopping", GASD_NOT_CONNECTED }, { "io.gasd1.Error.NoSuchErrorYet", GASD_REFUSED }, { "a.b", GASD_REFUSED },
    };
    char *text = long_text(1 << 20);

    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++) {
        REQUESTED(gasd_valve_close(client, "main", "gas", on_done, &told), "%s", ERRORS[i].name);
        sd_bus_reply_method_errorf(request, ERRORS[i].name, "%s", i % 2 ? text : "");
        TOLD(ERRORS[i].result);
        EXPECT(told.length >= (i % 2 ? 1u << 20 : 0u), "%zu bytes", told.length);
    }
    free(text);
    ok("each error is told as the documented result, whatever its words");
    const char *types[] = { "s", "u", "", "v" };
    for (size_t i = 0; i < 4; i++) {
        REQUESTED(gasd_valve_hold(client, "main", "gas", on_done, &told), "hold");
        i == 0 ? sd_bus_reply_method_return(request, types[i], "7") : i == 1 ? sd_bus_reply_method_return(request, types[i], 7)
            : i == 2 ? sd_bus_reply_method_return(request, types[i]) : sd_bus_reply_method_return(request, types[i], "t", (uint64_t)7);
        TOLD(GASD_UNSUPPORTED);
    }
    ok("a cookie of another type is none");
    {
        REQUESTED(gasd_valve_hold(client, "main", "gas", on_done, &told), "hold");
        for (uint64_t i = 7; i < 10; i++)
            sd_bus_reply_method_return(request, "t", i);
        sd_bus_reply_method_errorf(request, "io.gasd1.Error.Held", "no");
        UNTIL(client, told.times > 0, "no answer was told");
        sent(gasd);
        steps(client, 0.1);
        EXPECT(told.times == 1 && told.result == GASD_OK && told.value == 7, "%u times, %llu", told.times, (unsigned long long)told.value);
        ok("of several answers the first counts");
    }
    {
        REQUESTED(gasd_valve_close(client, "main", "gas", on_done, &told), "close");
        steps(client, 0.05);
        EXPECT(told.times == 0, "told before the answer");
        later += 91;
        TOLD(GASD_TIMED_OUT);
        sd_bus_reply_method_return(request, "");
        sent(gasd);
        steps(client, 0.1);
        EXPECT(told.times == 1, "told %u times", told.times);
        ok("what is never answered is told after 90 s, and an answer behind that is none");
    }
    {
        REQUESTED(gasd_valve_close(client, "main", "gas", on_done, &told), "close");
        sd_bus_release_name(gasd, "io.gasd1");
        TOLD(GASD_CANCELLED);
        EXPECT(gasd_valve_close(client, "main", "gas", on_done, &told) == GASD_NOT_CONNECTED, "without a gasd");
        sd_bus_request_name(gasd, "io.gasd1", 0);
        until_ready(client);
        ok("a gasd that goes takes its requests with it");
    }
    {
        be_good();
        answers[OBJECTS] = silent;
        restart(client);
        UNTIL(client, asked[OBJECTS] > 0, "not asked");
        REQUESTED(gasd_valve_close(client, "main", "gas", on_done, &told), "close");
        sd_bus_reply_method_return(request, "");
        TOLD(GASD_OK);
        /* What was never answered is asked for again, too. */
        answers[OBJECTS] = good_objects, later += 30;
        UNTIL(client, strstr(state_text(), "does not say"), "%s", state_text());
        later += 2;
        until_ready(client);
        ok("a valve can be closed while gasd does not say what it has");
    }
}

static void send_to_client(sd_bus *from, const char *path, const char *interface, const char *member, const char *types, ...)
{
    sd_bus_message *signal = NULL;
    va_list values;

    va_start(values, types);
    if (sd_bus_message_new_signal(from, &signal, path, interface, member) < 0 || sd_bus_message_appendv(signal, types, values) < 0 ||
        sd_bus_message_set_destination(signal, client_name) < 0 || sd_bus_send(from, signal, NULL) < 0)
        EXPECT(0, "a signal was not sent");
    sd_bus_message_unref(signal);
    va_end(values);
}

/* The stranger answers what he was not asked, by every number that a call may have. */
static void answer_for_gasd(const char *to)
{
    for (uint64_t cookie = 1; cookie < 2000; cookie++) {
        sd_bus_message *call = NULL, *reply = NULL;

        /* An answer to a call that was never sent. */
        if (sd_bus_message_new_method_call(stranger, &call, to, "/", "a.b", "C") < 0 || sd_bus_message_seal(call, cookie, 0) < 0 ||
            sd_bus_message_new_method_return(call, &reply) < 0 || sd_bus_message_set_destination(reply, to) < 0 ||
            sd_bus_message_append(reply, "t", (uint64_t)666) < 0 || sd_bus_send(stranger, reply, NULL) < 0)
            EXPECT(0, "no answer to call %u", (unsigned)cookie);
        sd_bus_message_unref(reply), sd_bus_message_unref(call);
    }
}

static void strangers(void)
{
    gasd_valve_state valve = { .struct_size = sizeof valve };
    uint32_t state = 0;

    be_good();
    restart(client);
    until_ready(client);
    REQUESTED(gasd_valve_hold(client, "main", "gas", on_done, &told), "hold");
    memset(&heard, 0, sizeof heard);
    send_to_client(stranger, "/io/gasd1", "io.gasd1.Manager", "VerdictAdded", "oa{sv}", "/io/gasd1/verdicts/1", VERDICT_OF(666));
    send_to_client(stranger, "/io/gasd1/valves/main", "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                   "io.gasd1.Valve", 1, "Position", "s", "closed", 0);
    send_to_client(stranger, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss", "io.gasd1", "", "");
    send_to_client(stranger, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss", "io.gasd1", "", ":1.999");
    send_to_client(stranger, "/io/gasd1", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}", "/io/gasd1/meters/x", 0);
    unsigned before = asked[OBJECTS];
    answer_for_gasd(client_name);
    /* The bus hands on what nobody asked for, or this would test nothing. */
    const char *own = NULL;
    sd_bus_get_unique_name(gasd, &own);
    answer_for_gasd(own);
    sent(stranger);
    UNTIL(client, unasked >= 1999, "%u answers that nobody asked for came through", unasked);
    good_verdict(1);
    UNTIL(client, heard.made > 0, "gasd's own verdict is not told");
    EXPECT(heard.made == 1 && heard.id == 1, "%u verdicts, the last is %u", heard.made, (unsigned)heard.id);
    EXPECT(heard.gone == 0 && asked[OBJECTS] == before, "gasd was asked again");
    EXPECT(gasd_valve_read(client, "main", &valve) == GASD_OK && valve.position == GASD_POSITION_OPEN, "position %u", valve.position);
    EXPECT(gasd_client_state(client, &state) == GASD_OK && state == GASD_STATE_READY, "state %u", state);
    EXPECT(told.times == 0, "a stranger's answer was told");
    sd_bus_reply_method_return(request, "t", (uint64_t)7);
    UNTIL(client, told.times > 0, "gasd's own answer is not told");
    EXPECT(told.times == 1 && told.result == GASD_OK && told.value == 7, "%s", gasd_result_name(told.result));
    ok("of signals and answers of anybody but gasd nothing is believed");
}

static void signals(void)
{
    static const char *const MEMBERS[] = { "VerdictAdded", "VerdictRemoved", "AlarmRaised" };

    memset(&heard, 0, sizeof heard);
    for (size_t i = 0; i < 3; i++) {
        sd_bus_emit_signal(gasd, "/io/gasd1", "io.gasd1.Manager", MEMBERS[i], "");
        sd_bus_emit_signal(gasd, "/io/gasd1", "io.gasd1.Manager", MEMBERS[i], "s", "/io/gasd1/verdicts/1");
        sd_bus_emit_signal(gasd, "/io/gasd1", "io.gasd1.Manager", MEMBERS[i], "oa{ss}", "/io/gasd1/verdicts/1", 1, "Id", "1");
        sd_bus_emit_signal(gasd, "/io/gasd1", "io.gasd1.Manager", MEMBERS[i], "oa{sv}", "/", 0);
        sd_bus_emit_signal(gasd, "/io/gasd1", "io.gasd1.Manager", MEMBERS[i], "oa{sv}", "/", 2, "Id", "s", "2", "Meter", "t", (uint64_t)2);
    }
    for (int i = 0; i < 1000; i++) {
        sd_bus_emit_signal(gasd, "/io/gasd1/valves/main", "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                           "io.gasd1.Valve", 2, "Position", "t", (uint64_t)i, "Health", "b", 1, 0);
        sd_bus_emit_signal(gasd, "/io/gasd1", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "o", "/io/gasd1/meters/x");
        sd_bus_emit_signal(gasd, "/x", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "");
    }
    unsigned before = asked[OBJECTS];
    good_verdict(2);
    good_verdict(2);
    UNTIL(client, heard.made > 0, "the verdict behind it is not told");
    UNTIL(client, asked[OBJECTS] > before, "gasd is not asked for what it has now");
    steps(client, 0.2);
    EXPECT(heard.made == 1 && heard.id == 2 && heard.kind == GASD_KIND_SURGE, "%u verdicts", heard.made);
    /* At most one is under way and one behind it, however many there were. */
    EXPECT(asked[OBJECTS] <= before + 10, "a thousand signals make %u questions", asked[OBJECTS] - before);
    ok("signals of another shape say nothing, and a thousand are not a thousand questions");
    for (int i = 0; i < 100; i++) {
        sd_bus_release_name(gasd, "io.gasd1");
        sd_bus_request_name(i % 2 ? stranger : gasd, "io.gasd1", 0);
        sd_bus_release_name(stranger, "io.gasd1");
        if (i % 10 == 0)
            step(client);
    }
    sd_bus_request_name(gasd, "io.gasd1", 0);
    until_ready(client);
    ok("a name that goes from hand to hand ends with its last owner");
}

int main(int argc, char **argv)
{
    gasd_client_options options = { sizeof options, argc > 1 ? argv[1] : NULL, "test" };
    gasd_handlers handlers = { .struct_size = sizeof handlers, .state = on_state, .verdict = on_verdict, .acknowledged = on_acknowledged };
    gasd_subscription *subscription;

    if (argc < 2)
        return 2;
    begin(argv[1]);
    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) == GASD_OK, "subscription");
    until_ready(client);
    wrong_answers();
    requests();
    strangers();
    signals();
    gasd_subscription_free(subscription), gasd_client_free(client);
    end();
    return failures != 0;
}
