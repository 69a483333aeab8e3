// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd load`: verify, pin by generation, switch over, be gone. Needs CAP_BPF and CAP_PERFMON.

use std::{
    fs::{self, File},
    io,
    os::fd::AsFd,
    path::Path,
};

use aya::{
    Btf, Ebpf, EbpfLoader,
    programs::{BtfTracePoint, ProgramInfo, RawTracePoint, links::FdLink},
};
use gasd_abi::{
    FilterState,
    filter::WAITING,
    layout::{FINGERPRINT, MAGIC, OFFSETS, VERSION},
    live::LivePage,
    records::{MAX_LINES, Meta},
};

use super::{
    bytes::as_bytes,
    error::KernelError,
    handover::Generation,
    pins::{DISPATCH_MAPS, GENERATION_MAPS, Pins},
    refusal::{refused, rejected},
    slots, sys,
};

static DISPATCH: &[u8] = aya::include_bytes_aligned!(env!("GASD_EBPF_DISPATCH"));
static PULSE: &[u8] = aya::include_bytes_aligned!(env!("GASD_EBPF_PULSE"));

/// Where the kernel's own types are.
pub(super) const VMLINUX_BTF: &str = "/sys/kernel/btf/vmlinux";

/// Where a dispatcher and a generation are built, aside from those that work.
const NEW_DISPATCH: &str = "new-dispatch";
const NEW_GENERATION: &str = "new-generation";

/// What `load` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadReport {
    /// The layout version that counts now.
    pub version: u32,
    /// The dispatcher was attached by this call.
    pub attached: bool,
    /// The generation's maps were made by this call.
    pub created: bool,
    /// The program in the slot was replaced by this call.
    pub swapped: bool,
    /// Lines taken over from another generation.
    pub adopted: u32,
}

/// Loads, verifies and pins; does nothing where everything is in place already.
///
/// With `force` the programs are replaced even if they are the same. Nothing is half done: a new
/// generation is built aside and renamed, and the switch is one slot write.
pub fn load(root: &Path, force: bool) -> Result<LoadReport, KernelError> {
    let pins = Pins::at(root)?;
    if !Path::new(VMLINUX_BTF).exists() {
        return Err(KernelError::NoBtf);
    }
    let _lock = lock(&pins)?;
    let btf = Btf::from_sys_fs().map_err(|e| refused("the kernel's type information", &e))?;
    let attached = ensure_dispatcher(&pins, &btf)?;
    let done = place(&pins, &btf, force, attached);
    if done.is_err() && attached {
        // A dispatcher with nothing behind it is of no use to anybody.
        detach(&pins.dispatch())?;
    }
    done
}

/// Brings this build's generation into the slots.
fn place(pins: &Pins, btf: &Btf, force: bool, attached: bool) -> Result<LoadReport, KernelError> {
    let previous = slots::active(pins)?.map(|dir| Generation::open(&dir)).transpose()?;
    let dir = pins.generation(VERSION);
    if let Some(counts) = previous.as_ref().filter(|p| dir.exists() && p.dir != dir) {
        if Generation::open(&dir)?.meta.created_ns > counts.meta.created_ns {
            // Made after what counts now, so it never counted: a load was killed before its switch.
            remove(&dir)?;
        } else {
            // Counts of a generation that was left and came back stay readable under another name.
            retire(pins, &dir)?;
        }
    }
    let created = !dir.exists();
    let mut report = LoadReport { version: VERSION, attached, created, swapped: false, adopted: 0 };
    if created {
        create(pins, btf, previous.as_ref())?;
        report.swapped = true;
        if let Some(old) = previous {
            report.adopted = super::handover::adopt_all(pins, &old)?;
        }
    } else {
        pins.check_generation()?;
        report.swapped = replace(pins, btf, force)?;
        // A load that was killed after its slot write left lines waiting.
        report.adopted = super::handover::finish(pins)?;
    }
    Ok(report)
}

/// Detaches and removes everything, counts included. Refused while a daemon works on it.
pub fn unload(root: &Path) -> Result<(), KernelError> {
    let pins = Pins::at(root)?;
    let _lock = lock(&pins)?;
    // Held to the end: a daemon that starts meanwhile would count on pins that go.
    let _generations =
        pins.generations()?.iter().map(|dir| unused(&pins, dir)).collect::<Result<Vec<_>, _>>()?;
    detach(&pins.dispatch())?;
    // What a load that was killed left behind.
    detach(&pins.root().join(NEW_DISPATCH))?;
    remove(&pins.root().join(NEW_GENERATION))?;
    for dir in pins.generations()? {
        remove(&dir)?;
    }
    Ok(())
}

/// Removes a dispatcher and its link. Open, unlink, close last: a link that is only unlinked goes on
/// running for a while.
fn detach(dir: &Path) -> Result<(), KernelError> {
    let held = sys::obj_get(&dir.join("link")).ok();
    remove(dir)?;
    drop(held);
    Ok(())
}

/// The lock of a generation that no daemon works on; `None` if it is not even whole.
fn unused(pins: &Pins, dir: &Path) -> Result<Option<File>, KernelError> {
    let maps = dir.join("maps");
    match sys::lock_directory(&maps) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(KernelError::InUse(pins.root().to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(KernelError::open(&maps, e)),
    }
}

/// Removes one generation's pins.
pub fn remove(dir: &Path) -> Result<(), KernelError> {
    match fs::remove_dir_all(dir) {
        Ok(()) => Ok(()),
        Err(e) => match e.kind() {
            io::ErrorKind::NotFound => Ok(()),
            io::ErrorKind::PermissionDenied => Err(KernelError::open(dir, e)),
            _ => Err(KernelError::io(format!("removing {}", dir.display()), e)),
        },
    }
}

fn lock(pins: &Pins) -> Result<File, KernelError> {
    sys::lock_directory(pins.root())
        .map_err(|e| KernelError::open(pins.root(), e))?
        .ok_or_else(|| KernelError::Busy(pins.root().to_owned()))
}

fn rename(from: &Path, to: &Path) -> Result<(), KernelError> {
    fs::rename(from, to)
        .map_err(|e| KernelError::io(format!("renaming {} to {}", from.display(), to.display()), e))
}

fn ensure_dispatcher(pins: &Pins, btf: &Btf) -> Result<bool, KernelError> {
    let dir = pins.dispatch();
    if dir.exists() {
        pins.check_dispatch()?;
        return Ok(false);
    }
    let new = pins.root().join(NEW_DISPATCH);
    detach(&new)?;
    let built = build_dispatcher(&new, btf).and_then(|()| rename(&new, &dir));
    if built.is_err() {
        detach(&new)?;
    }
    built.map(|()| true)
}

fn build_dispatcher(new: &Path, btf: &Btf) -> Result<(), KernelError> {
    fs::create_dir(new).map_err(|e| KernelError::open(new, e))?;
    let mut loader = EbpfLoader::new();
    loader.btf(Some(btf));
    for (name, pin, _) in &DISPATCH_MAPS {
        loader.map_pin_path(name, new.join(pin));
    }
    let mut object = loader.load(DISPATCH).map_err(|e| refused("the dispatcher's maps", &e))?;
    let program = tp_btf(&mut object, "gasd_dispatch")?;
    program.load("irq_handler_entry", btf).map_err(|e| rejected("gasd_dispatch", &e))?;
    pin(program.pin(new.join("dispatcher")))?;
    let id = program.attach().map_err(|e| rejected("gasd_dispatch", &e))?;
    let link = program.take_link(id).map_err(|e| rejected("gasd_dispatch", &e))?;
    let link: FdLink = link.into();
    pin(link.pin(new.join("link")).map(drop))?;
    let twin = raw_tp(&mut object, "gasd_twin_dispatch")?;
    twin.load().map_err(|e| rejected("gasd_twin_dispatch", &e))?;
    pin(twin.pin(new.join("twin")))
}

/// Builds this build's generation aside, then switches to it.
fn create(pins: &Pins, btf: &Btf, previous: Option<&Generation>) -> Result<(), KernelError> {
    let new = pins.root().join(NEW_GENERATION);
    remove(&new)?;
    let dir = pins.generation(VERSION);
    if let Err(error) = build_generation(pins, btf, &new, previous).and_then(|()| rename(&new, &dir)) {
        remove(&new)?;
        return Err(error);
    }
    slots::switch(pins, &dir.join("progs/pulse"), &dir.join("progs/twin"))
}

fn build_generation(
    pins: &Pins,
    btf: &Btf,
    new: &Path,
    previous: Option<&Generation>,
) -> Result<(), KernelError> {
    for dir in [new.to_owned(), new.join("maps"), new.join("progs")] {
        fs::create_dir(&dir).map_err(|e| KernelError::open(&dir, e))?;
    }
    let mut object = load_pulse(pins, btf, new)?;
    let meta = Meta {
        magic: MAGIC,
        fingerprint: FINGERPRINT,
        generation: random()?,
        created_ns: sys::boottime_ns(),
        version: VERSION,
        lines: MAX_LINES,
        offsets: OFFSETS,
    };
    let meta_fd = open(&new.join("maps/meta"))?;
    sys::update(meta_fd.as_fd(), &0u32.to_ne_bytes(), as_bytes(&meta))
        .and_then(|()| sys::freeze(meta_fd.as_fd()))
        .map_err(|e| KernelError::io("writing the generation's record", e))?;
    let live = open(&new.join("maps/live"))?;
    if let Some(old) = previous {
        // Lines that counted before wait for what they are to take over; see `handover`.
        let lines = open(&new.join("maps/lines"))?;
        for line in old.lines_in_use()? {
            let mut page = LivePage { current: 0, reserved: [0; 7], slots: [FilterState::default(); 4] };
            page.slots[0].adopting = WAITING;
            sys::update(live.as_fd(), &line.to_ne_bytes(), as_bytes(&page))
                .map_err(|e| KernelError::io("preparing a live page", e))?;
            if let Some(config) = old.line_config(line)? {
                sys::update(lines.as_fd(), &line.to_ne_bytes(), as_bytes(&config))
                    .map_err(|e| KernelError::io("carrying over a line's settings", e))?;
            }
        }
    }
    sys::freeze(live.as_fd()).map_err(|e| KernelError::io("freezing the live pages", e))?;
    load_programs(&mut object, btf)?;
    pin(pulse_of(&mut object)?.pin(new.join("progs/pulse")))?;
    pin(twin_of(&mut object)?.pin(new.join("progs/twin")))
}

/// Replaces the programs of the generation that is in place. Returns whether it did.
fn replace(pins: &Pins, btf: &Btf, force: bool) -> Result<bool, KernelError> {
    let dir = pins.generation(VERSION);
    let mut object = load_pulse(pins, btf, &dir)?;
    let (pulse_tag, twin_tag) = load_programs(&mut object, btf)?;
    let pinned = |name: &str| ProgramInfo::from_pin(dir.join("progs").join(name)).map(|i| i.tag()).ok();
    let same = pinned("pulse") == Some(pulse_tag) && pinned("twin") == Some(twin_tag);
    let progs = dir.join("progs");
    let fresh = ["pulse", "twin"].map(|name| progs.join(format!("new-{name}")));
    for path in &fresh {
        // Of a load that was killed. A program that counts keeps its slot without a pin.
        let _ = fs::remove_file(path);
    }
    if same && !force && slots::hold(pins, &dir)? {
        return Ok(false);
    }
    // Pinned under a new name, put into the slots, then renamed: what counts is always pinned.
    pin(pulse_of(&mut object)?.pin(&fresh[0]))?;
    pin(twin_of(&mut object)?.pin(&fresh[1]))?;
    slots::switch(pins, &fresh[0], &fresh[1])?;
    for (path, name) in fresh.iter().zip(["pulse", "twin"]) {
        rename(path, &progs.join(name))?;
    }
    Ok(true)
}

fn load_pulse(pins: &Pins, btf: &Btf, dir: &Path) -> Result<Ebpf, KernelError> {
    let mut loader = EbpfLoader::new();
    loader.btf(Some(btf));
    loader.map_pin_path("IRQ_LINES", pins.dispatch().join("irq_lines"));
    for (name, pin, _) in &GENERATION_MAPS {
        loader.map_pin_path(name, dir.join("maps").join(pin));
    }
    loader.load(PULSE).map_err(|e| refused("the generation's maps", &e))
}

/// Loads both programs and returns their tags.
fn load_programs(object: &mut Ebpf, btf: &Btf) -> Result<(u64, u64), KernelError> {
    let pulse = pulse_of(object)?;
    pulse.load("irq_handler_entry", btf).map_err(|e| rejected("gasd_pulse", &e))?;
    let pulse = pulse.info().map_err(|e| rejected("gasd_pulse", &e))?.tag();
    let twin = twin_of(object)?;
    twin.load().map_err(|e| rejected("gasd_twin", &e))?;
    let twin = twin.info().map_err(|e| rejected("gasd_twin", &e))?.tag();
    Ok((pulse, twin))
}

fn retire(pins: &Pins, dir: &Path) -> Result<(), KernelError> {
    let free = (0u32..).map(|k| pins.root().join(format!("old{k}"))).find(|p| !p.exists());
    match free {
        Some(to) => rename(dir, &to),
        None => Ok(()),
    }
}

fn pulse_of(object: &mut Ebpf) -> Result<&mut BtfTracePoint, KernelError> {
    tp_btf(object, "gasd_pulse")
}

fn twin_of(object: &mut Ebpf) -> Result<&mut RawTracePoint, KernelError> {
    raw_tp(object, "gasd_twin")
}

fn tp_btf<'a>(object: &'a mut Ebpf, name: &'static str) -> Result<&'a mut BtfTracePoint, KernelError> {
    object
        .program_mut(name)
        .and_then(|p| p.try_into().ok())
        .ok_or(KernelError::Rejected { program: name, why: "it is missing from the object".into() })
}

fn raw_tp<'a>(object: &'a mut Ebpf, name: &'static str) -> Result<&'a mut RawTracePoint, KernelError> {
    object
        .program_mut(name)
        .and_then(|p| p.try_into().ok())
        .ok_or(KernelError::Rejected { program: name, why: "it is missing from the object".into() })
}

fn pin(result: Result<(), aya::pin::PinError>) -> Result<(), KernelError> {
    result.map_err(|e| refused("pinning", &e))
}

fn open(path: &Path) -> Result<std::os::fd::OwnedFd, KernelError> {
    sys::obj_get(path).map_err(|e| KernelError::open(path, e))
}

/// A random name for a set of counters.
pub fn random() -> Result<[u64; 2], KernelError> {
    let mut bytes = [0u8; 16];
    // SAFETY: the buffer is live and of the length given.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if got != bytes.len() as isize {
        return Err(KernelError::io("getrandom", io::Error::last_os_error()));
    }
    let (a, b) = bytes.split_at(8);
    let word = |s: &[u8]| super::bytes::from_bytes(s).unwrap_or(0);
    Ok([word(a), word(b)])
}
