// SPDX-License-Identifier: MIT OR Apache-2.0
//! The series and their windows. The data are Numenta's (MIT) and stay where they are: beside the
//! workspace, or where `GASD_SHARED` says.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// A series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its file, below `data/`.
    pub name: String,
    /// One value a row.
    pub values: Vec<f64>,
    /// First and last row of each window in which something happened.
    pub windows: Vec<(usize, usize)>,
}

impl Series {
    /// Rows at the start that are not scored.
    #[must_use]
    pub fn probation(&self) -> usize {
        (self.values.len() * 15 / 100).min(750)
    }
}

/// Where the data of others are.
#[must_use]
pub fn shared() -> PathBuf {
    std::env::var_os("GASD_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from)
}

/// The benchmark's folder, if it is there.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    Some(shared().join("data/nab")).filter(|folder| folder.join("labels/combined_windows.json").is_file())
}

/// Reads all series, in the order of their names.
///
/// # Errors
///
/// A file that cannot be read, or does not look as they do.
pub fn read(folder: &Path) -> io::Result<Vec<Series>> {
    let labels = fs::read_to_string(folder.join("labels/combined_windows.json"))?;
    let mut all = Vec::new();
    for (name, windows) in windows(&labels) {
        let text = fs::read_to_string(folder.join("data").join(&name))?;
        let mut values = Vec::new();
        let mut rows = HashMap::new();
        for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let bad = || io::Error::new(io::ErrorKind::InvalidData, format!("{name}: `{line}`"));
            let (time, value) = line.split_once(',').ok_or_else(bad)?;
            rows.insert(time.to_string(), values.len());
            values.push(value.trim().parse().map_err(|_| bad())?);
        }
        let row = |time: &str| {
            let whole = time.split('.').next().unwrap_or(time);
            rows.get(time).or_else(|| rows.get(whole)).copied().ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{name}: no row at {time}"))
            })
        };
        let windows =
            windows.iter().map(|(from, to)| Ok((row(from)?, row(to)?))).collect::<io::Result<_>>()?;
        all.push(Series { name, values, windows });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Pairs of times by file: `{"file": [["from", "to"], …], …}`, the only JSON that is read here. What
/// is quoted outside of all brackets is a file, what is inside a time.
fn windows(json: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut all: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let (mut depth, mut from) = (0, None);
    for (i, part) in json.split('"').enumerate() {
        if i % 2 == 0 {
            depth += part.matches('[').count();
            depth -= part.matches(']').count().min(depth);
        } else if depth == 0 {
            all.push((part.to_string(), Vec::new()));
        } else if let Some(from) = from.take() {
            if let Some((_, windows)) = all.last_mut() {
                windows.push((from, part.to_string()));
            }
        } else {
            from = Some(part.to_string());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_found() {
        let json = r#"{"a/b.csv": [], "c.csv": [["1", "2"], ["3", "4"]]}"#;
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        let c = vec![pair("1", "2"), pair("3", "4")];
        assert_eq!(windows(json), [("a/b.csv".to_string(), vec![]), ("c.csv".to_string(), c)]);
    }
}
