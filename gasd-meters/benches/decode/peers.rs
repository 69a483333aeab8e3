// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other decoders of wired M-Bus, on the telegrams that all of them read: m-bus-parser, and pyMeterBus where
//! `GASD_PYMETERBUS` names a Python that has it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gasd_meters::mbus;
use m_bus_parser::WiredFrame;
use m_bus_parser::mbus_data::MbusData;

use crate::frames::{self, Set, text};
use crate::{Job, mbus_ours};

/// Ours and theirs, first where all records are kept and then where each is looked at and let go.
pub fn jobs() -> Vec<Job> {
    let Set { mut items, whose, .. } = frames::mbus();
    let mut python = Python::start(&items);
    if let Some(python) = &mut python {
        let reads = python.which();
        items = items.into_iter().enumerate().filter(|(n, _)| reads.contains(n)).map(|(_, it)| it).collect();
        python.numbers = reads;
    }
    // Of the frames that Python reads, those that the other crate does, and that have records: fixed data have none.
    let read: Vec<bool> = items.iter().map(|bytes| parser(bytes) && looked_at(bytes)).collect();
    if let Some(python) = &mut python {
        let numbers = python.numbers.iter().zip(&read).filter(|(_, read)| **read);
        python.numbers = numbers.map(|(number, _)| *number).collect();
    }
    let items: Vec<Vec<u8>> =
        items.into_iter().zip(read).filter(|(_, read)| *read).map(|(it, _)| it).collect();
    let bytes = items.iter().map(Vec::len).sum::<usize>() as f64 / items.len().max(1) as f64;
    let set = || Set { items: items.clone(), bytes, whose };
    let mut jobs = vec![
        Job::new("gasd, kept", set(), |bytes| mbus_ours(bytes)),
        Job::new("m-bus-parser, kept", set(), |bytes| kept(bytes)),
        Job::new("gasd, looked at", set(), |bytes| looked_at(bytes)),
        Job::new("m-bus-parser, looked at", set(), |bytes| parser(bytes)),
    ];
    if let Some(mut python) = python {
        let about = format!("{} {whose}", items.len());
        jobs.push(Job {
            name: "pyMeterBus 0.8.5",
            set: about,
            bytes,
            round: Box::new(move || python.round()),
            seen: Vec::new(),
        });
    }
    jobs
}

/// Every record of ours with its value, none of them kept.
fn looked_at(bytes: &[u8]) -> bool {
    let Ok(frame) = mbus::Frame::parse(bytes) else { return false };
    let Ok((header, records)) = mbus::records(&frame) else { return false };
    std::hint::black_box(header);
    for record in records {
        let Ok(record) = record else { return false };
        std::hint::black_box(&record);
    }
    true
}

/// Every record with its value, which it makes when it is asked for.
fn parser(bytes: &[u8]) -> bool {
    let Ok(data) = MbusData::<WiredFrame<'_>>::try_from(bytes) else { return false };
    let Some(records) = data.data_records else { return false };
    let mut values = 0;
    for record in records {
        let Ok(record) = record else { return false };
        values += usize::from(std::hint::black_box(record.value()).is_some());
        std::hint::black_box(record.value_information());
    }
    std::hint::black_box(values);
    true
}

/// As [`parser`], and the records stay, as those of ours do; they still borrow from the telegram.
fn kept(bytes: &[u8]) -> bool {
    let Ok(data) = MbusData::<WiredFrame<'_>>::try_from(bytes) else { return false };
    let Some(records) = data.data_records else { return false };
    let records: Result<Vec<_>, _> = records.collect();
    std::hint::black_box(&records).is_ok()
}

/// A Python that decodes when it is told to.
struct Python {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    numbers: Vec<usize>,
    _frames: tempfile::Frames,
}

impl Python {
    fn start(frames: &[Vec<u8>]) -> Option<Self> {
        let Some(python) = std::env::var_os("GASD_PYMETERBUS") else {
            eprintln!(
                "SKIPPED: GASD_PYMETERBUS names no Python: pyMeterBus is NOT MEASURED (scripts/bench-meters)"
            );
            return None;
        };
        let file = tempfile::Frames::write(frames);
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/decode/pymeterbus_peer.py"))
            .arg(&file.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python that can be started");
        let (ask, answers) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Some(Self { child, ask, answers: BufReader::new(answers), numbers: Vec::new(), _frames: file })
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.ask, "{line}").expect("it listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        answer
    }

    fn which(&mut self) -> Vec<usize> {
        let answer = self.ask("which");
        answer.split_whitespace().map(|number| number.parse().expect("a number")).collect()
    }

    fn round(&mut self) -> f64 {
        let numbers: Vec<String> = self.numbers.iter().map(usize::to_string).collect();
        let answer = self.ask(&format!("round {}", numbers.join(" ")));
        answer.trim().parse().expect("a rate")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Its input ends with this process in any case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file that the other program reads.
mod tempfile {
    use std::path::PathBuf;

    pub struct Frames(pub PathBuf);

    impl Frames {
        pub fn write(frames: &[Vec<u8>]) -> Self {
            let path = std::env::temp_dir().join(format!("gasd-frames-{}.txt", std::process::id()));
            let lines: String = frames.iter().map(|frame| super::text(frame) + "\n").collect();
            std::fs::write(&path, lines).expect("a place for temporary files");
            Self(path)
        }
    }

    impl Drop for Frames {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
