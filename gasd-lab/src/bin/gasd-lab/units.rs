// SPDX-License-Identifier: MIT OR Apache-2.0
//! How people write shares, spans of time and volumes; and the keys that they are told.

use std::ops::Range;

/// A share in ppm, of `5%`, `0.5 %`, `200ppm`.
pub fn share(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is no share: write `5%` or `200ppm`, at most 100%");
    let text = text.trim();
    let (number, times) = match (text.strip_suffix('%'), text.strip_suffix("ppm")) {
        (Some(number), _) => (number, 10_000.0),
        (_, Some(number)) => (number, 1.0),
        _ => return Err(wrong()),
    };
    let ppm = number.trim().parse::<f64>().map_err(|_| wrong())? * times;
    if (0.0..=1e6).contains(&ppm) { Ok(ppm.round() as u32) } else { Err(wrong()) }
}

/// Nanoseconds, of `500ms`, `4s`, `1.5m`, `2h`; a number alone is seconds.
pub fn span(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no span of time: write `500ms`, `4s`, `15m` or `2h`");
    let text = text.trim();
    let units = [("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];
    let of = units.iter().find_map(|(unit, ns)| Some((text.strip_suffix(unit)?, *ns)));
    let (number, ns) = of.unwrap_or((text, 1e9));
    let ns = number.trim().parse::<f64>().map_err(|_| wrong())? * ns;
    if (0.0..1e18).contains(&ns) { Ok(ns.round() as u64) } else { Err(wrong()) }
}

/// Two spans, of `60s..90s`, or of `60s..` for good.
pub fn between(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or(format!("`{text}` is none: write `60s..90s` or `60s..`"))?;
    let to = if to.trim().is_empty() { u64::MAX } else { span(to)? };
    Ok(span(from)?..to)
}

/// µL, of m³.
pub fn cubic_metres(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no volume in m³ from 0 to 9999999");
    let cubic_metres = text.trim().parse::<f64>().map_err(|_| wrong())?;
    // Millilitres: beyond that a float of so many m³ has noise.
    if (0.0..1e7).contains(&cubic_metres) {
        Ok((cubic_metres * 1e6).round() as u64 * 1_000)
    } else {
        Err(wrong())
    }
}

/// A key that everybody may know: it is printed, and follows from the seed.
pub fn key(seed: u64, n: u32, purpose: u8) -> [u8; 16] {
    let mut bytes = [purpose; 16];
    for (place, byte) in bytes.iter_mut().skip(1).zip(seed.to_be_bytes().into_iter().chain(n.to_be_bytes())) {
        *place = byte;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_them() {
        assert_eq!((share("5%"), share("0.05 %"), share("200ppm")), (Ok(50_000), Ok(500), Ok(200)));
        assert!(["5", "", "101%", "-1%", "x%", "NaN%"].iter().all(|text| share(text).is_err()));
        assert_eq!(
            (span("500ms"), span("4s"), span("4")),
            (Ok(500_000_000), Ok(4_000_000_000), Ok(4_000_000_000))
        );
        assert_eq!((span("1.5m"), span("2h")), (Ok(90_000_000_000), Ok(7_200_000_000_000)));
        assert!(["", "s", "-1s", "1d", "inf"].iter().all(|text| span(text).is_err()));
        assert_eq!(between("60s..90s"), Ok(60_000_000_000..90_000_000_000));
        assert_eq!(between("1m.."), Ok(60_000_000_000..u64::MAX));
        assert!(between("60s").is_err());
        assert_eq!((cubic_metres("1234.56"), cubic_metres("0")), (Ok(1_234_560_000_000), Ok(0)));
        assert!(cubic_metres("-1").is_err() && cubic_metres("1e9").is_err());
    }
}
