// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a trace: CSV, one transition of one line a row, in constant memory.
//!
//! ```text
//! t_ns,line,level
//! # line 4 closes and opens
//! 1500000000,4,1
//! 1740000000,4,0
//! ```
//!
//! Times ascend over the whole file (equal times are allowed), `level` is the line's logical value
//! after the transition (1 active). Lines that are empty or begin with `#` are skipped, a line may
//! end with CR LF, a field may have spaces around it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// First line of every trace.
pub const HEADER: &str = "t_ns,line,level";

/// Longest line that is read: what is longer is no trace, and must not fill the memory.
const MAX_LINE: usize = 4096;
/// Bytes read at once.
const BUFFER: usize = 256 * 1024;
/// Bytes of an offending line that an error repeats.
const QUOTED: usize = 80;

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When, ns.
    pub t_ns: u64,
    /// The trace's line.
    pub line: u32,
    /// The level after it: 1 active, 0 inactive.
    pub level: u8,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The first line that says something is not [`HEADER`].
    #[error("this is not the header")]
    Header,
    /// There is nothing in the file.
    #[error("the trace ends before its header")]
    Empty,
    /// Too few or too many fields.
    #[error("{0} fields instead of 3")]
    Fields(usize),
    /// A field that is no whole number.
    #[error("{0} is not a whole number")]
    NotANumber(&'static str),
    /// A number that does not fit.
    #[error("{0} is too large (at most {1})")]
    TooLarge(&'static str, u64),
    /// A level that is neither 0 nor 1.
    #[error("level is neither 0 nor 1")]
    Level,
    /// Time runs backwards.
    #[error("t_ns is before the row above ({0})")]
    Descending(u64),
    /// The line does not end.
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
}

impl Fault {
    /// What should have been there.
    const fn expected(self) -> &'static str {
        match self {
            Fault::Header | Fault::Empty => "\"t_ns,line,level\" as the first line",
            Fault::Descending(_) => "times that ascend over all lines; sort the trace by t_ns",
            _ => "t_ns,line,level like 1500000000,4,1",
        }
    }
}

/// Why a trace cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened or read.
    #[error("{file}: {source}")]
    Io {
        /// The file as the user named it.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A line that is no row.
    #[error("{file}:{line}: \"{text}\": {fault}; expected {}", .fault.expected())]
    Row {
        /// The file as the user named it.
        file: String,
        /// Number of the line, from 1.
        line: u64,
        /// The line, shortened and escaped.
        text: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// A trace being read: an iterator of rows that ends with the first error.
#[derive(Debug)]
pub struct Trace<R> {
    input: R,
    file: String,
    buffer: Vec<u8>,
    line: u64,
    last_ns: u64,
    header_seen: bool,
    done: bool,
}

/// Opens the trace at `path`; `-` is standard input.
pub fn open(path: &Path) -> Result<Trace<Box<dyn BufRead>>, TraceError> {
    let file = path.display().to_string();
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        match File::open(path) {
            Ok(opened) => Box::new(opened),
            Err(source) => return Err(TraceError::Io { file, source }),
        }
    };
    let name = if file == "-" { "<stdin>".to_owned() } else { file };
    Ok(Trace::new(name, Box::new(BufReader::with_capacity(BUFFER, input)) as Box<dyn BufRead>))
}

impl<R: BufRead> Trace<R> {
    /// A trace out of `input`; errors call it `file`.
    pub fn new(file: impl Into<String>, input: R) -> Self {
        Self {
            input,
            file: file.into(),
            buffer: Vec::with_capacity(MAX_LINE),
            line: 0,
            last_ns: 0,
            header_seen: false,
            done: false,
        }
    }

    /// The next row; `None` at the end.
    #[inline]
    fn read(&mut self) -> Result<Option<Row>, TraceError> {
        loop {
            self.buffer.clear();
            let mut limited = (&mut self.input).take(MAX_LINE as u64 + 1);
            if let Err(source) = limited.read_until(b'\n', &mut self.buffer) {
                return Err(TraceError::Io { file: self.file.clone(), source });
            }
            self.line += 1;
            if self.buffer.is_empty() {
                return if self.header_seen { Ok(None) } else { Err(self.fault(Fault::Empty)) };
            }
            if self.buffer.len() > MAX_LINE {
                return Err(self.fault(Fault::TooLong));
            }
            if self.header_seen
                && let Some(row) = plain(&self.buffer)
                && row.t_ns >= self.last_ns
            {
                self.last_ns = row.t_ns;
                return Ok(Some(row));
            }
            match self.careful() {
                Ok(Some(row)) => return Ok(Some(row)),
                Ok(None) => {}
                Err(fault) => return Err(self.fault(fault)),
            }
        }
    }

    /// A line that is not plainly a row: a comment, the header, a row with spaces, or a mistake.
    #[cold]
    fn careful(&mut self) -> Result<Option<Row>, Fault> {
        let mut text = self.buffer.trim_ascii();
        if self.line == 1 {
            // A byte order mark, as some spreadsheets write it.
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if text.is_empty() || text[0] == b'#' {
            return Ok(None);
        }
        let fields = || text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if !self.header_seen {
            let names = HEADER.as_bytes().split(|byte| *byte == b',');
            self.header_seen = fields().eq(names);
            return if self.header_seen { Ok(None) } else { Err(Fault::Header) };
        }
        let mut three = fields();
        let (Some(time), Some(line), Some(level), None) =
            (three.next(), three.next(), three.next(), three.next())
        else {
            return Err(Fault::Fields(fields().count()));
        };
        let t_ns = number(time, "t_ns", u64::MAX)?;
        let line = number(line, "line", u64::from(u32::MAX))?;
        let line = u32::try_from(line).map_err(|_| Fault::NotANumber("line"))?;
        let level = match level {
            b"0" => 0,
            b"1" => 1,
            _ => return Err(Fault::Level),
        };
        if t_ns < self.last_ns {
            return Err(Fault::Descending(self.last_ns));
        }
        self.last_ns = t_ns;
        Ok(Some(Row { t_ns, line, level }))
    }

    fn fault(&self, fault: Fault) -> TraceError {
        let text = self.buffer.trim_ascii();
        let mut quoted = text[..text.len().min(QUOTED)].escape_ascii().to_string();
        if text.len() > QUOTED {
            quoted.push('…');
        }
        TraceError::Row { file: self.file.clone(), line: self.line, text: quoted, fault }
    }
}

impl<R: BufRead> Iterator for Trace<R> {
    type Item = Result<Row, TraceError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let row = self.read().transpose();
        self.done = !matches!(row, Some(Ok(_)));
        row
    }
}

/// A row without anything special in it; `None` leaves it to [`Trace::careful`].
#[inline]
fn plain(text: &[u8]) -> Option<Row> {
    let (t_ns, rest) = digits(text, 19)?;
    let (line, rest) = digits(rest.strip_prefix(b",")?, 9)?;
    let line = u32::try_from(line).ok()?;
    match rest {
        [b',', level @ (b'0' | b'1'), b'\n'] | [b',', level @ (b'0' | b'1'), b'\r', b'\n'] => {
            Some(Row { t_ns, line, level: level - b'0' })
        }
        _ => None,
    }
}

/// The number at the beginning of `text`, of at most `most` digits, and what follows it.
#[inline]
fn digits(text: &[u8], most: usize) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (i, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return if i == 0 { None } else { Some((value, &text[i..])) };
        }
        if i == most {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    None
}

fn number(text: &[u8], name: &'static str, most: u64) -> Result<u64, Fault> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Fault::NotANumber(name));
    }
    text.iter()
        .try_fold(0u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(byte - b'0')))
        .filter(|value| *value <= most)
        .ok_or(Fault::TooLarge(name, most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<Row>, String> {
        Trace::new("t.csv", text.as_ref()).collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    fn row(t_ns: u64, line: u32, level: u8) -> Row {
        Row { t_ns, line, level }
    }

    #[test]
    fn comments_blank_lines_spaces_and_carriage_returns_are_fine() {
        let text = "\u{feff}# a trace\r\n\n t_ns , line,level\r\n1,4,1\r\n#x\n \n 2 , 4 , 0 \n2,5,1";
        assert_eq!(read(text).unwrap(), [row(1, 4, 1), row(2, 4, 0), row(2, 5, 1)]);
        assert_eq!(read("t_ns,line,level\n").unwrap(), []);
    }

    #[test]
    fn the_largest_numbers_are_read() {
        let text = format!("t_ns,line,level\n0,{},0\n{},1,1\n", u32::MAX, u64::MAX);
        assert_eq!(read(text).unwrap(), [row(0, u32::MAX, 0), row(u64::MAX, 1, 1)]);
    }

    #[test]
    fn a_bad_row_is_named_with_its_line_and_reason() {
        let ok = "t_ns,line,level\n5,1,1\n";
        let like = "expected t_ns,line,level like 1500000000,4,1";
        for (bad, said) in [
            ("6,1", format!("\"6,1\": 2 fields instead of 3; {like}")),
            ("6,1,1,1", format!("\"6,1,1,1\": 4 fields instead of 3; {like}")),
            ("six,1,1", format!("\"six,1,1\": t_ns is not a whole number; {like}")),
            ("-6,1,1", format!("\"-6,1,1\": t_ns is not a whole number; {like}")),
            ("6.5,1,1", format!("\"6.5,1,1\": t_ns is not a whole number; {like}")),
            ("6,,1", format!("\"6,,1\": line is not a whole number; {like}")),
            ("6,1,2", format!("\"6,1,2\": level is neither 0 nor 1; {like}")),
            ("6,1,high", format!("\"6,1,high\": level is neither 0 nor 1; {like}")),
            ("6,4294967296,1", format!("\"6,4294967296,1\": line is too large (at most 4294967295); {like}")),
            (
                "18446744073709551616,1,1",
                format!(
                    "\"18446744073709551616,1,1\": t_ns is too large (at most 18446744073709551615); {like}"
                ),
            ),
            (
                "4,1,0",
                "\"4,1,0\": t_ns is before the row above (5); \
                 expected times that ascend over all lines; sort the trace by t_ns"
                    .to_owned(),
            ),
            ("\0\u{ff}", format!("\"\\x00\\xc3\\xbf\": 1 fields instead of 3; {like}")),
        ] {
            assert_eq!(read(format!("{ok}{bad}\n7,1,1\n")).unwrap_err(), format!("t.csv:3: {said}"));
        }
    }

    #[test]
    fn a_trace_without_its_header_is_refused() {
        let header = "expected \"t_ns,line,level\" as the first line";
        for (text, said) in [
            ("", format!("t.csv:1: \"\": the trace ends before its header; {header}")),
            ("\n# x\n", format!("t.csv:3: \"\": the trace ends before its header; {header}")),
            ("1,4,1\n", format!("t.csv:1: \"1,4,1\": this is not the header; {header}")),
            ("line,t_ns\n", format!("t.csv:1: \"line,t_ns\": this is not the header; {header}")),
        ] {
            assert_eq!(read(text).unwrap_err(), said);
        }
    }

    #[test]
    fn an_endless_line_is_refused_and_quoted_in_part() {
        let said = read(vec![b'7'; 1 << 20]).unwrap_err();
        assert!(said.contains("longer than 4096 bytes") && said.len() < 400, "{said}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let said = open(Path::new("/no/such/trace.csv")).map(|_| ()).unwrap_err().to_string();
        assert!(said.starts_with("/no/such/trace.csv: "), "{said}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let with_header = [b"t_ns,line,level\n".as_slice(), &bytes].concat();
            let _ = read(with_header);
        }

        #[test]
        fn any_line_of_likely_bytes_is_read_or_refused(text in "[0-9,\r\n# -]{0,120}") {
            let _ = read(format!("t_ns,line,level\n{text}"));
        }

        #[test]
        fn what_is_written_is_read_back(
            mut times in prop::collection::vec(any::<u64>(), 0..50), line in any::<u32>(), level in 0..2u8,
        ) {
            times.sort_unstable();
            let rows: Vec<Row> = times.into_iter().map(|t_ns| row(t_ns, line, level)).collect();
            let text: String = rows
                .iter()
                .map(|r| format!("{},{},{}\n", r.t_ns, r.line, r.level))
                .collect();
            prop_assert_eq!(read(format!("{HEADER}\n{text}")).unwrap(), rows);
        }
    }
}
