// SPDX-License-Identifier: MIT OR Apache-2.0
//! What docs/configuration.md shows is what the parser takes and says.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd::config::{ErrorKind, parse};

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

#[test]
fn every_key_is_described() {
    let page = page();
    // An unknown key with no near one makes the parser list the keys it knows there.
    let nonsense = "zzzzzzzz = 1\n[store]\nzzzzzzzz = 1\n[kernel]\nzzzzzzzz = 1\n\
        [[meter]]\nzzzzzzzz = 1\ngpio = { zzzzzzzz = 1 }\nfilter = { zzzzzzzz = 1 }\n\
        thresholds = { zzzzzzzz = 1 }\nrules = { zzzzzzzz = 1, use_time = [{ zzzzzzzz = 1 }] }\n\
        [[meter]]\nreadings = { zzzzzzzz = 1 }\n[[valve]]\nzzzzzzzz = 1\nactuator = { zzzzzzzz = 1 }\n";
    let errors = parse("x", nonsense).unwrap_err();
    let mut tables = 0;
    for problem in errors.problems() {
        let ErrorKind::UnknownKey { known, .. } = &problem.kind else { continue };
        tables += 1;
        for key in *known {
            let described =
                [format!("`{key}`"), format!("[[{key}]]"), format!("[{key}]"), format!(".{key}`")];
            assert!(described.iter().any(|d| page.contains(d)), "{key} is not described");
        }
    }
    assert_eq!(tables, 12);
}
