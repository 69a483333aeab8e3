/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * gasdetect.h: gasd for the C and Lua stacks of a gateway. Link with pkg-config --cflags --libs gasdetect.
 *
 * Conventions of every function:
 * - It returns a gasd_result, and writes its outputs only when that is GASD_OK, but for a count of what was
 *   taken in (taken) or of bytes that are needed (needed). gasd_error_message() has the sentence of this
 *   thread's last failure.
 * - Handles are opaque; each has one function that frees it. A handle that was freed is found out (GASD_HANDLE).
 * - struct_size is set to sizeof by the caller in every struct that it hands in, so that structs may grow.
 * - No thread is started, no signal is touched, descriptors are close-on-exec. Callbacks come from
 *   gasd_client_dispatch() alone, in the thread that calls it, and must return: no exception, no longjmp.
 * - Texts are UTF-8. Times are CLOCK_BOOTTIME in ns, volumes uL (1 m3 is 1000000000), flows uL/h.
 *
 * Made by cbindgen of libgasdetect/src/exports; do not edit.
 */

#ifndef GASDETECT_H
#define GASDETECT_H

#include <stddef.h>
#include <stdint.h>

/**
 * Flag: the meter's pulses come from a player and from no gas.
 */
#define GASD_SIMULATED 1

/**
 * Flag of a verdict: it was made before it could be told at once: before the subscription, or while gasd
 * or the bus was away.
 */
#define GASD_RECOVERED 2

/**
 * Flag of a meter's state: what was before gasd's store was damaged or lost is not in the total.
 */
#define GASD_TOTAL_INCOMPLETE 4

/**
 * Flag of a meter's state: gasd is away. The kernel counts on, and so does this; what gasd itself would say
 * is as it said last.
 */
#define GASD_SERVICE_AWAY 8

/**
 * A number that is not known.
 */
#define GASD_UNKNOWN UINT64_MAX

/**
 * Version of the header, major << 16 | minor << 8 | patch. A library of a higher minor has everything that
 * this header names.
 */
#define GASDETECT_VERSION_NUMBER 65536

/**
 * Version of the ABI: the first release of libgasdetect.so.1.
 */
#define GASDETECT_MAJOR 1

/**
 * Functions were added with each.
 */
#define GASDETECT_MINOR 0

/**
 * Nothing of the ABI changed.
 */
#define GASDETECT_PATCH 0

/**
 * What became of a call. Numbers are never used for anything else; new ones may be added, so take one that
 * you do not know for a failure.
 */
typedef enum gasd_result {
    /**
     * It was done.
     */
    GASD_OK = 0,
    /**
     * There is nothing to give: no verdict waits, no more is to come.
     */
    GASD_NONE = 1,
    /**
     * A pointer is NULL that must not be.
     */
    GASD_NULL = 2,
    /**
     * A value is out of bounds, or text is no UTF-8.
     */
    GASD_INVALID = 3,
    /**
     * struct_size of a struct is that of no version of the library.
     */
    GASD_STRUCT_SIZE = 4,
    /**
     * The handle is none, or was freed, or is of another type.
     */
    GASD_HANDLE = 5,
    /**
     * Another thread is inside of a call that only one may make, or the callback of such a call makes it again.
     */
    GASD_BUSY = 6,
    /**
     * gasd or the bus is not there now; the client connects again by itself.
     */
    GASD_NOT_CONNECTED = 7,
    /**
     * The caller may not; the sentence says who is missing which right.
     */
    GASD_DENIED = 8,
    /**
     * No such meter, valve, verdict or hold.
     */
    GASD_NOT_FOUND = 9,
    /**
     * A limit of gasd or of the library is reached: too many subscriptions, holds, or requests under way.
     */
    GASD_LIMIT = 10,
    /**
     * No answer in time. What was asked for may still be done.
     */
    GASD_TIMED_OUT = 11,
    /**
     * A critical verdict waits: a person must acknowledge it first.
     */
    GASD_UNACKNOWLEDGED = 12,
    /**
     * An application holds the valve closed.
     */
    GASD_HELD = 13,
    /**
     * The valve could not be driven.
     */
    GASD_ACTUATOR = 14,
    /**
     * gasd's store cannot be written, so it was not done.
     */
    GASD_STORE = 15,
    /**
     * gasd refused for another reason, which the sentence says.
     */
    GASD_REFUSED = 16,
    /**
     * No room: entries that gasd has not taken yet fill the buffer. Dispatch, and try again.
     */
    GASD_FULL = 17,
    /**
     * Times must rise, and this one does not.
     */
    GASD_ORDER = 18,
    /**
     * The gasd that runs is too old for this, or runs without what this needs.
     */
    GASD_UNSUPPORTED = 19,
    /**
     * The system refused something; the sentence has its words.
     */
    GASD_SYSTEM = 20,
    /**
     * A fault of the library. Nothing was done, or part of it; free the handle.
     */
    GASD_PANIC = 21,
    /**
     * The request was given up: its client was freed, or the connection ended. What was asked for may be done.
     */
    GASD_CANCELLED = 22,
    /**
     * A buffer is too small; what is needed was written to its size.
     */
    GASD_BUFFER = 23,
} gasd_result;

/**
 * How it stands with gasd.
 */
typedef enum gasd_state {
    /**
     * The bus cannot be reached. Tried again by itself, after 0.1 s to 5 s.
     */
    GASD_STATE_NO_BUS = 0,
    /**
     * The bus is there, and gasd is not. The client waits for it.
     */
    GASD_STATE_NO_SERVICE = 1,
    /**
     * gasd is there, and is being asked for what it has.
     */
    GASD_STATE_JOINING = 2,
    /**
     * Meters, valves and waiting verdicts are known.
     */
    GASD_STATE_READY = 3,
} gasd_state;

/**
 * What a verdict found.
 */
typedef enum gasd_kind {
    /**
     * A kind that this version of the library does not know; the verdict's text says it.
     */
    GASD_KIND_UNKNOWN = 0,
    /**
     * Flow rose above what the short windows allow and was confirmed.
     */
    GASD_KIND_SURGE = 1,
    /**
     * A surge still flows after the long window.
     */
    GASD_KIND_SUSTAINED_FLOW = 2,
    /**
     * A suspected surge was over before the long window ended.
     */
    GASD_KIND_TRANSIENT_FLOW = 3,
    /**
     * Pulses come faster than the meter can turn.
     */
    GASD_KIND_IMPLAUSIBLE_RATE = 4,
    /**
     * More edges a second than the line's storm limit.
     */
    GASD_KIND_EDGE_STORM = 5,
    /**
     * More flow than all appliances take together, or than the meter is made for.
     */
    GASD_KIND_OVERLOAD = 6,
    /**
     * A flow lasts longer than such a flow should.
     */
    GASD_KIND_LONG_USE = 7,
    /**
     * Gas is used at an hour at which the home hardly ever uses any.
     */
    GASD_KIND_UNUSUAL_HOUR = 8,
    /**
     * What flows when nobody uses gas has risen: a small leak.
     */
    GASD_KIND_BASE_FLOW = 9,
    /**
     * The gas has not rested for longer than it should.
     */
    GASD_KIND_NEVER_ZERO = 10,
    /**
     * No gas for longer than ever: the meter or its contact may be stuck.
     */
    GASD_KIND_SILENT_METER = 11,
    /**
     * Gas flows right after the valve was opened.
     */
    GASD_KIND_FLOW_AFTER_OPENING = 12,
    /**
     * Gas flows though the valve is closed.
     */
    GASD_KIND_FLOW_WHILE_CLOSED = 13,
    /**
     * The pressure is low while gas flows.
     */
    GASD_KIND_LOW_PRESSURE = 14,
    /**
     * Gas flows after an earthquake.
     */
    GASD_KIND_EARTHQUAKE = 15,
    /**
     * A gas detector gives alarm.
     */
    GASD_KIND_GAS_ALARM = 16,
    /**
     * The register went back: the sensor's fault, never a leak.
     */
    GASD_KIND_REVERSE_FLOW = 17,
} gasd_kind;

/**
 * How bad a verdict is.
 */
typedef enum gasd_severity {
    /**
     * Not known.
     */
    GASD_SEVERITY_UNKNOWN = 0,
    /**
     * Worth recording.
     */
    GASD_SEVERITY_INFO = 1,
    /**
     * Somebody should know.
     */
    GASD_SEVERITY_NOTICE = 2,
    /**
     * Somebody should look.
     */
    GASD_SEVERITY_WARNING = 3,
    /**
     * gasd closes the meter's valve.
     */
    GASD_SEVERITY_CRITICAL = 4,
} gasd_severity;

/**
 * Where a valve is.
 */
typedef enum gasd_position {
    /**
     * Not known, or command and feedback disagree.
     */
    GASD_POSITION_UNKNOWN = 0,
    /**
     * Gas can flow.
     */
    GASD_POSITION_OPEN = 1,
    /**
     * Gas cannot flow.
     */
    GASD_POSITION_CLOSED = 2,
} gasd_position;

/**
 * What is known of a contact after an edge.
 */
typedef enum gasd_level {
    /**
     * It moved; where to is not known (an interrupt alone).
     */
    GASD_LEVEL_UNKNOWN = 0,
    /**
     * It is closed now.
     */
    GASD_LEVEL_CLOSED = 1,
    /**
     * It is open now.
     */
    GASD_LEVEL_OPEN = 2,
    /**
     * A whole pulse that the caller has debounced, closed at its time.
     */
    GASD_LEVEL_PULSE = 3,
} gasd_level;

/**
 * Why events are missing.
 */
typedef enum gasd_gap_reason {
    /**
     * The subscriber was too slow; the number of lost events is known.
     */
    GASD_GAP_SLOW = 0,
    /**
     * gasd or the bus was away; how many events were lost is not known.
     */
    GASD_GAP_AWAY = 1,
} gasd_gap_reason;

/**
 * Where a meter's state was read.
 */
typedef enum gasd_source {
    /**
     * gasd's last reading, at most a quarter of a second old while gas flows and the client dispatches.
     */
    GASD_SOURCE_STREAM = 0,
    /**
     * The kernel's live page: as of now.
     */
    GASD_SOURCE_PAGE = 1,
} gasd_source;

/**
 * How it stands with a feed.
 */
typedef enum gasd_feed_state {
    /**
     * gasd is not there now: entries are kept, and handed over when it is.
     */
    GASD_FEED_WAITING = 0,
    /**
     * Entries are handed over as they come.
     */
    GASD_FEED_READY = 1,
    /**
     * gasd does not take this meter's entries; tried again with the next connection, and once a minute.
     */
    GASD_FEED_REFUSED = 2,
} gasd_feed_state;

/**
 * A connection to gasd.
 */
typedef struct gasd_client gasd_client;

/**
 * One meter's engine.
 */
typedef struct gasd_engine gasd_engine;

/**
 * The way of one meter's edges or readings to gasd.
 */
typedef struct gasd_feed gasd_feed;

/**
 * A meter's state at hand.
 */
typedef struct gasd_live gasd_live;

/**
 * A subscription.
 */
typedef struct gasd_subscription gasd_subscription;

/**
 * How to connect. All zero but the size is the system bus.
 */
typedef struct gasd_client_options {
    /**
     * sizeof(struct gasd_client_options).
     */
    size_t struct_size;
    /**
     * system, session or a D-Bus address. NULL: the environment's GASD_BUS_ADDRESS, else system.
     */
    const char *bus;
    /**
     * Who the program is: becomes the owner of its holds. 1 to 64 of A-Z a-z 0-9 . _ -. NULL: the name
     * of the process.
     */
    const char *app_id;
} gasd_client_options;

/**
 * What an engine is for. All zero but the size and the pulse's volume is a G4 meter with Europe's rules.
 */
typedef struct gasd_engine_options {
    /**
     * sizeof(struct gasd_engine_options).
     */
    size_t struct_size;
    /**
     * Volume of one pulse, µL: 10 000 000 is 10 L. Must be given.
     */
    uint64_t pulse_volume_ul;
    /**
     * Largest flow that the meter is made for, µL/h; 0: 6 m³/h.
     */
    uint64_t max_flow_ul_per_h;
    /**
     * eu-g4, jp-micom, cn-safety or published; NULL: eu-g4.
     */
    const char *profile;
    /**
     * How messages call the meter; NULL: "meter".
     */
    const char *meter;
    /**
     * Least interval between two pulses, ns; 0: 20 ms. For edges that are no GASD_LEVEL_PULSE.
     */
    uint64_t min_interval_ns;
    /**
     * Least time the contact must be closed for a pulse, ns; 0: 10 ms.
     */
    uint64_t min_width_ns;
    /**
     * Least time the contact must be open between two pulses, ns; 0: 10 ms.
     */
    uint64_t min_idle_ns;
} gasd_engine_options;

/**
 * An edge of a meter's contact, or a pulse.
 */
typedef struct gasd_edge {
    /**
     * When, CLOCK_BOOTTIME ns: the kernel's time of the interrupt, not the time at which the program ran.
     */
    uint64_t t_ns;
    /**
     * A gasd_level: what is known of the contact after it.
     */
    uint32_t level;
    /**
     * 0.
     */
    uint32_t reserved;
} gasd_edge;

/**
 * A verdict of an engine. What it points to lives until the next gasd_engine_next() or
 * gasd_engine_free() of this engine.
 */
typedef struct gasd_engine_verdict {
    /**
     * sizeof(struct gasd_engine_verdict).
     */
    size_t struct_size;
    /**
     * A gasd_kind.
     */
    uint32_t kind;
    /**
     * A gasd_severity.
     */
    uint32_t severity;
    /**
     * When it began, ns, by the edges' own time.
     */
    uint64_t start_ns;
    /**
     * When it was decided, ns.
     */
    uint64_t decided_ns;
    /**
     * What was found, as a person would say it.
     */
    const char *text;
    /**
     * The rule that decided, see docs/verdicts.md.
     */
    const char *rule;
    /**
     * Flow before it began, m³/h.
     */
    double before_m3_per_h;
    /**
     * Flow after it began, m³/h.
     */
    double after_m3_per_h;
    /**
     * What has passed since then beyond what passed before, µL.
     */
    uint64_t released_ul;
    /**
     * The number that decided, and what it had to reach, in unit.
     */
    double value;
    /**
     * See value.
     */
    double threshold;
    /**
     * "s", "uL", "m3/h", or empty if the rule compares nothing. Lives for ever.
     */
    const char *unit;
} gasd_engine_verdict;

/**
 * How it stands with a feed has changed.
 */
typedef struct gasd_feed_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * A gasd_feed_state.
     */
    uint32_t state;
    /**
     * Why gasd does not take entries: GASD_OK if it does.
     */
    enum gasd_result result;
    /**
     * The same in words.
     */
    const char *text;
    /**
     * Entries refused since the feed was made; they will never be taken.
     */
    uint64_t refused;
} gasd_feed_event;

/**
 * Told when it stands otherwise with a feed.
 */
typedef void (*gasd_feed_fn)(void *data, const struct gasd_feed_event *event);

/**
 * How it stands with a feed.
 */
typedef struct gasd_feed_status {
    /**
     * sizeof(struct gasd_feed_status).
     */
    size_t struct_size;
    /**
     * A gasd_feed_state.
     */
    uint32_t state;
    /**
     * Why gasd does not take entries; GASD_OK if it does.
     */
    enum gasd_result result;
    /**
     * Entries that gasd has taken. They are counted, whatever happens to this program.
     */
    uint64_t taken;
    /**
     * Entries that wait in this process.
     */
    uint64_t waiting;
    /**
     * Entries that gasd refused and will never take.
     */
    uint64_t refused;
} gasd_feed_status;

/**
 * A meter's state.
 */
typedef struct gasd_meter_state {
    /**
     * sizeof(struct gasd_meter_state).
     */
    size_t struct_size;
    /**
     * A gasd_source: where it was read.
     */
    uint32_t source;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * As of when, CLOCK_BOOTTIME ns.
     */
    uint64_t t_ns;
    /**
     * The total, µL.
     */
    uint64_t volume_ul;
    /**
     * The total, pulses.
     */
    uint64_t pulses;
    /**
     * Flow, µL/h: that of the last interval, and the most that it can be once the next pulse is overdue.
     * GASD_UNKNOWN before the second pulse; of GASD_SOURCE_STREAM only until 30 s were without one, as in
     * gasd_reading_event.
     */
    uint64_t flow_ul_per_h;
    /**
     * Leading edge of the last pulse, CLOCK_BOOTTIME ns; 0 before the first.
     */
    uint64_t last_pulse_ns;
    /**
     * Interval between the last two pulses, ns; 0 before the second, and where the source does not tell.
     */
    uint64_t interval_ns;
    /**
     * GASD_SIMULATED, GASD_TOTAL_INCOMPLETE, GASD_SERVICE_AWAY.
     */
    uint64_t flags;
} gasd_meter_state;

/**
 * How it stands with gasd has changed.
 */
typedef struct gasd_state_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * A gasd_state.
     */
    uint32_t state;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The same in words.
     */
    const char *text;
} gasd_state_event;

/**
 * A pulse was accepted.
 */
typedef struct gasd_pulse_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * Id of the meter.
     */
    const char *meter;
    /**
     * Its leading edge, CLOCK_BOOTTIME ns.
     */
    uint64_t t_ns;
    /**
     * When the filter decided it, CLOCK_BOOTTIME ns.
     */
    uint64_t decided_ns;
    /**
     * Interval to the pulse before, ns; 0 for the first.
     */
    uint64_t interval_ns;
    /**
     * The meter's total with this pulse, pulses. Where it rises by more than one, events were lost on the
     * way; no pulse was.
     */
    uint64_t pulses;
    /**
     * The meter's total with this pulse, µL.
     */
    uint64_t volume_ul;
    /**
     * GASD_SIMULATED.
     */
    uint64_t flags;
} gasd_pulse_event;

/**
 * A meter's total has changed; at most four times a second.
 */
typedef struct gasd_reading_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * Id of the meter.
     */
    const char *meter;
    /**
     * When it was read, CLOCK_BOOTTIME ns.
     */
    uint64_t t_ns;
    /**
     * The total, µL.
     */
    uint64_t volume_ul;
    /**
     * The total, pulses.
     */
    uint64_t pulses;
    /**
     * Flow, µL/h. GASD_UNKNOWN before the second pulse, until 30 s were without one: then the most that it can
     * be, which is one pulse in the time since, even where pulses is 0.
     */
    uint64_t flow_ul_per_h;
    /**
     * Leading edge of the last pulse, CLOCK_BOOTTIME ns; 0 before the first.
     */
    uint64_t last_pulse_ns;
    /**
     * GASD_SIMULATED.
     */
    uint64_t flags;
} gasd_reading_event;

/**
 * A verdict was made, explained or acknowledged.
 */
typedef struct gasd_verdict_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * Its number, never used twice by a gasd.
     */
    uint64_t id;
    /**
     * Id of the meter.
     */
    const char *meter;
    /**
     * A gasd_kind.
     */
    uint32_t kind;
    /**
     * A gasd_severity.
     */
    uint32_t severity;
    /**
     * When it began, CLOCK_BOOTTIME ns, by the pulses' own time.
     */
    uint64_t start_ns;
    /**
     * When it was decided, CLOCK_BOOTTIME ns.
     */
    uint64_t decided_ns;
    /**
     * GASD_SIMULATED, GASD_RECOVERED.
     */
    uint64_t flags;
    /**
     * What was found, as a person would say it; NULL while the words are on their way.
     */
    const char *text;
    /**
     * What it rests on, as JSON (see docs/verdicts.md); NULL while it is on its way.
     */
    const char *evidence;
} gasd_verdict_event;

/**
 * A valve moved, or what holds it has changed.
 */
typedef struct gasd_valve_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * Id of the valve.
     */
    const char *valve;
    /**
     * When it was noticed, CLOCK_BOOTTIME ns.
     */
    uint64_t t_ns;
    /**
     * A gasd_position.
     */
    uint32_t position;
    /**
     * 1 when something is wrong with it, 0 otherwise.
     */
    uint32_t fault;
    /**
     * How many holds keep it closed.
     */
    uint64_t holds;
} gasd_valve_event;

/**
 * Events are missing here. Totals and valves are told anew behind it, and no verdict is lost.
 */
typedef struct gasd_gap_event {
    /**
     * Bytes that this version of the library fills.
     */
    size_t struct_size;
    /**
     * A gasd_gap_reason.
     */
    uint32_t reason;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Events that are missing; GASD_UNKNOWN when gasd was away.
     */
    uint64_t lost;
    /**
     * When the first one was lost, CLOCK_BOOTTIME ns.
     */
    uint64_t since_ns;
    /**
     * When the gap ended, CLOCK_BOOTTIME ns.
     */
    uint64_t until_ns;
} gasd_gap_event;

/**
 * What a subscriber wants to hear of: what is NULL is not asked for. Callbacks come from
 * gasd_client_dispatch() alone, in the thread that calls it.
 */
typedef struct gasd_handlers {
    /**
     * sizeof(struct gasd_handlers).
     */
    size_t struct_size;
    /**
     * How it stands with gasd has changed; also told once at the beginning.
     */
    void (*state)(void *data, const struct gasd_state_event *event);
    /**
     * A pulse was accepted.
     */
    void (*pulse)(void *data, const struct gasd_pulse_event *event);
    /**
     * A meter's total has changed.
     */
    void (*reading)(void *data, const struct gasd_reading_event *event);
    /**
     * A verdict was made: told exactly once for each that waits, as early as it can be. Its text may be NULL;
     * then explained follows, unless it waits no more by then.
     */
    void (*verdict)(void *data, const struct gasd_verdict_event *event);
    /**
     * The words and the evidence of a verdict that was told without.
     */
    void (*explained)(void *data, const struct gasd_verdict_event *event);
    /**
     * A verdict that was told waits no more: it was acknowledged, perhaps while gasd or the bus was away.
     */
    void (*acknowledged)(void *data, const struct gasd_verdict_event *event);
    /**
     * A valve moved, or what holds it has changed; each valve is told at the beginning.
     */
    void (*valve)(void *data, const struct gasd_valve_event *event);
    /**
     * Events are missing here.
     */
    void (*gap)(void *data, const struct gasd_gap_event *event);
    /**
     * gasd refused the subscription, in words; tried again with the next connection.
     */
    void (*refused)(void *data, enum gasd_result result, const char *text);
} gasd_handlers;

/**
 * Which meters and verdicts a subscriber wants to hear of. Nothing chosen is everything.
 */
typedef struct gasd_filter {
    /**
     * sizeof(struct gasd_filter).
     */
    size_t struct_size;
    /**
     * Ids of meters; NULL for all. Says nothing about valves.
     */
    const char *const *meters;
    /**
     * How many.
     */
    size_t meter_count;
    /**
     * The least gasd_severity of verdicts; 0 for all.
     */
    uint32_t min_severity;
    /**
     * 0.
     */
    uint32_t reserved;
} gasd_filter;

/**
 * The answer to a request. value is the cookie of a hold, 0 otherwise; text says why it failed, and is
 * empty if it did not.
 */
typedef void (*gasd_done_fn)(void *data, enum gasd_result result, const char *text, uint64_t value);

/**
 * What is known of a valve.
 */
typedef struct gasd_valve_state {
    /**
     * sizeof(struct gasd_valve_state).
     */
    size_t struct_size;
    /**
     * A gasd_position.
     */
    uint32_t position;
    /**
     * 1 when something is wrong with it, 0 otherwise.
     */
    uint32_t fault;
} gasd_valve_state;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a client. It connects by itself once it is dispatched, and again whenever gasd or the bus was away;
 * that neither is there now is no error. options may be NULL.
 *
 * No thread is started, no signal is touched, and all descriptors are close-on-exec. After a fork(2) the
 * child must not use it.
 *
 * Any thread. Free it with gasd_client_free().
 *
 * Errors: GASD_NULL for client, GASD_STRUCT_SIZE, GASD_INVALID for text that is no UTF-8 or an
 * app_id that is none, GASD_LIMIT with 4095 clients, GASD_SYSTEM.
 */
enum gasd_result gasd_client_new(const struct gasd_client_options *options, struct gasd_client **client);

/**
 * Frees a client and everything that was made of it: its connections are closed. Its subscriptions, live handles
 * and feeds are void (GASD_HANDLE), but each is still to be freed. Requests under way are given up without a callback; what they asked for may
 * be done. NULL does nothing.
 *
 * Any thread. In a callback of the client itself it is the last that is made; from another thread it waits
 * until a callback that is under way has returned.
 */
void gasd_client_free(struct gasd_client *client);

/**
 * The client's descriptor: wait until it is readable, with poll, epoll, libuv, GLib or uloop, then call
 * gasd_client_dispatch(). It stays the same as long as the client lives, and is the client's: never
 * read it, never close it. It has a timer, so no timeout is needed. -1 on error.
 *
 * Any thread.
 */
int gasd_client_fd(const struct gasd_client *client);

/**
 * Does what is to be done, without waiting, and makes the callbacks that are due. Call it once after
 * gasd_client_new(), and whenever the descriptor is readable; more often is no harm.
 *
 * Any thread, one at a time. A callback may call everything but this and gasd_client_wait().
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_BUSY. That gasd is away is none: see the state.
 */
enum gasd_result gasd_client_dispatch(struct gasd_client *client);

/**
 * Waits until there is something to do, at most timeout_ms (negative: for ever), and dispatches. For a
 * program without an event loop. Interrupted by a signal it dispatches and returns.
 *
 * Any thread, one at a time.
 *
 * Errors: those of gasd_client_dispatch(); GASD_TIMED_OUT when nothing happened; GASD_SYSTEM.
 */
enum gasd_result gasd_client_wait(struct gasd_client *client, int timeout_ms);

/**
 * How it stands with gasd: a gasd_state.
 *
 * Any thread.
 *
 * Errors: GASD_NULL, GASD_HANDLE.
 */
enum gasd_result gasd_client_state(const struct gasd_client *client, uint32_t *state);

/**
 * How it stands with gasd, in words. They go into a buffer of size bytes, with a zero behind them; what is
 * needed goes to needed, which may be NULL.
 *
 * Any thread.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_BUFFER.
 */
enum gasd_result gasd_client_state_text(const struct gasd_client *client,
                                        char *buffer,
                                        size_t size,
                                        size_t *needed);

/**
 * The version of the gasd that runs, like "0.1.0". It goes into a buffer of size bytes, with a zero behind it;
 * what is needed goes to needed, which may be NULL.
 *
 * Any thread.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_BUFFER, GASD_NOT_CONNECTED before gasd has said it.
 */
enum gasd_result gasd_client_service_version(const struct gasd_client *client,
                                             char *buffer,
                                             size_t size,
                                             size_t *needed);

/**
 * Makes an engine for one meter.
 *
 * Any thread. Free it with gasd_engine_free().
 *
 * Errors: GASD_NULL, GASD_STRUCT_SIZE, GASD_INVALID for a volume outside of 1 µL to 100 m³, a flow above 10 000
 * m³/h, a profile that is none, or text that is no UTF-8; GASD_LIMIT with 4095 engines.
 */
enum gasd_result gasd_engine_new(const struct gasd_engine_options *options,
                                 struct gasd_engine **engine);

/**
 * Frees an engine. NULL does nothing.
 *
 * Any thread.
 */
void gasd_engine_free(struct gasd_engine *engine);

/**
 * Hands in edges, in their order. GASD_LEVEL_PULSE is taken as it is; others go through the edge filter that gasd's
 * kernel programs run, and become a pulse once the contact was closed for long enough. Then ask
 * gasd_engine_next() for verdicts. Either all edges are taken or none.
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID for a level that is none or for more than 1048576 edges,
 * GASD_ORDER for a time that is not above the one before.
 */
enum gasd_result gasd_engine_push(struct gasd_engine *engine,
                                  const struct gasd_edge *edges,
                                  size_t count);

/**
 * Tells an engine what time it is on the edges' clock; once a second is enough. What ends or begins without a pulse is
 * decided by this.
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_ORDER for a time before the last edge's.
 */
enum gasd_result gasd_engine_tick(struct gasd_engine *engine,
                                  uint64_t now_ns);

/**
 * Tells an engine the offset of local civil time from the edges' clock, ns. What needs hours and days is not learned
 * before. May be told again at any time.
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE.
 */
enum gasd_result gasd_engine_set_civil_offset(struct gasd_engine *engine,
                                              int64_t offset_ns);

/**
 * Tells an engine that the valve was opened (1) or closed (0).
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE.
 */
enum gasd_result gasd_engine_set_valve(struct gasd_engine *engine, int32_t open, uint64_t now_ns);

/**
 * The next verdict; GASD_NONE when there is none. At most 64 wait; then the oldest that is no critical one goes.
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_STRUCT_SIZE; then the verdict waits on.
 */
enum gasd_result gasd_engine_next(struct gasd_engine *engine,
                                  struct gasd_engine_verdict *verdict);

/**
 * Writes what an engine has learned, at most 8 KiB, into a buffer of size bytes; what is needed goes to needed,
 * which may be NULL. Keep it on a disk once an hour.
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_BUFFER.
 */
enum gasd_result gasd_engine_save(const struct gasd_engine *engine,
                                  uint8_t *buffer,
                                  size_t size,
                                  size_t *needed);

/**
 * Goes on with what an engine had learned. moved_ns: how far the edges' clock has moved since then, ns, as after a
 * reboot with CLOCK_BOOTTIME: the clock's offset from real time then, less its offset now; 0 if it is the same.
 * On failure the engine stays as it is.
 *
 * Any thread, one at a time for each engine.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID for bytes that are damaged, or of a meter with another pulse volume.
 */
enum gasd_result gasd_engine_restore(struct gasd_engine *engine,
                                     const uint8_t *bytes,
                                     size_t size,
                                     int64_t moved_ns);

/**
 * Makes a feed for a meter that is configured with source = "stack": of edges, or, with readings other than 0, of
 * readings for one that has readings. gasd takes entries of members of the group gasd-control. Until gasd
 * is there entries are kept, 16384 of them. changed is told when it stands otherwise with the feed; it may be NULL.
 *
 * A meter has one feed: the newest takes it over.
 *
 * Any thread. Free it with gasd_feed_free().
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID, GASD_LIMIT. That gasd refuses it (no right, no such meter) is told
 * by changed and gasd_feed_read().
 */
enum gasd_result gasd_feed_new(struct gasd_client *client,
                               const char *meter,
                               int32_t readings,
                               gasd_feed_fn changed,
                               void *data,
                               struct gasd_feed **feed);

/**
 * Hands over edges of the meter's contact, in their order, many at a time or one. They are gasd's once
 * gasd_feed_read() counts them as taken; until then they are kept here, and handed over again if gasd restarts. Each is
 * counted once. How many were taken in goes to taken, which may be NULL.
 *
 * Any thread, also one that never dispatches: as little as a copy and one system call. For interrupts at more than
 * some hundred a second hand over batches.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID for a level that is none, for more than 1048576 edges or for a
 * feed of readings (nothing is taken in), and for a time that has not come yet (those before it are taken in): is it
 * CLOCK_BOOTTIME? GASD_ORDER for a time that is not above the one before, GASD_FULL with 16384 entries waiting (those before
 * it are taken in).
 */
enum gasd_result gasd_pulse(struct gasd_feed *feed,
                            const struct gasd_edge *edges,
                            size_t count,
                            size_t *taken);

/**
 * Hands over what the meter's register showed: volume_ul, at t_ns, CLOCK_BOOTTIME ns, which is the register's own
 * time and not the telegram's. It counts as taken once gasd has it on the disk, some seconds later. Otherwise as
 * gasd_pulse().
 *
 * Any thread.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID for a feed of edges or a time that has not come yet, GASD_ORDER,
 * GASD_FULL.
 */
enum gasd_result gasd_reading(struct gasd_feed *feed,
                              uint64_t t_ns,
                              uint64_t volume_ul);

/**
 * How it stands with a feed.
 *
 * Any thread.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_STRUCT_SIZE.
 */
enum gasd_result gasd_feed_read(const struct gasd_feed *feed, struct gasd_feed_status *status);

/**
 * Frees a feed. What gasd has not taken yet is handed over as far as the socket has room, and lost otherwise; see
 * gasd_feed_read(). NULL does nothing.
 *
 * Any thread, also its callback. From another thread it waits until a callback that is under way has returned.
 */
void gasd_feed_free(struct gasd_feed *feed);

/**
 * Makes a handle for a meter's state. It is filled once the client is ready, and goes on over restarts.
 *
 * Any thread. Free it with gasd_live_free().
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID, GASD_LIMIT.
 */
enum gasd_result gasd_live_new(struct gasd_client *client, const char *meter, struct gasd_live **live);

/**
 * A meter's state now. Reads memory that the kernel writes, or where the kernel's programs do not run, gasd's
 * last reading; source says which. Never waits, and never sees half of a change.
 *
 * Any thread, many at a time.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_STRUCT_SIZE, GASD_NOT_CONNECTED before gasd was there,
 * GASD_NOT_FOUND for a meter that it does not have.
 */
enum gasd_result gasd_live_read(const struct gasd_live *live, struct gasd_meter_state *state);

/**
 * Frees a live handle. NULL does nothing.
 *
 * Any thread.
 */
void gasd_live_free(struct gasd_live *live);

/**
 * Subscribes to what handlers names, restricted by filter (NULL: everything). data is handed to each
 * callback. Goes on over restarts of gasd and of the bus, which handlers.state tells; what was missed is
 * told by handlers.gap, and verdicts are never missed. Callbacks begin with the next dispatch.
 *
 * Any thread. Free it with gasd_subscription_free().
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_STRUCT_SIZE, GASD_INVALID without a handler or for a severity or
 * meter's id that is none, GASD_LIMIT with 64 of this client. That gasd refuses it (no right, no such meter) is told by
 * handlers.refused.
 */
enum gasd_result gasd_client_subscribe(struct gasd_client *client,
                                       const struct gasd_handlers *handlers,
                                       const struct gasd_filter *filter,
                                       void *data,
                                       struct gasd_subscription **subscription);

/**
 * Ends a subscription; no callback of it begins after this. NULL does nothing.
 *
 * Any thread, also a callback of it. From another thread it waits until a callback that is under way has
 * returned, so it must not be called by what that callback waits for.
 */
void gasd_subscription_free(struct gasd_subscription *subscription);

/**
 * Closes a valve and holds it closed until a person opens it. done is told when the actuator has done it, or
 * why not: GASD_DENIED with a sentence that says who is missing which right, GASD_ACTUATOR, GASD_LIMIT,
 * GASD_TIMED_OUT, GASD_CANCELLED. reason: in the program's words, at most 512 bytes, kept in gasd's
 * record.
 *
 * Any thread. done may be NULL; it is not called when this fails.
 *
 * Asking again does no harm: with the same reason it is one hold, and the valve is driven again. The program need
 * not be ready or allowed to read what gasd has; then it is done that is told GASD_NOT_FOUND.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID, GASD_NOT_CONNECTED where no gasd is there, GASD_NOT_FOUND
 * for a valve that gasd does not have, GASD_LIMIT with 256 requests under way.
 */
enum gasd_result gasd_valve_close(struct gasd_client *client,
                                  const char *valve,
                                  const char *reason,
                                  gasd_done_fn done,
                                  void *data);

/**
 * Opens a valve. gasd refuses while a critical verdict waits (GASD_UNACKNOWLEDGED) or an application holds it
 * (GASD_HELD); only a person's decision opens gas, so call it for one and for nothing else. reason: that
 * person's, at most 512 bytes, kept in gasd's record. Otherwise as gasd_valve_close().
 *
 * Any thread. done may be NULL; it is not called when this fails.
 *
 * Errors: those of gasd_valve_close().
 */
enum gasd_result gasd_valve_open(struct gasd_client *client,
                                 const char *valve,
                                 const char *reason,
                                 gasd_done_fn done,
                                 void *data);

/**
 * Closes a valve and holds it closed for the program: nobody can open it while the hold is there, and it stays
 * over the end of the program, of gasd and of the machine. done is told the hold's cookie for
 * gasd_valve_release(); the same program asking with the same reason again gets the same. The cookie says
 * that the hold is in place, not that the valve is closed: see its state.
 *
 * Any thread. done may be NULL; it is not called when this fails.
 *
 * Errors: those of gasd_valve_close(); done may also be told GASD_LIMIT with 8 holds of the user on this
 * valve.
 */
enum gasd_result gasd_valve_hold(struct gasd_client *client,
                                 const char *valve,
                                 const char *reason,
                                 gasd_done_fn done,
                                 void *data);

/**
 * Releases a hold by its cookie. Moves nothing: the valve stays closed until a person opens it. done is
 * told when that is on gasd's disk.
 *
 * Any thread. done may be NULL; it is not called when this fails.
 *
 * Errors: those of gasd_valve_close(); done may also be told GASD_NOT_FOUND for a cookie of no hold of
 * this valve.
 */
enum gasd_result gasd_valve_release(struct gasd_client *client,
                                    const char *valve,
                                    uint64_t cookie,
                                    gasd_done_fn done,
                                    void *data);

/**
 * What is known of a valve, without a call of the bus: what gasd said last.
 *
 * Any thread.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_STRUCT_SIZE, GASD_INVALID, GASD_NOT_CONNECTED,
 * GASD_NOT_FOUND.
 */
enum gasd_result gasd_valve_read(const struct gasd_client *client,
                                 const char *valve,
                                 struct gasd_valve_state *state);

/**
 * Acknowledges a verdict for a person: it waits no more, and the valve may be opened again. feedback: what
 * the person found, false-alarm or real-leak, which moves the meter's thresholds within bounds; NULL
 * if nothing was said. done as with gasd_valve_close(); it may be told GASD_NOT_FOUND for a verdict
 * that does not wait.
 *
 * Any thread. done may be NULL; it is not called when this fails.
 *
 * Errors: GASD_NULL, GASD_HANDLE, GASD_INVALID, GASD_NOT_CONNECTED, GASD_NOT_FOUND, GASD_LIMIT.
 */
enum gasd_result gasd_verdict_acknowledge(struct gasd_client *client,
                                          uint64_t id,
                                          const char *feedback,
                                          gasd_done_fn done,
                                          void *data);

/**
 * The library's version, as GASDETECT_VERSION_NUMBER is the header's. A program that wants a function of
 * a later minor compares both.
 *
 * Any thread, also in a signal handler.
 */
uint32_t gasd_version_number(void);

/**
 * The library's version as text, like "1.0.0"; lives for ever.
 *
 * Any thread, also in a signal handler.
 */
const char *gasd_version(void);

/**
 * The name of a result, like "GASD_DENIED"; "GASD_UNKNOWN" for a number that this version does not know.
 * Lives for ever.
 *
 * Any thread, also in a signal handler.
 */
const char *gasd_result_name(int32_t result);

/**
 * What a result means and what to do, in a few words. Lives for ever. The sentence of the very failure is
 * that of gasd_error_message().
 *
 * Any thread, also in a signal handler.
 */
const char *gasd_result_text(int32_t result);

/**
 * What was wrong with the last call of this thread that failed, as a sentence for a person; empty if none
 * failed. Valid until this thread's next call of the library.
 *
 * Any thread; each has its own.
 */
const char *gasd_error_message(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GASDETECT_H */
