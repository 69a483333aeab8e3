// SPDX-License-Identifier: MIT OR Apache-2.0
//! What devices send, as gasd-meters' profiles `ugm` and `vega-gm2` read it.

use gasd_meters::Valve;

use crate::truth::Truth;

/// One step of a litre and of ten, µL.
const LITRE_UL: u64 = 1_000_000;

/// The make of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// An ultrasonic gas meter: litres, flow, pressure, temperature, valve.
    Ugm,
    /// A modem on a meter's wheel: tens of litres.
    Gm2,
}

impl Payload {
    /// The name of gasd-meters' profile.
    #[must_use]
    pub const fn profile(self) -> &'static str {
        match self {
            Self::Ugm => gasd_meters::lorawan::payload::UGM,
            Self::Gm2 => gasd_meters::lorawan::payload::GM2,
        }
    }

    /// The port and payload at `now_ns`; the value is logged.
    pub(super) fn build(self, now_ns: u64, truth: &mut Truth) -> (u8, Vec<u8>) {
        let unix_s = truth.wall_s.saturating_add((now_ns / 1_000_000_000) as i64);
        let unix_s = u32::try_from(unix_s).unwrap_or(0);
        match self {
            Self::Ugm => {
                let end_ul = LITRE_UL << 32;
                let litres = (truth.answer(now_ns, LITRE_UL, end_ul) / LITRE_UL) as u32;
                let flow = u16::try_from(truth.flow_ul_per_h(now_ns) / (10 * LITRE_UL)).unwrap_or(u16::MAX);
                let valve = match truth.valve(now_ns) {
                    Valve::Open => 0,
                    Valve::Closed => 1,
                    Valve::Abnormal => 2,
                };
                let mut bytes = vec![0xFF, 0x1E];
                bytes.extend(unix_s.to_be_bytes());
                bytes.extend([0x01, 0x1E]);
                bytes.extend(unix_s.to_be_bytes());
                bytes.push(0x28);
                bytes.extend(litres.to_be_bytes());
                bytes.push(0x29);
                bytes.extend(flow.to_be_bytes());
                // 102 kPa and 11.5 °C.
                bytes.extend([0x2A, 102, 0x1F]);
                bytes.extend(1_150u16.to_be_bytes());
                bytes.extend([0x15, valve]);
                (10, bytes)
            }
            Self::Gm2 => {
                let step_ul = 10 * LITRE_UL;
                let hundredths = (truth.answer(now_ns, step_ul, step_ul << 32) / step_ul) as u32;
                let installed = u32::try_from(truth.register().base_ul / step_ul).unwrap_or(0);
                let mut bytes = vec![93];
                bytes.extend(unix_s.to_le_bytes());
                // Temperature, reason, contacts, magnet and case.
                bytes.extend([11, 0, 0, 0, 0, 0, 0, 0]);
                bytes.extend(hundredths.to_le_bytes());
                bytes.extend(installed.to_le_bytes());
                (2, bytes)
            }
        }
    }
}
