// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `gasd run` weighs and how soon it is READY, with store and private bus, idle and at 1 kHz of
//! pulses. Uses the release binary of this build, or the one that `GASD_BIN` names. Needs root.

mod house;

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use gasd::kernel::{Kernel, load, sys::boottime_ns};
use gasd_abi::records::meter_key;

use house::{Any, with_pins};

const STARTS: usize = 11;
const SECONDS_AT_1_KHZ: u64 = 10;

/// 1 mL a pulse: 1 kHz is 3.6 m³/h.
const CONFIG: &str = r#"[[meter]]
id = "fast"
line = 1
pulse_volume = "1 ml"
max_flow = "6 m3/h"
filter = { min_interval = "500 us", min_width = "200 us", min_idle = "200 us", storm_limit = 100000 }
valve = "main"
[[valve]]
id = "main"
actuator = "simulated"
"#;

const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=SOCKET</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>"#;

fn main() -> Result<(), Any> {
    with_pins(measure)
}

fn measure(root: &Path) -> Result<(), Any> {
    load::load(root, false)?;
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("c.toml"), CONFIG)?;
    let socket = dir.path().join("bus");
    fs::write(dir.path().join("bus.conf"), BUS.replace("SOCKET", &socket.display().to_string()))?;
    let mut bus = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", dir.path().join("bus.conf").display()))
        .args(["--nofork", "--nopidfile"])
        .stderr(Stdio::null())
        .spawn()?;
    while !socket.exists() {
        thread::sleep(Duration::from_millis(5));
    }
    let result = figures(root, dir.path(), &socket);
    bus.kill()?;
    bus.wait()?;
    result
}

fn figures(root: &Path, dir: &Path, bus: &Path) -> Result<(), Any> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (child, took) = start(root, dir, bus)?;
        starts.push(took);
        stop(child)?;
    }
    starts.sort();
    let (child, _) = start(root, dir, bus)?;
    thread::sleep(Duration::from_secs(3));
    let idle = memory(child.id())?;
    let kernel = Kernel::open(root)?;
    let line = (0..64)
        .find(|&l| kernel.line_config(l).is_ok_and(|c| c.key == meter_key("fast")))
        .ok_or("the meter has no line")?;
    let before = kernel.state(line).accepted;
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < Duration::from_secs(SECONDS_AT_1_KHZ) {
        // 500 µs closed, 500 µs open.
        kernel.edge(line, boottime_ns())?;
        n += 1;
        let next = Duration::from_micros(500 * n);
        thread::sleep(next.saturating_sub(began.elapsed()));
    }
    let busy = memory(child.id())?;
    let accepted = kernel.state(line).accepted - before;
    let cpu = cpu_seconds(child.id())?;
    stop(child)?;
    let ms = |d: &Duration| d.as_secs_f64() * 1e3;
    println!("gasd run with store and private bus ({}):", binary()?.display());
    println!(
        "  start to READY: median {:.1} ms, slowest of {STARTS} {:.1} ms",
        ms(&starts[STARTS / 2]),
        starts.last().map_or(f64::NAN, ms)
    );
    println!("  resident idle: {:.1} MB, of it its own (anonymous) {:.1} MB", idle.0, idle.1);
    println!(
        "  resident at {} pulses a second: {:.1} MB, its own {:.1} MB; {cpu:.2} s of CPU so far",
        accepted / SECONDS_AT_1_KHZ,
        busy.0,
        busy.1
    );
    Ok(())
}

fn binary() -> Result<PathBuf, Any> {
    if let Some(path) = std::env::var_os("GASD_BIN") {
        return Ok(path.into());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/gasd");
    path.exists().then_some(path).ok_or_else(|| "no target/release/gasd; `make build` first".into())
}

fn start(root: &Path, dir: &Path, bus: &Path) -> Result<(Child, Duration), Any> {
    let notify = dir.join("notify");
    let _ = fs::remove_file(&notify);
    let listener = UnixDatagram::bind(&notify)?;
    listener.set_read_timeout(Some(Duration::from_secs(10)))?;
    let began = Instant::now();
    let child = Command::new(binary()?)
        .args(["run", "--simulated", "--config"])
        .arg(dir.join("c.toml"))
        .arg("--pins")
        .arg(root)
        .arg("--store")
        .arg(dir.join("gasd.redb"))
        .arg("--bus")
        .arg(format!("unix:path={}", bus.display()))
        .env("NOTIFY_SOCKET", &notify)
        .stderr(Stdio::null())
        .spawn()?;
    let mut text = [0u8; 512];
    loop {
        let n = listener.recv(&mut text)?;
        if text[..n].starts_with(b"READY=1") {
            return Ok((child, began.elapsed()));
        }
    }
}

fn stop(mut child: Child) -> Result<(), Any> {
    // SAFETY: a child of ours that was not waited for yet.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    child.wait()?;
    Ok(())
}

/// Resident and anonymous memory, MB.
fn memory(pid: u32) -> Result<(f64, f64), Any> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kb = |key: &str| {
        let line = status.lines().find(|l| l.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    Ok((kb("VmRSS:").ok_or("VmRSS")? / 1e3, kb("RssAnon:").ok_or("RssAnon")? / 1e3))
}

fn cpu_seconds(pid: u32) -> Result<f64, Any> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / 100.0)
}
