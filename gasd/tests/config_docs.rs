// SPDX-License-Identifier: MIT OR Apache-2.0
//! What docs/configuration.md shows is what the parser takes and says.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd::config::parse;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md")).unwrap()
}

/// The blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    page.split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_example_parses() {
    let examples = blocks(&page(), "toml");
    assert_eq!(examples.len(), 7);
    for example in examples {
        if let Err(errors) = parse("docs/configuration.md", &example) {
            panic!("{errors}\n{example}");
        }
    }
}

#[test]
fn the_messages_shown_are_the_messages_given() {
    let page = page();
    let wrong = blocks(&page, "toml")[0]
        .replace("\"20 ms\"", "\"20 mss\"")
        .replace("valve = \"main\"", "valve = \"mian\"");
    let errors = parse("gasd.toml", &wrong).unwrap_err();
    assert_eq!(errors.to_string(), blocks(&page, "text")[0].trim_end());
}
