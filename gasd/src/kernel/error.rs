// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong on the kernel side, in words that tell what to do.

use std::{io, path::PathBuf};

use super::pins::MapShape;

/// Why the kernel path cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// The pin directory is not on a BPF file system.
    #[error(
        "{0} is no BPF file system; mount one there: `mkdir -p {0} && mount -t bpf -o mode=0750 bpf {0}` (the installed service has run-gasd-bpf.mount for it)"
    )]
    NoBpffs(PathBuf),
    /// The kernel has no type information of its own.
    #[error(
        "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing); the programs need a kernel built with CONFIG_DEBUG_INFO_BTF=y, as Debian's are"
    )]
    NoBtf,
    /// bpf(2) refused.
    #[error(
        "the kernel refuses {what} (permission denied); `gasd load` needs CAP_BPF and CAP_PERFMON: `systemctl start gasd-load` has them; as root the pins become root's and only root can run the daemon on them"
    )]
    NotPermitted {
        /// What was asked for.
        what: &'static str,
    },
    /// A pin cannot be opened for lack of file permission.
    #[error(
        "no permission to open {path}; the pins belong to the user that ran `gasd load`; run as that user (the service's is gasd), or give them away: `chown -R gasd:gasd` on the pin directory"
    )]
    PinPermission {
        /// The pin.
        path: PathBuf,
    },
    /// Nothing is loaded.
    #[error("nothing is loaded under {0}; run `gasd load` first")]
    NotLoaded(PathBuf),
    /// Only another version's pins are there.
    #[error(
        "the pins under {root} are of layout v{found}, this gasd needs v{needed}; run `gasd load` of this version, which takes the counts over"
    )]
    OtherLayout {
        /// The pin directory.
        root: PathBuf,
        /// The layout there.
        found: u32,
        /// Ours.
        needed: u32,
    },
    /// A pin is not what it should be.
    #[error(
        "{path} is a foreign or older pin: expected {expected}, found {found}; nothing was touched. If no other program uses it, remove the directory and run `gasd load` again"
    )]
    Foreign {
        /// The pin.
        path: PathBuf,
        /// What it should be.
        expected: MapShape,
        /// What it is.
        found: MapShape,
    },
    /// A pin that belongs there is missing.
    #[error(
        "{0} is missing: the pins are damaged, or this directory is not gasd's; nothing was touched. Stop gasd, then `gasd unload --discard-counts` and `gasd load` begin anew (totals stay in the store)"
    )]
    Damaged(PathBuf),
    /// The records inside do not fit.
    #[error(
        "{path} was made by another build: its record fingerprint is {found:#018x}, ours {expected:#018x}; nothing was touched. Stop gasd, then `gasd unload --discard-counts` and `gasd load` (totals stay in the store)"
    )]
    Fingerprint {
        /// The pin.
        path: PathBuf,
        /// Ours.
        expected: u64,
        /// Theirs.
        found: u64,
    },
    /// Another loader is at work.
    #[error("another `gasd load` is working on {0}; wait for it to end")]
    Busy(PathBuf),
    /// Another daemon is at work.
    #[error("another gasd works off the events under {0}; stop it first (`systemctl stop gasd`)")]
    InUse(PathBuf),
    /// The verifier said no.
    #[error("the kernel did not accept program {program}: {why}")]
    Rejected {
        /// Its name.
        program: &'static str,
        /// The verifier's words.
        why: String,
    },
    /// All lines are taken.
    #[error(
        "all {0} lines are in use, most of them by meters that are gone or were renamed since the boot; reboot, or make new pins: systemctl stop gasd, `gasd unload --discard-counts` (the totals are in the store), systemctl restart gasd-load gasd"
    )]
    NoFreeLine(u32),
    /// An interrupt number beyond the map.
    #[error("interrupt {irq} of meter \"{meter}\" is beyond the {max} that the dispatcher can tell apart")]
    IrqTooLarge {
        /// The meter.
        meter: String,
        /// Its interrupt.
        irq: u32,
        /// The limit.
        max: u32,
    },
    /// Anything else the system said.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

impl KernelError {
    /// Wraps an I/O error with what was tried; permission errors on a pin get their own words.
    pub fn io(what: impl Into<String>, error: io::Error) -> Self {
        KernelError::Io { what: what.into(), error }
    }

    /// Wraps an error of opening `path`.
    pub fn open(path: &std::path::Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => KernelError::PinPermission { path: path.into() },
            io::ErrorKind::NotFound => KernelError::Damaged(path.into()),
            _ => KernelError::io(format!("{}", path.display()), error),
        }
    }

    /// Whether the same filter may run in user space instead: the machine cannot, rather than
    /// somebody has to mend something first.
    #[must_use]
    pub fn allows_userspace(&self) -> bool {
        matches!(
            self,
            KernelError::NoBpffs(_)
                | KernelError::NoBtf
                | KernelError::NotPermitted { .. }
                | KernelError::NotLoaded(_)
        )
    }
}
