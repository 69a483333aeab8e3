// SPDX-License-Identifier: MIT OR Apache-2.0
//! Users, groups, and the devices that are open to them.

use gasd_proxy::{CONTROL_GROUP, READ_GROUP};

use super::check::Finding;
use super::facts::Facts;

/// The service's own group, to which the GPIO chips are open.
const SERVICE_GROUP: &str = "gasd";

/// All of them.
pub fn checks(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![user(facts), groups(facts), caller(facts)];
    findings.extend(chips(facts));
    findings
}

fn gid(facts: &Facts, name: &str) -> Option<u32> {
    facts.groups.iter().find(|(known, _)| known == name).map(|(_, gid)| *gid)
}

fn user(facts: &Facts) -> Finding {
    match facts.gasd_uid {
        Some(uid) => Finding::ok("user", format!("the user gasd is there (uid {uid})")),
        None => {
            Finding::fail("user", "there is no user gasd", "systemd-sysusers, or install the package again")
        }
    }
}

fn groups(facts: &Facts) -> Finding {
    let all = [SERVICE_GROUP, READ_GROUP, CONTROL_GROUP];
    let missing: Vec<_> = all.into_iter().filter(|name| gid(facts, name).is_none()).collect();
    if missing.is_empty() {
        return Finding::ok("groups", "gasd, gasd-read and gasd-control are there");
    }
    Finding::fail(
        "groups",
        format!("missing: {}", missing.join(", ")),
        "systemd-sysusers, or install the package again",
    )
}

fn caller(facts: &Facts) -> Finding {
    let check = "caller";
    let caller = &facts.caller;
    let member = |name| gid(facts, name).is_some_and(|gid| caller.gids.contains(&gid));
    if caller.uid == 0 {
        Finding::ok(check, "you are root and may do everything")
    } else if member(CONTROL_GROUP) {
        Finding::ok(check, "you are in gasd-control: you may read, close, open and acknowledge")
    } else if member(READ_GROUP) {
        Finding::ok(check, "you are in gasd-read: you may read, not close, open or acknowledge")
    } else {
        Finding::warn(
            check,
            format!("you (uid {}) may neither read nor command gasd", caller.uid),
            "as root: adduser USER gasd-read (or gasd-control), then log in anew",
        )
    }
}

fn chips(facts: &Facts) -> Vec<Finding> {
    let check = "gpio";
    if facts.chips.is_empty() {
        let text = "this machine shows no GPIO chip (/dev/gpiochip*)";
        let advice = "load the chip's driver; in a container pass the device in";
        // Where nothing is configured on a line nothing is missing yet: a fresh install, or a try-out.
        let needed = !facts.lines.is_empty();
        return vec![if needed {
            Finding::fail(check, text, advice)
        } else {
            Finding::warn(check, text, format!("before a meter is configured, {advice}"))
        }];
    }
    let rule = "udevadm control --reload && udevadm trigger -s gpio; the rule is /usr/lib/udev/rules.d/60-gasd.rules";
    let one = |chip: &super::facts::ChipFacts| {
        let (name, label) = (&chip.chip.name, &chip.chip.label);
        let title = if label.is_empty() { name.clone() } else { format!("{name} ({label})") };
        let open = gid(facts, SERVICE_GROUP) == Some(chip.gid) && chip.mode & 0o060 == 0o060;
        if !open {
            return Finding::fail(
                check,
                format!("{title} is closed to gasd (group {}, mode {:04o})", chip.gid, chip.mode & 0o7777),
                rule,
            );
        }
        if chip.mode & 0o006 != 0 {
            return Finding::warn(
                check,
                format!(
                    "{title} is open to everybody (mode {:04o}): any process could drive a valve",
                    chip.mode
                ),
                rule,
            );
        }
        Finding::ok(check, format!("{title} is open to gasd"))
    };
    facts.chips.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check::{Level, of};
    use super::super::facts::{Caller, healthy};
    use super::*;

    #[test]
    fn missing_groups_are_named() {
        let mut facts = healthy();
        facts.groups.retain(|(name, _)| name != READ_GROUP);
        let findings = checks(&facts);
        let finding = of(&findings, "groups");
        assert_eq!((finding.level, finding.text.as_str()), (Level::Fail, "missing: gasd-read"));
    }

    #[test]
    fn the_caller_is_told_what_it_may() {
        for (gids, level, word) in [
            (vec![993], Level::Ok, "acknowledge"),
            (vec![992], Level::Ok, "not close"),
            (vec![100], Level::Warn, "neither"),
        ] {
            let findings = checks(&Facts { caller: Caller { uid: 1000, gids }, ..healthy() });
            let finding = of(&findings, "caller");
            assert_eq!(finding.level, level);
            assert!(finding.text.contains(word), "{finding:?}");
        }
    }

    #[test]
    fn a_chip_is_open_to_gasd_and_to_nobody_else() {
        for (gid, mode, level) in [
            (0, 0o660, Level::Fail),
            (991, 0o640, Level::Fail),
            (991, 0o600, Level::Fail),
            (991, 0o666, Level::Warn),
            (991, 0o660, Level::Ok),
        ] {
            let mut facts = healthy();
            (facts.chips[0].gid, facts.chips[0].mode) = (gid, mode);
            assert_eq!(of(&checks(&facts), "gpio").level, level, "{gid} {mode:o}");
        }
    }

    #[test]
    fn a_machine_without_a_chip_fails_only_if_something_is_to_be_on_one() {
        let bare = Facts { chips: Vec::new(), ..healthy() };
        assert_eq!(of(&checks(&bare), "gpio").level, Level::Fail);
        assert_eq!(of(&checks(&Facts { lines: Vec::new(), ..bare }), "gpio").level, Level::Warn);
    }
}
