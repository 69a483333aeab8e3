// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the demonstration needs, in a directory of its own: a bus, pins, a configuration, a store.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    exit::{self, Fatal},
    kernel::{load, private},
    player::HOUSEHOLD,
};

/// A bus for nobody but this user.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
  </policy>
</busconfig>
"#;

/// The valve of [`CONFIG`].
pub const VALVE: &str = "main";

/// One household: a 1 L/pulse meter on the trace's line, a simulated valve.
const CONFIG: &str = r#"[[meter]]
id = "kitchen"
line = 1
pulse_volume = "1 L"
max_flow = "6 m3/h"
valve = "main"

[[valve]]
id = "main"
actuator = "simulated"

[store]
path = "DIR/gasd.redb"

[kernel]
pins = "DIR/bpf"
"#;

/// Everything that is taken down again at the end.
pub struct Stage {
    dir: PathBuf,
    bus: Option<Child>,
    /// Why the filter runs in user space, if it does.
    pub userspace: Option<String>,
}

impl Stage {
    /// Makes the directory, the pins, the configuration and the bus.
    pub fn set() -> Result<Self, Fatal> {
        let dir = std::env::temp_dir().join(format!("gasd-demo-{}", std::process::id()));
        let failed = |what: &str, e: &dyn std::fmt::Display| Fatal::new(exit::FAILED, format!("{what}: {e}"));
        fs::create_dir(&dir).map_err(|e| failed(&dir.display().to_string(), &e))?;
        let mut stage = Stage { dir, bus: None, userspace: None };
        stage.userspace = pins(&stage.dir).err();
        let here = stage.dir.display().to_string();
        let write = |name: &str, text: String| fs::write(stage.dir.join(name), text);
        write("gasd.toml", CONFIG.replace("DIR", &here))
            .and_then(|()| write("bus.conf", BUS.replace("SOCKET", &format!("{here}/bus"))))
            .map_err(|e| failed("writing the configuration", &e))?;
        let bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={here}/bus.conf"))
            .args(["--nofork", "--nopidfile"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| failed("dbus-daemon (Debian package dbus-daemon)", &e))?;
        stage.bus = Some(bus);
        wait_for(&stage.dir.join("bus")).map_err(|e| failed("the private bus", &e))?;
        Ok(stage)
    }

    /// Where the bus listens.
    pub fn address(&self) -> String {
        format!("unix:path={}/bus", self.dir.display())
    }

    /// Starts the daemon: this same program, as an installed one would run.
    pub fn daemon(&self, speed: f64) -> Result<Child, Fatal> {
        let program = std::env::current_exe().map_err(|e| Fatal::new(exit::FAILED, e.to_string()))?;
        let mut command = Command::new(program);
        command
            .args(["run", "--until-end", "--play", HOUSEHOLD, "--bus", &self.address()])
            .args(["--speed", &speed.to_string()])
            .arg("--config")
            .arg(self.dir.join("gasd.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What the daemon logs is for the journal; the view shows what it means.
            .stderr(Stdio::from(
                fs::File::create(self.dir.join("log"))
                    .map_err(|e| Fatal::new(exit::FAILED, e.to_string()))?,
            ));
        if self.userspace.is_some() {
            command.arg("--userspace");
        }
        command.spawn().map_err(|e| Fatal::new(exit::FAILED, format!("starting the daemon: {e}")))
    }

    /// What the daemon logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(bus) = &mut self.bus {
            let _ = bus.kill();
            let _ = bus.wait();
        }
        if self.userspace.is_none() {
            let pins = self.dir.join("bpf");
            let _ = load::unload(&pins);
            private::unmount(&pins);
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A BPF file system of our own with everything loaded; an error is the reason why not.
fn pins(dir: &Path) -> Result<(), String> {
    let at = private::mount_bpffs(dir).map_err(|e| match e.kind() {
        io::ErrorKind::PermissionDenied => "mounting a BPF file system needs root".to_owned(),
        _ => format!("mounting a BPF file system: {e}"),
    })?;
    load::load(&at, false).map(drop).map_err(|e| {
        private::unmount(&at);
        e.to_string()
    })
}

fn wait_for(path: &Path) -> io::Result<()> {
    let started = Instant::now();
    while !path.exists() {
        if started.elapsed() > Duration::from_secs(5) {
            return Err(io::Error::other("did not come up within 5 s"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
