// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person probably meant: the nearest known word.

/// The known word nearest to `word`, if one is near enough to be a slip of the hand: at most a
/// third of the longer word's letters differ, and at least one may. Case alone is never far.
/// Of equally near words the first wins.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let d = if candidate.to_lowercase() == word.to_lowercase() { 0 } else { distance(word, candidate) };
        let longest = word.chars().count().max(candidate.chars().count());
        if d <= (longest / 3).max(1) && d < longest && best.is_none_or(|(least, _)| d < least) {
            best = Some((d, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown word: the near one, else all the known ones.
pub(super) fn hint(near: Option<&str>, known: &[impl AsRef<str>]) -> String {
    if let Some(near) = near {
        return format!("did you mean `{near}`?");
    }
    if known.is_empty() {
        return "none is known here".to_owned();
    }
    let list: Vec<String> = known.iter().map(|k| format!("`{}`", k.as_ref())).collect();
    format!("known are {}", list.join(", "))
}

/// Letters to insert, remove, replace or swap with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(LONGEST).collect();
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let differ = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (last[j - 1] + differ).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

/// Letters looked at: no key is longer, and a key of a megabyte must not cost a minute.
const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_near() {
        let known = ["min_interval", "min_width", "min_idle", "storm_limit", "poll"];
        assert_eq!(nearest("min_intervall", known), Some("min_interval"));
        assert_eq!(nearest("min_wdith", known), Some("min_width"));
        assert_eq!(nearest("POLL", known), Some("poll"));
        assert_eq!(nearest("mss", ["ns", "us", "ms", "s"]), Some("ms"));
    }

    #[test]
    fn other_words_are_not() {
        assert_eq!(nearest("colour", ["min_interval", "poll"]), None);
        assert_eq!(nearest("x", ["h", "s"]), None);
        assert_eq!(nearest("", ["h"]), None);
    }

    #[test]
    fn the_distance_counts_a_swap_as_one() {
        assert_eq!(distance("abcd", "abdc"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
