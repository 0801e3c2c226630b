//! What early dumps carry over from the page they were taken from.

use std::borrow::Cow;

use crate::Accounting;

/// Removes markup, the counter of regenerations and the labels of copy buttons, and notes each.
/// Only answers carry the last two: "1 / 2" may be a person's own line.
pub(super) fn strip<'a>(
    text: &'a str,
    is_answer: bool,
    accounting: &mut Accounting,
) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    if is_answer && let Some(rest) = after_counter(&text) {
        accounting.note("regeneration_counter_removed");
        text = Cow::Owned(rest.to_owned());
    }
    if text.contains("<div") {
        accounting.note("html_removed");
        text = Cow::Owned(without_markup(&text));
    }
    if is_answer && let Some((rest, n)) = without_copy_labels(&text) {
        (0..n).for_each(|_| accounting.note("copy_residue_removed"));
        text = Cow::Owned(rest);
    }
    text
}

/// What follows a leading "2 / 3" that stands alone: at the end of its line or before markup.
fn after_counter(text: &str) -> Option<&str> {
    let (at, rest) = leading_number(text.trim_start())?;
    let (of, rest) = leading_number(rest.strip_prefix(" / ")?)?;
    let stands_alone = rest.is_empty() || rest.starts_with(['\n', '\r', '<']);
    ((1..=of).contains(&at) && stands_alone).then(|| rest.trim_start_matches(['\n', '\r']))
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// Words of a piece of HTML. Ends of blocks become line ends.
fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(rest.get(..at).unwrap_or_default());
        let from = rest.get(at..).unwrap_or_default();
        rest = match tag(from) {
            Some((name, after)) => {
                end_block(name, &mut out);
                after
            }
            None => entity(from, &mut out),
        };
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// Name of the tag that starts here, with its slash, and what follows it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let (tag, after) = inside.split_once('>')?;
    let name = tag.split(|c: char| c.is_whitespace()).next()?;
    let is_name = name
        .trim_matches('/')
        .starts_with(|c: char| c.is_ascii_alphabetic());
    (is_name && !tag.contains('<')).then_some((name, after))
}

fn end_block(name: &str, out: &mut String) {
    let lines = match name.to_ascii_lowercase().as_str() {
        "/p" | "/ul" | "/ol" | "/h1" | "/h2" | "/h3" | "/h4" | "/table" => 2,
        "/div" | "/li" | "/pre" | "/tr" | "br" | "br/" => 1,
        _ => 0,
    };
    let present = out.chars().rev().take_while(|c| *c == '\n').count();
    if !out.is_empty() {
        out.extend(std::iter::repeat_n(
            '\n',
            usize::saturating_sub(lines, present),
        ));
    }
}

/// Decodes the entity that starts here, or keeps one character. Returns what follows.
fn entity<'t>(text: &'t str, out: &mut String) -> &'t str {
    const ENTITIES: [(&str, char); 7] = [
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#39;", '\''),
        ("&#x27;", '\''),
        ("&nbsp;", ' '),
    ];
    for (name, c) in ENTITIES {
        if let Some(rest) = text.strip_prefix(name) {
            out.push(c);
            return rest;
        }
    }
    let mut chars = text.chars();
    out.extend(chars.next());
    chars.as_str()
}

/// Removes the labels "Copy code", after at most the name of a language, and
/// "Copy 120 chars / 20 words". `None` if there are none; otherwise the text and how many went.
fn without_copy_labels(text: &str) -> Option<(String, u64)> {
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    let mut rest = text;
    while let Some(at) = rest.find("Copy") {
        let (before, from) = rest.split_at_checked(at)?;
        out.push_str(before);
        if let Some(after) = code_label(&out, from) {
            // The label stood between the language and the first line of code.
            let breaks = after.starts_with(['\n', '\r']) || after.is_empty();
            out.extend((!breaks).then_some('\n'));
            (count, rest) = (count + 1, after);
        } else if let Some(after) = size_label(from) {
            (count, rest) = (count + 1, after);
        } else {
            out.push_str("Copy");
            rest = from.get("Copy".len()..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    (count > 0).then_some((out, count))
}

/// What follows a "Copy code" that starts here. Alone, it must fill its line; after the name of a
/// language the code may follow at once.
fn code_label<'t>(before: &str, from: &'t str) -> Option<&'t str> {
    let after = from.strip_prefix("Copy code")?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    let name = line.trim_start_matches('`');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.');
    let is_language = name.len() <= 20 && name.chars().all(is_name);
    let ends_line = after.is_empty() || after.starts_with(['\n', '\r']);
    (is_language && (ends_line || !line.is_empty())).then_some(after)
}

fn size_label(from: &str) -> Option<&str> {
    let rest = from.strip_prefix("Copy")?.trim_start_matches(' ');
    let (_, rest) = leading_number(rest)?;
    let (_, rest) = leading_number(rest.strip_prefix(" chars / ")?)?;
    rest.strip_prefix(" words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(text: &str) -> String {
        strip(text, true, &mut Accounting::default()).into_owned()
    }

    #[test]
    fn counters_stand_alone() {
        assert_eq!(answer("2 / 2\n\nYes."), "Yes.");
        assert_eq!(answer("1 / 3<div class=\"x\"><p>Yes.</p></div>"), "Yes.");
        for kept in ["1 / 2 cup of sugar", "3 / 2\nno", "0 / 2\nno", "1/2\nno"] {
            assert_eq!(answer(kept), kept);
        }
        let person = strip("1 / 2\nis a half", false, &mut Accounting::default());
        assert_eq!(person, "1 / 2\nis a half");
    }

    #[test]
    fn copy_labels_go_and_words_stay() {
        assert_eq!(
            answer("```pythonCopy code\nx = 1\n```"),
            "```python\nx = 1\n```"
        );
        assert_eq!(answer("Copy code\nx"), "\nx");
        assert_eq!(answer("end Copy120 chars / 20 words"), "end ");
        assert_eq!(answer("pythonCopy codex = 1"), "python\nx = 1");
        for kept in [
            "Copy code from here",
            "Please Copy code",
            "Copy 3 chars",
            "Copy",
        ] {
            assert_eq!(answer(kept), kept);
        }
    }

    #[test]
    fn only_pages_lose_their_tags() {
        assert_eq!(answer("use <b> & <T>"), "use <b> & <T>");
        assert_eq!(
            answer("<div>a &lt;b&gt; &amp; 1 < 2<ul><li>x</li><li>y</li></ul>z</div>"),
            "a <b> & 1 < 2x\ny\n\nz"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(<div|</p>|<|>|&lt;|&|Copy code|Copy|1 / 2|\n|é|```py| ){0,12}") {
            answer(&text);
        }
    }
}
