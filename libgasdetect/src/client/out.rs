// SPDX-License-Identifier: MIT OR Apache-2.0
//! Callbacks that wait to be made, and making them: outside of every lock, in the thread that dispatches.

use std::ffi::{CStr, CString, c_void};
use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::result::gasd_result;
use crate::exports::events::{
    gasd_done_fn, gasd_feed_event, gasd_feed_fn, gasd_gap_event, gasd_handlers, gasd_pulse_event,
    gasd_reading_event, gasd_state_event, gasd_valve_event, gasd_verdict_event,
};

use super::house::Words;

/// What the caller wants to have back with each callback.
#[derive(Clone, Copy, Debug)]
pub struct Data(pub *mut c_void);

// SAFETY: only handed back, in the thread that dispatches; the header says that this may be any thread.
unsafe impl Send for Data {}
// SAFETY: as above.
unsafe impl Sync for Data {}

/// Whom a subscription calls.
#[derive(Debug)]
pub struct Listener {
    /// The callbacks.
    pub handlers: gasd_handlers,
    /// Theirs.
    pub data: Data,
    /// The subscription was freed: nobody is called any more.
    pub ended: AtomicBool,
}

impl Listener {
    /// One that nobody is called by.
    pub fn nobody() -> Listener {
        let handlers = gasd_handlers {
            struct_size: size_of::<gasd_handlers>(),
            state: None,
            pulse: None,
            reading: None,
            verdict: None,
            explained: None,
            acknowledged: None,
            valve: None,
            gap: None,
            refused: None,
        };
        Listener { handlers, data: Data(std::ptr::null_mut()), ended: AtomicBool::new(false) }
    }
}

/// What a verdict's event says, words or not.
#[derive(Clone, Debug)]
pub struct Said {
    pub id: u64,
    pub meter: Arc<CString>,
    pub kind: u32,
    pub severity: u32,
    pub start_ns: u64,
    pub decided_ns: u64,
    pub flags: u64,
    pub words: Option<Arc<Words>>,
}

/// Which of the three callbacks about verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Made,
    Explained,
    Acknowledged,
}

/// An event for a subscription.
#[derive(Clone, Debug)]
pub enum Event {
    State { state: u32, text: Arc<CString> },
    Pulse { meter: Arc<CString>, t_ns: u64, words: [u64; 5] },
    Reading { meter: Arc<CString>, t_ns: u64, words: [u64; 5] },
    Verdict(About, Said),
    Valve { valve: Arc<CString>, t_ns: u64, position: u32, holds: u64, fault: u32 },
    Gap { reason: u32, lost: u64, since_ns: u64, until_ns: u64 },
    Refused { result: gasd_result, text: CString },
}

/// A callback that waits.
#[derive(Debug)]
pub enum Out {
    /// For a subscription.
    Event(Arc<Listener>, Event),
    /// The answer to a request.
    Done { done: gasd_done_fn, data: Data, result: gasd_result, text: CString, value: u64 },
    /// A feed stands otherwise.
    Feed {
        call: gasd_feed_fn,
        data: Data,
        ended: Arc<AtomicBool>,
        state: u32,
        result: gasd_result,
        text: CString,
        refused: u64,
    },
}

impl Out {
    /// Makes the callback.
    pub fn call(&self) {
        match self {
            Out::Event(listener, event) => {
                if !listener.ended.load(Ordering::Acquire) {
                    event.call(&listener.handlers, listener.data.0);
                }
            }
            Out::Done { done, data, result, text, value } => {
                if let Some(done) = done {
                    // SAFETY: the caller's function with the caller's pointer and live text.
                    unsafe { done(data.0, *result, text.as_ptr(), *value) };
                }
            }
            Out::Feed { call, data, ended, state, result, text, refused } => {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                let event = gasd_feed_event {
                    struct_size: size_of::<gasd_feed_event>(),
                    state: *state,
                    result: *result,
                    text: text.as_ptr(),
                    refused: *refused,
                };
                if let Some(call) = call {
                    // SAFETY: as above.
                    unsafe { call(data.0, &raw const event) };
                }
            }
        }
    }
}

impl Event {
    fn call(&self, to: &gasd_handlers, data: *mut c_void) {
        match self {
            Event::State { state, text } => {
                let event = gasd_state_event {
                    struct_size: size_of::<gasd_state_event>(),
                    state: *state,
                    reserved: 0,
                    text: text.as_ptr(),
                };
                // SAFETY: here and below: the caller's function with the caller's pointer and an event that
                // lives, as does what it points to, until the function returns.
                to.state.inspect(|call| unsafe { call(data, &raw const event) });
            }
            Event::Pulse { meter, t_ns, words } => {
                let [decided_ns, interval_ns, pulses, volume_ul, flags] = *words;
                let event = gasd_pulse_event {
                    struct_size: size_of::<gasd_pulse_event>(),
                    meter: meter.as_ptr(),
                    t_ns: *t_ns,
                    decided_ns,
                    interval_ns,
                    pulses,
                    volume_ul,
                    flags,
                };
                // SAFETY: see State.
                to.pulse.inspect(|call| unsafe { call(data, &raw const event) });
            }
            Event::Reading { meter, t_ns, words } => {
                let [volume_ul, pulses, flow_ul_per_h, last_pulse_ns, flags] = *words;
                let event = gasd_reading_event {
                    struct_size: size_of::<gasd_reading_event>(),
                    meter: meter.as_ptr(),
                    t_ns: *t_ns,
                    volume_ul,
                    pulses,
                    flow_ul_per_h,
                    last_pulse_ns,
                    flags,
                };
                // SAFETY: see State.
                to.reading.inspect(|call| unsafe { call(data, &raw const event) });
            }
            Event::Verdict(about, said) => said.call(*about, to, data),
            Event::Valve { valve, t_ns, position, holds, fault } => {
                let event = gasd_valve_event {
                    struct_size: size_of::<gasd_valve_event>(),
                    valve: valve.as_ptr(),
                    t_ns: *t_ns,
                    position: *position,
                    fault: *fault,
                    holds: *holds,
                };
                // SAFETY: see State.
                to.valve.inspect(|call| unsafe { call(data, &raw const event) });
            }
            Event::Gap { reason, lost, since_ns, until_ns } => {
                let event = gasd_gap_event {
                    struct_size: size_of::<gasd_gap_event>(),
                    reason: *reason,
                    reserved: 0,
                    lost: *lost,
                    since_ns: *since_ns,
                    until_ns: *until_ns,
                };
                // SAFETY: see State.
                to.gap.inspect(|call| unsafe { call(data, &raw const event) });
            }
            Event::Refused { result, text } => {
                // SAFETY: see State.
                to.refused.inspect(|call| unsafe { call(data, *result, text.as_ptr()) });
            }
        }
    }
}

impl Said {
    /// With its words.
    pub fn of(words: &Arc<Words>, flags: u64) -> Said {
        Said {
            id: words.id,
            meter: words.meter.clone(),
            kind: words.kind,
            severity: words.severity,
            start_ns: words.start_ns,
            decided_ns: words.decided_ns,
            flags,
            words: Some(words.clone()),
        }
    }

    fn call(&self, about: About, to: &gasd_handlers, data: *mut c_void) {
        let text = |of: fn(&Words) -> &CStr| {
            self.words.as_deref().map_or(std::ptr::null(), |words| of(words).as_ptr())
        };
        let event = gasd_verdict_event {
            struct_size: size_of::<gasd_verdict_event>(),
            id: self.id,
            meter: self.meter.as_ptr(),
            kind: self.kind,
            severity: self.severity,
            start_ns: self.start_ns,
            decided_ns: self.decided_ns,
            flags: self.flags,
            text: text(|words| &words.text),
            evidence: text(|words| &words.evidence),
        };
        let call = match about {
            About::Made => to.verdict,
            About::Explained => to.explained,
            About::Acknowledged => to.acknowledged,
        };
        // SAFETY: the caller's function with the caller's pointer and an event that lives until it returns.
        call.inspect(|call| unsafe { call(data, &raw const event) });
    }
}
