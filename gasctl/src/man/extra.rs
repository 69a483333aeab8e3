// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands after a command's help, as sections of a manual: clap's generator would call all of it
//! EXTRA and fill the examples like prose.

/// What may begin a section, alone on its line or with its text behind it.
const TITLES: &[&str] = &["Example", "Examples", "Exit status", "Environment", "Keys", "Groups"];

/// The sections, roff. Indented lines stay as they are; others are filled.
pub fn sections(text: &str) -> String {
    let mut page = String::new();
    let mut titled = false;
    let mut literal = false;
    for line in text.lines() {
        let indented = line.starts_with(' ');
        if literal && !indented {
            page += ".fi\n.RE\n";
            literal = false;
        }
        if line.trim().is_empty() {
            page += if titled { ".PP\n" } else { "" };
            continue;
        }
        if let Some((title, rest)) = title(line) {
            page += &format!(".SH \"{}\"\n", title.to_uppercase());
            titled = true;
            if !rest.is_empty() {
                page += &format!("{}\n", escaped(rest));
            }
            continue;
        }
        if !titled {
            page += ".SH \"NOTES\"\n";
            titled = true;
        }
        if indented && !literal {
            page += ".RS 4\n.nf\n";
            literal = true;
        }
        let shown = if literal { line.strip_prefix("  ").unwrap_or(line) } else { line };
        page += &format!("{}\n", escaped(shown));
    }
    if literal {
        page += ".fi\n.RE\n";
    }
    // An empty paragraph before a section's title is one blank line too many.
    page.replace(".PP\n.SH", ".SH")
}

/// The section that a line begins, and what follows on it.
fn title(line: &str) -> Option<(&'static str, &str)> {
    let (before, rest) = line.split_once(':')?;
    let title = TITLES.iter().find(|title| **title == before)?;
    // One example is a section of examples, too.
    let title = if *title == "Example" { "Examples" } else { title };
    Some((title, rest.trim()))
}

/// A line that roff prints as it is: no request, no escape, and hyphens that can be copied.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if line.starts_with('.') { format!("\\&{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_begin_sections_and_examples_stay_as_they_are() {
        let text = "It listens.\nOnly.\n\nKeys: q quits.\n\nExamples:\n  a --b 'c' \\\n      d\n\nExit status:\n  0  done";
        let wanted = ".SH \"NOTES\"\nIt listens.\nOnly.\n.SH \"KEYS\"\nq quits.\n.SH \"EXAMPLES\"\n.RS 4\n.nf\n\
                      a \\-\\-b \\(aqc\\(aq \\e\n    d\n.fi\n.RE\n.SH \"EXIT STATUS\"\n.RS 4\n.nf\n0  done\n.fi\n.RE\n";
        assert_eq!(sections(text), wanted);
        assert_eq!(sections("Example:\n  .x"), ".SH \"EXAMPLES\"\n.RS 4\n.nf\n\\&.x\n.fi\n.RE\n");
        assert_eq!(sections(""), "");
    }
}
