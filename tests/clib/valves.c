/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Closing and opening the valve main, which nothing holds, of a gasd that runs.
 *
 *     valves BUS         a program that may read: what it does is told back
 *     valves BUS denied  one that may act and not read, as polkit can have it
 */
#include "lib.h"

static gasd_client *client;

static uint64_t holds;
static uint32_t position;
static void on_valve(void *data, const gasd_valve_event *event) { (void)data; holds = event->holds, position = event->position; }
static int refusals;
static gasd_result refused;
static void on_refused(void *data, gasd_result result, const char *text) { (void)data, (void)text; refusals++, refused = result; }

static struct { int times; gasd_result result; uint64_t value; char text[300]; } told;
static void on_done(void *data, gasd_result result, const char *text, uint64_t value)
{
    (void)data;
    told.times++, told.result = result, told.value = value;
    snprintf(told.text, sizeof told.text, "%s", text);
}

/* What became of a request. */
#define TOLD(call, expected)                                                            \
    do {                                                                                \
        memset(&told, 0, sizeof told);                                                  \
        EXPECT((call) == GASD_OK, "not asked");                                         \
        run_for(client, 20, &told.times);                                               \
        EXPECT(told.times == 1 && told.result == (expected), "%d times %s: %s", told.times, \
               gasd_result_name(told.result), told.text);                               \
    } while (0)

/* Until the valve is told to have so many holds. */
static void until_holds(uint64_t n)
{
    for (double until = seconds() + 20; seconds() < until && holds != n;)
        run_for(client, 0.02, NULL);
    EXPECT(holds == n, "%u holds, not %u", (unsigned)holds, (unsigned)n);
}

static void closing_again(void)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .valve = on_valve };
    gasd_subscription *subscription;

    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) == GASD_OK, "subscription");
    EXPECT(until_state(client, GASD_STATE_READY, 10), "ready");
    TOLD(gasd_valve_close(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    TOLD(gasd_valve_close(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    TOLD(gasd_valve_close(client, "main", "inspection", on_done, NULL), GASD_OK);
    until_holds(2);
    EXPECT(position == GASD_POSITION_CLOSED, "position %u", position);
    TOLD(gasd_valve_close(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    TOLD(gasd_valve_hold(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    until_holds(3);
    uint64_t cookie = told.value;
    TOLD(gasd_valve_open(client, "main", "looked", on_done, NULL), GASD_HELD);
    TOLD(gasd_valve_release(client, "main", cookie, on_done, NULL), GASD_OK);
    until_holds(2);
    TOLD(gasd_valve_open(client, "main", "looked", on_done, NULL), GASD_OK);
    until_holds(0);
    ok("closing again for one reason is one hold, and a person's opening ends them all");
    gasd_subscription_free(subscription);
}

static void without_reading(void)
{
    gasd_handlers handlers = { .struct_size = sizeof handlers, .valve = on_valve, .refused = on_refused };
    gasd_valve_state valve = { .struct_size = sizeof valve };
    gasd_subscription *subscription;
    char text[300] = "";

    EXPECT(gasd_valve_close(client, "main", "smell of gas", on_done, NULL) == GASD_NOT_CONNECTED, "before it dispatched");
    EXPECT(gasd_client_subscribe(client, &handlers, NULL, NULL, &subscription) == GASD_OK, "subscription");
    run_for(client, 20, &refusals);
    EXPECT(refused == GASD_DENIED, "%s", gasd_result_name(refused));
    EXPECT(gasd_client_state_text(client, text, sizeof text, NULL) == GASD_OK && strstr(text, "gasd-read"), "%s", text);
    EXPECT(gasd_valve_read(client, "main", &valve) == GASD_DENIED, "read");
    TOLD(gasd_valve_close(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    TOLD(gasd_valve_hold(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    uint64_t cookie = told.value;
    TOLD(gasd_valve_hold(client, "main", "smell of gas", on_done, NULL), GASD_OK);
    EXPECT(cookie != 0 && told.value == cookie, "%u, then %u", (unsigned)cookie, (unsigned)told.value);
    TOLD(gasd_valve_open(client, "main", "looked", on_done, NULL), GASD_HELD);
    TOLD(gasd_valve_release(client, "main", cookie, on_done, NULL), GASD_OK);
    TOLD(gasd_valve_open(client, "main", "looked", on_done, NULL), GASD_OK);
    ok("a program that may not read closes, holds, releases and opens");
    static const char *const NONE[] = { "attic", "", "no such/valve", "Gash\303\244hne" };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        TOLD(gasd_valve_close(client, NONE[i], "smell of gas", on_done, NULL), GASD_NOT_FOUND);
        EXPECT(strstr(told.text, "no such valve"), "%s", told.text);
    }
    TOLD(gasd_verdict_acknowledge(client, 4711, NULL, on_done, NULL), GASD_NOT_FOUND);
    ok("and is told what there is not by the answer");
    gasd_subscription_free(subscription);
}

int main(int argc, char **argv)
{
    gasd_client_options options = { sizeof options, argc > 1 ? argv[1] : NULL, "test" };

    EXPECT(gasd_client_new(&options, &client) == GASD_OK, "client");
    if (argc > 2)
        without_reading();
    else
        closing_again();
    gasd_client_free(client);
    return failures != 0;
}
