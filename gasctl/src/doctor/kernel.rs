// SPDX-License-Identifier: MIT OR Apache-2.0
//! What counts in the kernel: BPF, its file system, the pins, and AppArmor around the daemon.

use super::check::Finding;
use super::facts::{Facts, Pins};

/// docs/operations.md: bpf(2) as gasd uses it, without a capability in the daemon.
const OLDEST: (u32, u32) = (5, 19);

/// All of them.
pub fn checks(facts: &Facts) -> Vec<Finding> {
    vec![version(facts), btf(facts), bpf(facts), mount(facts), pins(facts), apparmor(facts)]
}

fn version(facts: &Facts) -> Finding {
    let mut numbers = facts.kernel.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let found = (numbers.next().and_then(Result::ok), numbers.next().and_then(Result::ok));
    let text = format!("Linux {}", facts.kernel);
    match found {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Finding::ok("kernel", text),
        (Some(_), Some(_)) => Finding::warn(
            "kernel",
            format!("{text} is older than {}.{}", OLDEST.0, OLDEST.1),
            "the filter may have to run in user space; Debian 12's kernel is new enough",
        ),
        _ => Finding::unknown("kernel", format!("the kernel's version is \"{}\"", facts.kernel)),
    }
}

fn btf(facts: &Facts) -> Finding {
    if facts.btf {
        return Finding::ok("btf", "the kernel shows its types (/sys/kernel/btf/vmlinux)");
    }
    Finding::fail(
        "btf",
        "the kernel has no BTF, so the counting programs cannot be loaded",
        "run a kernel with CONFIG_DEBUG_INFO_BTF, as Debian's has it; until then gasd counts in user space",
    )
}

fn bpf(facts: &Facts) -> Finding {
    match facts.unprivileged_bpf_disabled {
        None => Finding::fail(
            "bpf",
            "this kernel has no bpf(2)",
            "run a kernel with CONFIG_BPF_SYSCALL, as Debian's has it; until then gasd counts in user space",
        ),
        Some(0) => Finding::warn(
            "bpf",
            "every user may load BPF programs (kernel.unprivileged_bpf_disabled is 0)",
            "gasd does not need that: sysctl -w kernel.unprivileged_bpf_disabled=2, and the same in /etc/sysctl.d/",
        ),
        Some(value) => Finding::ok(
            "bpf",
            format!("bpf(2) is there, for the privileged (unprivileged_bpf_disabled {value})"),
        ),
    }
}

fn mount(facts: &Facts) -> Finding {
    let check = "bpffs";
    let Some(mount) = facts.pins_mount.as_ref().filter(|mount| mount.fs == "bpf") else {
        return Finding::fail(
            check,
            "no BPF file system is mounted on /run/gasd/bpf",
            "systemctl start run-gasd-bpf.mount gasd-load.service && systemctl restart gasd",
        );
    };
    if let Some(uid) = facts.gasd_uid
        && mount.uid != uid
    {
        return Finding::fail(
            check,
            format!("/run/gasd/bpf belongs to uid {}, not to gasd (uid {uid})", mount.uid),
            "systemctl restart gasd-load gives it to gasd",
        );
    }
    if mount.mode & 0o002 != 0 {
        return Finding::fail(
            check,
            format!("/run/gasd/bpf may be written by everybody (mode {:04o})", mount.mode),
            "chmod 0750 /run/gasd/bpf, and look who changed it",
        );
    }
    Finding::ok(check, "mounted on /run/gasd/bpf, and gasd's own")
}

fn pins(facts: &Facts) -> Finding {
    let check = "programs";
    let again = "systemctl restart gasd-load && systemctl restart gasd; journalctl -u gasd-load -e says why it failed";
    let (linked, generations) = match &facts.pins {
        Pins::Closed => return Finding::unknown(check, "what is pinned only root and gasd may see"),
        Pins::None => (Some(false), &Vec::new()),
        Pins::Found { linked, generations } => (*linked, generations),
    };
    if generations.iter().all(|(_, program)| *program == Some(false)) {
        return Finding::fail(check, "no counting program is pinned: nothing counts in the kernel", again);
    }
    if linked == Some(false) {
        let text = "the counting programs are pinned, but not attached: nothing counts in the kernel";
        return Finding::fail(check, text, again);
    }
    let counting = generations.iter().filter(|(_, program)| *program == Some(true));
    let names: Vec<_> = counting.map(|(name, _)| name.as_str()).collect();
    if linked.is_none() || names.is_empty() {
        return Finding::unknown(
            check,
            "whether the programs are pinned and attached only root and gasd may see",
        );
    }
    Finding::ok(check, format!("pinned and attached ({})", names.join(", ")))
}

fn apparmor(facts: &Facts) -> Finding {
    let check = "apparmor";
    if !facts.apparmor.enabled {
        return Finding::warn(
            check,
            "AppArmor is off in this kernel; the units' own sandbox remains",
            "boot with apparmor=1 security=apparmor if the gateway shall have both",
        );
    }
    match facts.apparmor.daemon.as_deref() {
        None => {
            Finding::unknown(check, "AppArmor is on; the daemon does not run, or its profile may not be read")
        }
        Some(label) if label.ends_with("(enforce)") => {
            Finding::ok(check, format!("the daemon runs under {label}"))
        }
        Some(label) => Finding::warn(
            check,
            format!("AppArmor is on, but the daemon runs as \"{label}\""),
            "aa-enforce the profile in /etc/apparmor.d/, then systemctl restart gasd",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Level, of};
    use super::super::facts::{Mount, healthy};
    use super::*;

    fn level(facts: &Facts, check: &str) -> Level {
        of(&checks(facts), check).level
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (kernel, expected) in [
            ("5.19.0", Level::Ok),
            ("10.2", Level::Ok),
            ("5.4.0-1-amd64", Level::Warn),
            ("x", Level::Unknown),
        ] {
            let facts = Facts { kernel: kernel.into(), ..healthy() };
            assert_eq!(level(&facts, "kernel"), expected, "{kernel}");
        }
    }

    #[test]
    fn a_kernel_without_bpf_or_types_fails() {
        assert_eq!(level(&Facts { btf: false, ..healthy() }, "btf"), Level::Fail);
        assert_eq!(level(&Facts { unprivileged_bpf_disabled: None, ..healthy() }, "bpf"), Level::Fail);
        assert_eq!(level(&Facts { unprivileged_bpf_disabled: Some(0), ..healthy() }, "bpf"), Level::Warn);
    }

    #[test]
    fn the_pins_directory_is_gasds_and_nobody_elses() {
        for mount in [
            None,
            Some(Mount { fs: "tmpfs".into(), uid: 990, mode: 0o750 }),
            Some(Mount { fs: "bpf".into(), uid: 0, mode: 0o750 }),
            Some(Mount { fs: "bpf".into(), uid: 990, mode: 0o777 }),
        ] {
            assert_eq!(
                level(&Facts { pins_mount: mount.clone(), ..healthy() }, "bpffs"),
                Level::Fail,
                "{mount:?}"
            );
        }
    }

    #[test]
    fn programs_count_only_when_they_are_attached() {
        let found = |linked, program| Pins::Found { linked, generations: vec![("v1".into(), program)] };
        for (pins, expected) in [
            (found(Some(true), Some(true)), Level::Ok),
            (found(Some(false), Some(true)), Level::Fail),
            (found(Some(true), Some(false)), Level::Fail),
            (Pins::Found { linked: Some(true), generations: Vec::new() }, Level::Fail),
            (Pins::None, Level::Fail),
            // Members of gasd-read see the generation, but not what is inside.
            (found(None, None), Level::Unknown),
            (found(Some(true), None), Level::Unknown),
            (found(Some(false), None), Level::Fail),
        ] {
            assert_eq!(level(&Facts { pins: pins.clone(), ..healthy() }, "programs"), expected, "{pins:?}");
        }
        assert_eq!(level(&Facts { pins: Pins::Closed, ..healthy() }, "programs"), Level::Unknown);
    }

    #[test]
    fn an_unconfined_daemon_is_told() {
        let mut facts = healthy();
        facts.apparmor.daemon = Some("unconfined".into());
        assert_eq!(level(&facts, "apparmor"), Level::Warn);
        facts.apparmor.daemon = Some("gasd (complain)".into());
        assert_eq!(level(&facts, "apparmor"), Level::Warn);
        facts.apparmor.enabled = false;
        assert_eq!(level(&facts, "apparmor"), Level::Warn);
    }
}
