// SPDX-License-Identifier: MIT OR Apache-2.0
//! The detection engine inside of the program, for a stack that wants verdicts without the daemon. No
//! connection, no clock, no file: time comes with the edges.

use std::ffi::{CString, c_char};
use std::sync::{Arc, Mutex, PoisonError};

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, EngineConfig, Input, Profile};

use crate::abi::guard;
use crate::abi::handle::{self, object};
use crate::abi::result::{Failure, gasd_result};
use crate::abi::sized::{self, sized};
use crate::abi::text;
use crate::engine::{Engine, Told};

use super::feed::gasd_edge;
use super::{put, put_bytes};

/// One meter's engine.
#[derive(Debug)]
pub struct gasd_engine {
    inner: Mutex<Inner>,
}
object!(gasd_engine, 5, "engine");

#[derive(Debug)]
struct Inner {
    engine: Engine,
    /// What the last verdict points to.
    text: CString,
    rule: CString,
}

/// What an engine is for. All zero but the size and the pulse's volume is a G4 meter with Europe's rules.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_engine_options {
    /// `sizeof(struct gasd_engine_options)`.
    pub struct_size: usize,
    /// Volume of one pulse, µL: 10 000 000 is 10 L. Must be given.
    pub pulse_volume_ul: u64,
    /// Largest flow that the meter is made for, µL/h; 0: 6 m³/h.
    pub max_flow_ul_per_h: u64,
    /// `eu-g4`, `jp-micom`, `cn-safety` or `published`; NULL: `eu-g4`.
    pub profile: *const c_char,
    /// How messages call the meter; NULL: "meter".
    pub meter: *const c_char,
    /// Least interval between two pulses, ns; 0: 20 ms. For edges that are no `GASD_LEVEL_PULSE`.
    pub min_interval_ns: u64,
    /// Least time the contact must be closed for a pulse, ns; 0: 10 ms.
    pub min_width_ns: u64,
    /// Least time the contact must be open between two pulses, ns; 0: 10 ms.
    pub min_idle_ns: u64,
}
sized!(gasd_engine_options, size_of::<gasd_engine_options>());

/// A verdict of an engine. What it points to lives until the next `gasd_engine_next()` or
/// `gasd_engine_free()` of this engine.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_engine_verdict {
    /// `sizeof(struct gasd_engine_verdict)`.
    pub struct_size: usize,
    /// A `gasd_kind`.
    pub kind: u32,
    /// A `gasd_severity`.
    pub severity: u32,
    /// When it began, ns, by the edges' own time.
    pub start_ns: u64,
    /// When it was decided, ns.
    pub decided_ns: u64,
    /// What was found, as a person would say it.
    pub text: *const c_char,
    /// The rule that decided, see docs/verdicts.md.
    pub rule: *const c_char,
    /// Flow before it began, m³/h.
    pub before_m3_per_h: f64,
    /// Flow after it began, m³/h.
    pub after_m3_per_h: f64,
    /// What has passed since then beyond what passed before, µL.
    pub released_ul: u64,
    /// The number that decided, and what it had to reach, in `unit`.
    pub value: f64,
    /// See `value`.
    pub threshold: f64,
    /// "s", "uL", "m3/h", or empty if the rule compares nothing. Lives for ever.
    pub unit: *const c_char,
}
sized!(gasd_engine_verdict, size_of::<gasd_engine_verdict>());

/// Makes an engine for one meter.
///
/// Any thread. Free it with `gasd_engine_free()`.
///
/// Errors: `GASD_NULL`, `GASD_STRUCT_SIZE`, `GASD_INVALID` for a volume outside of 1 µL to 100 m³, a flow above 10 000
/// m³/h, a profile that is none, or text that is no UTF-8; `GASD_LIMIT` with 4095 engines.
///
/// # Safety
/// Pointers are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_new(
    options: *const gasd_engine_options,
    engine: *mut *mut gasd_engine,
) -> gasd_result {
    guard::call(|| {
        super::check_out(engine, "engine")?;
        // SAFETY: the caller's promise, here and below.
        let made = unsafe { make(options) }?;
        let inner = Inner { engine: made, text: CString::default(), rule: CString::default() };
        let handle = handle::insert(Arc::new(gasd_engine { inner: Mutex::new(inner) }))?;
        // SAFETY: see above.
        unsafe { put(engine, "engine", handle) }
    })
}

/// # Safety
/// Pointers are NULL or valid.
unsafe fn make(options: *const gasd_engine_options) -> Result<Engine, Failure> {
    let wrong = |message: String| Failure::new(gasd_result::GASD_INVALID, message);
    // SAFETY: the caller's promise, here and below.
    let options = unsafe { sized::read(options) }?;
    if !(1..=100_000_000_000).contains(&options.pulse_volume_ul) {
        return Err(wrong(format!(
            "pulse_volume_ul is {}, expected 1 to 100000000000 (100 m3)",
            options.pulse_volume_ul
        )));
    }
    let max_flow_ul_per_h =
        if options.max_flow_ul_per_h == 0 { 6_000_000_000 } else { options.max_flow_ul_per_h };
    if max_flow_ul_per_h > 10_000_000_000_000 {
        return Err(wrong(format!(
            "max_flow_ul_per_h is {max_flow_ul_per_h}, expected at most 10000000000000 (10000 m3/h)"
        )));
    }
    // SAFETY: see above.
    let name = unsafe { text::optional(options.profile, "profile") }?.unwrap_or(Profile::EuG4.name());
    let profile = Profile::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| {
        wrong(format!(
            "no profile is called \"{name}\"; there are {}",
            Profile::ALL.map(Profile::name).join(", ")
        ))
    })?;
    // SAFETY: see above.
    let meter = unsafe { text::optional(options.meter, "meter") }?.unwrap_or("meter");
    let config = EngineConfig {
        pulse_volume_ul: options.pulse_volume_ul,
        max_flow_ul_per_h,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: profile.rules(),
    };
    let mut engine = Engine::new(config, meter.to_owned());
    engine.set_filter(options.min_interval_ns, options.min_width_ns, options.min_idle_ns);
    Ok(engine)
}

/// Frees an engine. NULL does nothing.
///
/// Any thread.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_free(engine: *mut gasd_engine) {
    let _ = guard::call(|| handle::remove(engine).map(drop));
}

fn with<T>(
    engine: *const gasd_engine,
    work: impl FnOnce(&mut Inner) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let engine = handle::get(engine)?;
    let mut inner = engine.inner.lock().unwrap_or_else(PoisonError::into_inner);
    work(&mut inner)
}

/// Hands in edges, in their order. `GASD_LEVEL_PULSE` is taken as it is; others go through the edge filter that gasd's
/// kernel programs run, and become a pulse once the contact was closed for long enough. Then ask
/// `gasd_engine_next()` for verdicts. Either all edges are taken or none.
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID` for a level that is none or for more than 1048576 edges,
/// `GASD_ORDER` for a time that is not above the one before.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`, and `edges` has `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_push(
    engine: *mut gasd_engine,
    edges: *const gasd_edge,
    count: usize,
) -> gasd_result {
    guard::call(|| {
        // Before the edges are read: a handle that is none is likely to come with a pointer that is none.
        handle::get(engine.cast_const())?;
        // SAFETY: the caller's promise.
        let edges = unsafe { super::feed::edges(edges, count) }?;
        with(engine.cast_const(), |inner| inner.engine.push(&edges))
    })
}

/// Tells an engine what time it is on the edges' clock; once a second is enough. What ends or begins without a pulse is
/// decided by this.
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_ORDER` for a time before the last edge's.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_tick(engine: *mut gasd_engine, now_ns: u64) -> gasd_result {
    guard::call(|| with(engine.cast_const(), |inner| inner.engine.tick(now_ns)))
}

/// Tells an engine the offset of local civil time from the edges' clock, ns. What needs hours and days is not learned
/// before. May be told again at any time.
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_set_civil_offset(
    engine: *mut gasd_engine,
    offset_ns: i64,
) -> gasd_result {
    guard::call(|| {
        with(engine.cast_const(), |inner| {
            inner.engine.set_civil_offset(offset_ns);
            Ok(())
        })
    })
}

/// Tells an engine that the valve was opened (1) or closed (0).
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_set_valve(
    engine: *mut gasd_engine,
    open: i32,
    now_ns: u64,
) -> gasd_result {
    guard::call(|| {
        with(engine.cast_const(), |inner| {
            inner.engine.input(Input::Valve(open != 0), now_ns);
            Ok(())
        })
    })
}

/// The next verdict; `GASD_NONE` when there is none. At most 64 wait; then the oldest that is no critical one goes.
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_STRUCT_SIZE`; then the verdict waits on.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`; `verdict` may be written for its `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_next(
    engine: *mut gasd_engine,
    verdict: *mut gasd_engine_verdict,
) -> gasd_result {
    guard::call(|| {
        with(engine.cast_const(), |inner| {
            let Some(told) = inner.engine.peek() else {
                return Err(Failure::new(gasd_result::GASD_NONE, "no verdict waits"));
            };
            let Told { kind, severity, verdict: found, text, rule } = told;
            let value = gasd_engine_verdict {
                struct_size: 0,
                kind: *kind,
                severity: *severity,
                start_ns: found.t_ns,
                decided_ns: found.decided_ns,
                // Their memory does not move with the strings.
                text: text.as_ptr(),
                rule: rule.as_ptr(),
                before_m3_per_h: f64::from(found.evidence.before.mid),
                after_m3_per_h: f64::from(found.evidence.after.mid),
                released_ul: found.evidence.released_ul,
                value: f64::from(found.evidence.process.value),
                threshold: f64::from(found.evidence.process.threshold),
                unit: unit(found.evidence.process.unit),
            };
            // SAFETY: the caller's promise.
            unsafe { sized::write(verdict, &value) }?;
            if let Some(told) = inner.engine.take() {
                (inner.text, inner.rule) = (told.text, told.rule);
            }
            Ok(())
        })
    })
}

fn unit(unit: &str) -> *const c_char {
    match unit {
        "s" => c"s",
        "uL" => c"uL",
        "m3/h" => c"m3/h",
        _ => c"",
    }
    .as_ptr()
}

/// Writes what an engine has learned, at most 8 KiB, into a buffer of `size` bytes; what is needed goes to `needed`,
/// which may be NULL. Keep it on a disk once an hour.
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_BUFFER`.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`; `buffer` may be written for `size` bytes or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_save(
    engine: *const gasd_engine,
    buffer: *mut u8,
    size: usize,
    needed: *mut usize,
) -> gasd_result {
    guard::call(|| {
        let bytes = with(engine, |inner| Ok(inner.engine.save()))?;
        // SAFETY: the caller's promise.
        unsafe { put_bytes(&bytes, false, buffer, size, needed) }
    })
}

/// Goes on with what an engine had learned. `moved_ns`: how far the edges' clock has moved since then, ns, as after a
/// reboot with `CLOCK_BOOTTIME`: the clock's offset from real time then, less its offset now; 0 if it is the same.
/// On failure the engine stays as it is.
///
/// Any thread, one at a time for each engine.
///
/// Errors: `GASD_NULL`, `GASD_HANDLE`, `GASD_INVALID` for bytes that are damaged, or of a meter with another pulse volume.
///
/// # Safety
/// `engine` is of `gasd_engine_new()`, and `bytes` has `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gasd_engine_restore(
    engine: *mut gasd_engine,
    bytes: *const u8,
    size: usize,
    moved_ns: i64,
) -> gasd_result {
    guard::call(|| {
        handle::get(engine.cast_const())?;
        if bytes.is_null() {
            return Err(Failure::new(gasd_result::GASD_NULL, "bytes is NULL"));
        }
        if size > 1 << 20 {
            return Err(Failure::new(gasd_result::GASD_INVALID, format!("{size} bytes are no engine's")));
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { std::slice::from_raw_parts(bytes, size) };
        with(engine.cast_const(), |inner| inner.engine.restore(bytes, moved_ns))
    })
}
