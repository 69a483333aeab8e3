// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rows of a trace, wherever it comes from.

use std::fs::File;
use std::io::BufReader;
use std::os::fd::OwnedFd;

use crate::config::MeterConfig;
use crate::player;
use crate::replay::{Row, household, household::Household, trace};

use super::{Hose, Trace};

/// A recording larger than this is no commissioning test, bytes.
const LARGEST: u64 = 256 << 20;

/// Rows, until the first that is none.
pub type Rows = Box<dyn Iterator<Item = Result<Row, String>> + Send>;

/// The rows for a meter, all on the trace's line of that meter. `takes_m3_per_h` is what its home takes at the
/// most, 0 if that is not known.
///
/// # Errors
/// In words: no regular file, or a trace that is not for this meter.
pub fn rows(trace: &Trace, meter: &MeterConfig, takes_m3_per_h: f64) -> Result<Rows, String> {
    let line = player::trace_line(meter);
    match trace {
        Trace::Hose => Ok(Box::new(Hose::new(meter, line, takes_m3_per_h).map(Ok))),
        Trace::Household if meter.pulse_volume_ul != household::PULSE_VOLUME_UL => Err(format!(
            "the household is one of a meter of 1 L a pulse, and meter \"{}\" is another; use the hose, or a \
             recording",
            meter.id
        )),
        Trace::Household => Ok(Box::new(Household::new(line).map(Ok))),
        Trace::File(fd) => {
            let fd: OwnedFd = fd.try_clone().map_err(|error| format!("the trace: {error}"))?;
            let file = File::from(fd);
            let meta = file.metadata().map_err(|error| format!("the trace: {error}"))?;
            // A pipe could be held open for ever by whoever made it.
            if !meta.is_file() {
                return Err("the trace is no regular file".to_owned());
            }
            if meta.len() > LARGEST {
                return Err(format!("the trace is larger than {} MiB", LARGEST >> 20));
            }
            let rows = trace::Trace::new("the trace", BufReader::new(file));
            Ok(Box::new(rows.map(|row| row.map_err(|error| error.to_string()))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};
    use std::sync::Arc;

    fn meter(volume: &str) -> MeterConfig {
        let text = format!("[[meter]]\nid = \"k\"\nline = 4\npulse_volume = \"{volume}\"\n");
        crate::config::parse("t.toml", &text).unwrap().meters.remove(0)
    }

    #[test]
    fn a_recording_is_read_from_its_descriptor_and_bad_rows_are_told() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"t_ns,line,level\n1000,4,1\n2000,4,x\n").unwrap();
        file.rewind().unwrap();
        let found: Vec<_> = rows(&Trace::File(Arc::new(file.into())), &meter("1 L"), 0.0).unwrap().collect();
        assert_eq!(found[0], Ok(Row { t_ns: 1000, line: 4, level: 1 }));
        assert!(found[1].as_ref().unwrap_err().contains("the trace:3"), "{found:?}");
    }

    #[test]
    fn a_pipe_is_refused_and_so_is_another_meters_household() {
        let (read, _write) = std::io::pipe().unwrap();
        assert!(rows(&Trace::File(Arc::new(read.into())), &meter("1 L"), 0.0).is_err());
        assert!(rows(&Trace::Household, &meter("10 L"), 0.0).err().unwrap().contains("1 L"));
        assert!(rows(&Trace::Household, &meter("1 L"), 0.0).is_ok());
    }
}
