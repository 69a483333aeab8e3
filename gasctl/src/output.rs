// SPDX-License-Identifier: MIT OR Apache-2.0
//! Standard output: aligned text, colour where a person looks, JSON, and an end without a fuss when
//! the reader goes away.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::fail::Failure;

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// A heading.
    Heading,
    /// All is well.
    Good,
    /// Somebody should look.
    Warn,
    /// Somebody must look.
    Bad,
    /// Less important.
    Dim,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Heading => "1",
            Style::Good => "32",
            Style::Warn => "33",
            Style::Bad => "1;31",
            Style::Dim => "2",
        }
    }
}

/// Whether nobody set `NO_COLOR`.
pub fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Where the output goes and in which form.
#[derive(Debug)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    colour: bool,
}

impl Output {
    /// Looks at the terminal and the environment.
    pub fn new(json: bool) -> Output {
        Output { json, colour: !json && colour_wanted() && std::io::stdout().is_terminal() }
    }

    /// Text in a style, with what could command a terminal taken out.
    pub fn paint(&self, text: &str, style: Style) -> String {
        let text = text.replace(char::is_control, " ");
        if self.colour && style != Style::Plain {
            format!("\x1b[{}m{text}\x1b[0m", style.code())
        } else {
            text
        }
    }

    /// Writes a line.
    pub fn line(&self, line: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{line}")?;
        Ok(stdout.flush()?)
    }

    /// Says something beside the result, on standard error. Where nobody listens there nothing is lost.
    pub fn say(&self, text: &str) {
        let text = text.trim_end_matches('\n');
        for line in text.split('\n') {
            let _ = writeln!(std::io::stderr().lock(), "{}", line.replace(char::is_control, " "));
        }
    }

    /// Writes a JSON object on one line.
    pub fn object(&self, object: &Value) -> Result<(), Failure> {
        self.line(&object.to_string())
    }

    /// Writes bytes as they are.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(bytes)?;
        Ok(stdout.flush()?)
    }

    /// Writes rows with aligned columns, each behind `indent`. The last column is not padded.
    pub fn table(&self, indent: &str, rows: &[Vec<Cell>]) -> Result<(), Failure> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(Cell::width).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        for row in rows {
            let mut line = indent.to_owned();
            for (at, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[at] - cell.width());
                let text = self.paint(&cell.text, cell.style);
                match (cell.right, at + 1 == row.len()) {
                    (true, _) => line += &(pad + &text),
                    (false, true) => line += &text,
                    (false, false) => line += &(text + &pad),
                }
                if at + 1 < row.len() {
                    line += "  ";
                }
            }
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Tells about a failure on standard error.
    pub fn tell(&self, failure: &Failure) {
        if self.json {
            let (name, message, exit) = (failure.name(), failure.to_string(), failure.status());
            eprintln!("{}", json!({ "ok": false, "error": name, "message": message, "exit": exit }));
        } else {
            self.say(&format!("gasctl: {failure}"));
        }
    }

    /// Tells about the failure that ends the program, and gives its exit status.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        match failure {
            // The reader has seen enough: `gasctl watch | head -1`.
            Failure::Output(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            failure => {
                self.tell(failure);
                ExitCode::from(failure.status())
            }
        }
    }
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    style: Style,
    right: bool,
}

impl Cell {
    /// Text to the left.
    pub fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), style: Style::Plain, right: false }
    }

    /// Text to the left, in a style.
    pub fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), style, right: false }
    }

    /// A number, to the right.
    pub fn number(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), style: Style::Plain, right: true }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_command_the_terminal() {
        let out = Output { json: false, colour: true };
        assert_eq!(out.paint("a\x1b[2Jb\n", Style::Plain), "a [2Jb ");
        assert_eq!(out.paint("x", Style::Bad), "\x1b[1;31mx\x1b[0m");
        let plain = Output { json: false, colour: false };
        assert_eq!(plain.paint("x", Style::Bad), "x");
    }
}
