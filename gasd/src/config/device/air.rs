// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices that speak by themselves: what of their `device` tables is their own.

use gasd_meters::mbus;

use super::wired::{dialect, kind};
use super::{KEY_FILE, LoRaAddress, Resource, Talk};
use crate::config::error::ErrorKind;
use crate::config::meter;
use crate::config::report::Report;
use crate::config::section::{Field, Section};
use crate::config::sense::Sense;

pub(super) fn wmbus(report: &mut Report<'_>, address: &Field<'_>, written: &str) -> Option<Talk> {
    let Ok(wanted) = written.parse::<mbus::Address>() else {
        address.senseless(report, Sense::Address { expected: "eight digits, or \"12345678.ELS.33.03\"" });
        return None;
    };
    Some(Talk::Wmbus(wanted))
}

pub(super) fn lorawan(
    report: &mut Report<'_>,
    section: &Section<'_>,
    address: &Field<'_>,
    written: &str,
) -> Option<Talk> {
    const PAYLOAD: &str = "what its payload is: \"ugm\", \"jooby-mxi\" or \"vega-gm2\"";
    let words = [("ugm", "ugm"), ("jooby-mxi", "jooby-mxi"), ("vega-gm2", "vega-gm2")];
    let payload =
        section.required(report, "payload", PAYLOAD).and_then(|field| field.word(report, PAYLOAD, &words));
    let pulse_volume_ul = match section.get("pulse_volume") {
        Some(field) => field.pulse_volume(report).map(Some),
        None => Some(None),
    };
    if section.get("key_file").is_none() {
        let why = Sense::NeededByProtocol { protocol: "lorawan", key: "key_file", expected: KEY_FILE };
        report.problem(&section.span, &section.label, ErrorKind::Sense(why));
    }
    let parsed = match written.len() {
        16 => u64::from_str_radix(written, 16).ok().map(LoRaAddress::DevEui),
        8 => u32::from_str_radix(written, 16).ok().map(LoRaAddress::DevAddr),
        _ => None,
    };
    let Some(address) = parsed else {
        address
            .senseless(report, Sense::Address { expected: "16 hex digits of a DevEUI, or 8 of a DevAddr" });
        return None;
    };
    let (payload, pulse_volume_ul) = (payload?, pulse_volume_ul?);
    if payload == "jooby-mxi" && pulse_volume_ul.is_none() {
        let expected = meter::PULSE_VOLUME;
        let why = Sense::NeededByProtocol { protocol: "lorawan", key: "pulse_volume", expected };
        report.problem(&section.span, &section.label, ErrorKind::Sense(why));
        return None;
    }
    section.get("key_file")?;
    Some(Talk::LoRaWan { address, payload: payload.to_owned(), pulse_volume_ul })
}

pub(super) fn lwm2m(report: &mut Report<'_>, section: &Section<'_>, written: &str) -> Option<Talk> {
    const ENDPOINT: &str = "the name of its endpoint and, behind a `/`, the address of the CJ/T 188 meter whose frames \
                            it carries: \"urn:imei:490154203237518/33780012345678\"";
    let (profile, kind) = (dialect(report, section), kind(report, section));
    let register = match section.get("register") {
        Some(field) => {
            let text = field.string(report, "object, instance and resource, like \"3424/0/1\"")?;
            let parts: Option<Vec<u16>> = text.split('/').map(|part| part.parse().ok()).collect();
            let Some(parts) = parts.and_then(|parts| <[u16; 3]>::try_from(parts).ok()) else {
                let expected = "object, instance and resource, like \"3424/0/1\"";
                field.senseless(report, Sense::NotOne { what: "path of LwM2M", expected });
                return None;
            };
            Some(parts)
        }
        None => None,
    };
    let exponent = match section.get("scale") {
        Some(field) => power_of_ten(report, &field)?,
        None => 0,
    };
    let float = match section.get("number") {
        Some(field) => {
            field.word(report, "\"integer\" or \"float\"", &[("integer", false), ("float", true)])?
        }
        None => false,
    };
    let register = register.map(|path| Resource { path, exponent, float });
    let (profile, kind) = (profile?, kind?);
    let carried = written.rsplit_once('/').and_then(|(name, address)| Some((name, address.parse().ok()?)));
    let (endpoint, carried) = match (carried, register) {
        (Some((name, address)), None) => (name, Some((address, kind, profile))),
        (None, Some(_)) => (written, None),
        _ => {
            let why = Sense::Address { expected: ENDPOINT };
            report.problem(&section.span, &section.label, ErrorKind::Sense(why));
            return None;
        }
    };
    Some(Talk::LwM2m { endpoint: endpoint.to_owned(), carried, register })
}

/// A power of ten, as `"0.001"`, `"1"` or `"100"`.
fn power_of_ten(report: &mut Report<'_>, field: &Field<'_>) -> Option<i8> {
    const EXPECTED: &str = "a power of ten, like \"0.001\"";
    let text = field.string(report, EXPECTED)?;
    let power = match text.strip_prefix("0.") {
        Some(rest) => {
            let zeros = rest.strip_suffix('1').filter(|zeros| zeros.bytes().all(|byte| byte == b'0'));
            zeros.and_then(|zeros| i8::try_from(zeros.len() + 1).ok()).map(|power| -power)
        }
        None => {
            let zeros = text.strip_prefix('1').filter(|zeros| zeros.bytes().all(|byte| byte == b'0'));
            zeros.and_then(|zeros| i8::try_from(zeros.len()).ok())
        }
    };
    if power.is_none_or(|power| power.abs() > 9) {
        field.senseless(
            report,
            Sense::NotOne { what: "power of ten from 0.000000001 to 1000000000", expected: EXPECTED },
        );
        return None;
    }
    power
}
