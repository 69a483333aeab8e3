// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manual page, out of the same definitions that read the command line: one page with a section for
//! each command.

mod extra;

use clap::Command;
use clap_mangen::Man;

/// The page, roff.
///
/// # Errors
/// None that a vector could make.
pub fn page(definition: &Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let top = Man::new(definition.clone().disable_help_subcommand(true));
    top.render_title(&mut page)?;
    top.render_name_section(&mut page)?;
    top.render_synopsis_section(&mut page)?;
    top.render_description_section(&mut page)?;
    top.render_options_section(&mut page)?;
    for command in definition.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(command, command.get_name(), &mut page)?;
    }
    page.extend_from_slice(after_help(definition).as_bytes());
    top.render_version_section(&mut page)?;
    Ok(page)
}

/// What stands after a command's help, as sections.
fn after_help(command: &Command) -> String {
    command.get_after_help().map(|text| extra::sections(&text.to_string())).unwrap_or_default()
}

/// A command, and its own commands after it.
fn section(command: &Command, name: &str, page: &mut Vec<u8>) -> std::io::Result<()> {
    let nested: Vec<&Command> = command.get_subcommands().collect();
    let mut text = Vec::new();
    if nested.is_empty() {
        let man = Man::new(command.clone().bin_name(format!("gasctl {name}")).disable_help_flag(true));
        man.render_synopsis_section(&mut text)?;
        man.render_description_section(&mut text)?;
        man.render_options_section(&mut text)?;
        text.extend_from_slice(after_help(command).as_bytes());
        page.extend_from_slice(format!(".SH \"{}\"\n", name.to_uppercase()).as_bytes());
        // One page has one level of sections; those of a command stand below.
        page.extend_from_slice(String::from_utf8_lossy(&text).replace(".SH ", ".SS ").as_bytes());
    }
    for inner in nested.iter().filter(|inner| inner.get_name() != "help") {
        section(inner, &format!("{name} {}", inner.get_name()), page)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    /// Every long option of a command and of those below it.
    fn options(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long());
        let own = own.map(|long| format!("--{long}"));
        own.chain(command.get_subcommands().flat_map(options)).collect()
    }

    #[test]
    fn every_command_and_option_is_in_the_manual() {
        let definition = Cli::command();
        let page = String::from_utf8(page(&definition).unwrap()).unwrap().replace("\\-", "-");
        let options = options(&definition);
        assert!(options.len() > 25, "{options:?}");
        for option in options {
            assert!(page.contains(&option), "{option} is not in the manual");
        }
        for title in ["STATUS", "SETUP", "SIMULATE", "VALVE CLOSE", "VALVE OPEN", "DOCTOR", "TOP"] {
            assert!(page.contains(&format!(".SH \"{title}\"")), "{title}");
        }
        assert!(!page.contains("\"MAN\""), "hidden");
        assert!(!page.contains("EXTRA"));
        for title in [".SH \"EXIT STATUS\"", ".SH \"EXAMPLES\"", ".SH \"ENVIRONMENT\"", ".SS \"EXAMPLES\""] {
            assert!(page.contains(title), "{title}");
        }
    }

    #[test]
    fn every_command_and_option_is_in_the_guide() {
        let guide = include_str!("../../../docs/gasctl.md");
        for option in options(&Cli::command()) {
            // Those of setup and simulate are in their own --help; the guide shows the important ones.
            let own = ["setup", "simulate"].iter().any(|name| {
                let command = Cli::command();
                let command = command.find_subcommand(name).map(options).unwrap_or_default();
                command.contains(&option)
            });
            assert!(own || guide.contains(&option), "{option} is not in docs/gasctl.md");
        }
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            assert!(guide.contains(&format!("| `{}", command.get_name())), "{}", command.get_name());
        }
    }
}
