//! Cleaning of recorded text (formats.md §2.5): what a person could not see is removed, the spelling
//! of what they could see is kept.

use crate::Accounting;

const CITE_OPEN: char = '\u{E200}';
const CITE_CLOSE: char = '\u{E201}';
const CITE_SEPARATOR: char = '\u{E202}';

/// Visible words of `raw`, or `None` when nothing visible is left.
///
/// Removes byte-order marks, NUL, bidirectional marks, citation spans with their content, and every
/// other private-use character. Letters, spaces and line breaks stay as they were written; nothing
/// is normalised here, so that a hash of the text still identifies it. What was removed is counted
/// as a note.
pub(crate) fn clean(raw: &str, accounting: &mut Accounting) -> Option<Box<str>> {
    if !needs_cleaning(raw) {
        return raw.chars().any(is_visible).then(|| raw.into());
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = if is_mark(c) {
            accounting.note("citation_mark_removed");
            citation_end(c, after)
        } else {
            if is_removed(c) {
                accounting.note("invisible_character_removed");
            } else {
                out.push(c);
            }
            after
        };
    }
    out.chars().any(is_visible).then(|| out.into_boxed_str())
}

/// Cheap test on bytes: almost no text needs more.
fn needs_cleaning(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    if memchr::memchr3(0, 0xEE, 0xEF, bytes).is_some() {
        return true;
    }
    memchr::memchr_iter(0xE2, bytes).any(|i| {
        matches!(
            (bytes.get(i + 1), bytes.get(i + 2)),
            (Some(0x80), Some(0x8E | 0x8F | 0xAA..=0xAE))
        )
    })
}

fn is_removed(c: char) -> bool {
    matches!(c,
        '\0' | '\u{FEFF}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{E000}'..='\u{F8FF}')
}

fn is_mark(c: char) -> bool {
    matches!(c, CITE_OPEN | '\u{E203}' | '\u{E205}')
}

/// Zero-width characters alone are no message.
fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}')
}

/// What follows a citation that `mark` opened. An unclosed U+E200 span ends at the next white space:
/// a cut answer must not lose its last paragraph. U+E203 and U+E205 are also seen around ordinary
/// words; there only the mark goes, unless what it encloses is a reference.
fn citation_end(mark: char, after: &str) -> &str {
    let close = match mark {
        CITE_OPEN => CITE_CLOSE,
        '\u{E203}' => '\u{E204}',
        _ => '\u{E206}',
    };
    match after.split_once(close) {
        Some((inside, rest)) if mark == CITE_OPEN || is_reference(inside) => rest,
        None if mark == CITE_OPEN => {
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            after.get(end..).unwrap_or_default()
        }
        _ => after,
    }
}

/// Machine tokens such as `turn0search1`, as opposed to words of an answer.
fn is_reference(inside: &str) -> bool {
    inside.contains(CITE_SEPARATOR)
        || inside.split("turn").skip(1).any(|tail| {
            let digits = tail.trim_start_matches(|c: char| c.is_ascii_digit());
            digits.len() < tail.len() && digits.starts_with(|c: char| c.is_ascii_alphabetic())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaned(raw: &str) -> Option<String> {
        clean(raw, &mut Accounting::default()).map(|t| t.to_string())
    }

    #[test]
    fn citation_spans_go_whole() {
        let raw =
            "An hour \u{E200}cite\u{E202}turn0search1\u{E201} or so \u{E203}turn1news2\u{E204}.";
        assert_eq!(cleaned(raw).as_deref(), Some("An hour  or so ."));
        assert_eq!(
            cleaned("cut \u{E200}cite\u{E202}turn0 next").as_deref(),
            Some("cut  next")
        );
    }

    #[test]
    fn words_between_other_marks_stay() {
        assert_eq!(cleaned("\u{E203}Hello\u{E204}").as_deref(), Some("Hello"));
        assert_eq!(cleaned("\u{E205}World\u{E206}").as_deref(), Some("World"));
    }

    #[test]
    fn spelling_is_kept() {
        let raw = "e\u{301} — “quoted”\r\n\ttail  ";
        assert_eq!(cleaned(raw).as_deref(), Some(raw));
    }

    #[test]
    fn invisible_text_is_no_text() {
        for raw in ["", " \n", "\u{FEFF}", "\0", "\u{200E} \u{202C}", "\u{200B}"] {
            assert_eq!(cleaned(raw), None, "{raw:?}");
        }
    }

    #[test]
    fn removals_are_counted() {
        let mut accounting = Accounting::default();
        assert_eq!(clean("a\0b\0", &mut accounting).as_deref(), Some("ab"));
        assert_eq!(
            accounting.notes.get("invisible_character_removed"),
            Some(&2)
        );
    }

    proptest! {
        #[test]
        fn nothing_removable_is_left(raw in "[a\u{0}\u{200E}\u{FEFF}\u{E200}-\u{E206} é“]{0,40}") {
            if let Some(text) = cleaned(&raw) {
                prop_assert!(!text.chars().any(is_removed));
                prop_assert_eq!(cleaned(&text), Some(text));
            }
        }
    }
}
