//! What of a message is counted: code, quotes, links and citation marks go, typography is folded.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Stands where something was cut out: no word, no space, so that no phrase reaches across it.
const CUT: char = '\u{1}';

/// Puts the countable text of a message into `buffer` and returns the number of emoji in it.
///
/// Cut (metrics.md §3.1): fenced and inline code, block quotes, links, citation marks. Folded:
/// typographic apostrophes, quotation marks and spaces, and the question marks U+FF1F, U+061F and
/// U+037E (also the semicolon after Greek letters). The rest is normalised to NFC. Letter case is kept.
pub(super) fn prepare(text: &str, buffer: &mut String) -> u32 {
    buffer.clear();
    let mut kept = String::new();
    let mut text = text;
    if has_marks(text.as_bytes()) {
        kept.reserve(text.len());
        cut(text, &mut kept);
        text = &kept;
    }
    if text.is_ascii() {
        buffer.push_str(text);
        return 0;
    }
    let emoji = fold(text, buffer);
    normalise(buffer);
    emoji
}

static SCHEME: LazyLock<Finder> = LazyLock::new(|| Finder::new("://"));
static WWW: LazyLock<Finder> = LazyLock::new(|| Finder::new("www."));
static TILDES: LazyLock<Finder> = LazyLock::new(|| Finder::new("~~~"));

fn has_marks(text: &[u8]) -> bool {
    memchr::memchr2(b'`', b'>', text).is_some()
        || [&SCHEME, &WWW, &TILDES]
            .iter()
            .any(|finder| finder.find(text).is_some())
}

/// Copies `text` without code, block quotes and links.
fn cut(text: &str, kept: &mut String) {
    let mut fence: Option<&str> = None;
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            kept.push('\n');
        }
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|m| trimmed.starts_with(m));
        match (fence, mark) {
            (Some(open), Some(close)) if open == close => fence = None,
            (Some(_), _) => {}
            (None, Some(open)) if !closes_itself(trimmed, open) => fence = Some(open),
            (None, _) if trimmed.starts_with('>') => {}
            (None, _) => cut_inline(line, kept),
        }
    }
}

fn closes_itself(line: &str, mark: &str) -> bool {
    line.get(mark.len()..)
        .is_some_and(|rest| rest.contains(mark))
}

/// Copies one line without inline code and links.
fn cut_inline(line: &str, kept: &mut String) {
    let mut rest = line;
    loop {
        let code = memchr::memchr(b'`', rest.as_bytes());
        let scheme = SCHEME.find(rest.as_bytes());
        let www = WWW.find(rest.as_bytes());
        let Some(at) = [code, scheme, www].into_iter().flatten().min() else {
            kept.push_str(rest);
            return;
        };
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        kept.push_str(before);
        rest = if Some(at) == code {
            skip_code(after)
        } else {
            if Some(at) == scheme {
                let scheme_start = kept
                    .trim_end_matches(|c: char| c.is_ascii_alphanumeric())
                    .len();
                kept.truncate(scheme_start);
            }
            after.trim_start_matches(|c: char| {
                !c.is_whitespace() && !matches!(c, ')' | ']' | '"' | '>' | '`')
            })
        };
        kept.push(CUT);
    }
}

/// Behind the closing run of backticks, or behind the opening one if none closes it.
fn skip_code(text: &str) -> &str {
    let inner = text.trim_start_matches('`');
    let run = text.get(..text.len() - inner.len()).unwrap_or("`");
    match inner.split_once(run) {
        Some((_, rest)) => rest.trim_start_matches('`'),
        None => inner,
    }
}

/// Copies `text` with typography folded; returns the number of emoji, each replaced by a cut.
fn fold(text: &str, out: &mut String) -> u32 {
    let mut emoji = 0;
    let mut joined = false;
    let mut greek = false;
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|b| b >= 0x80).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at_checked(ascii).unwrap_or((rest, ""));
        if greek && plain.starts_with(';') {
            out.push('?');
            out.push_str(plain.get(1..).unwrap_or(""));
        } else {
            out.push_str(plain);
        }
        joined &= plain.is_empty();
        greek &= plain.is_empty();
        let mut chars = tail.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        if is_emoji(c) {
            if !joined {
                emoji += 1;
                out.push(CUT);
            }
            joined = false;
            continue;
        }
        joined = c == '\u{200D}';
        greek = matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}') && c != '\u{37E}';
        match c {
            '\u{2018}' | '\u{2019}' | '\u{2BC}' | '\u{FF07}' => out.push('\''),
            '\u{201C}'..='\u{201F}' | '\u{AB}' | '\u{BB}' => out.push('"'),
            '\u{2012}'..='\u{2015}' => out.push(CUT),
            '\u{2026}' => out.push_str("..."),
            '\u{FF1F}' | '\u{61F}' | '\u{37E}' => out.push('?'),
            '\u{FF01}' => out.push('!'),
            '\u{3002}' | '\u{FF0E}' => out.push_str(". "),
            '\u{FF0C}' | '\u{3001}' => out.push_str(", "),
            '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{E0000}'..='\u{E007F}' => {}
            '\u{3010}' => rest = behind(rest, '\u{3011}', out),
            '\u{E200}' => rest = behind(rest, '\u{E201}', out),
            '\u{E000}'..='\u{F8FF}' => {}
            c if c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
    }
    emoji
}

/// Cuts a citation mark that closes within 120 bytes.
fn behind<'a>(rest: &'a str, close: char, out: &mut String) -> &'a str {
    out.push(CUT);
    match rest.split_once(close) {
        Some((mark, behind)) if mark.len() <= 120 => behind,
        _ => rest,
    }
}

/// Pictographs, dingbats with emoji use, hearts and flags. Skin tones and joiners extend an emoji.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F300}'..='\u{1F3FA}' | '\u{1F400}'..='\u{1FAFF}'
        | '\u{2600}'..='\u{26FF}' | '\u{2728}' | '\u{2753}' | '\u{2757}' | '\u{2763}' | '\u{2764}' | '\u{2B50}')
}

fn normalise(text: &mut String) {
    if !text.is_ascii() && is_nfc_quick(text.chars()) != IsNormalized::Yes {
        *text = text.nfc().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        let mut buffer = String::new();
        prepare(text, &mut buffer);
        buffer.replace(CUT, "#")
    }

    #[test]
    fn code_quotes_links_and_citations_are_cut() {
        assert_eq!(kept("run `ls -l?` now"), "run # now");
        assert_eq!(kept("a\n```rust\nlet x = 1?;\n```\nb"), "a\n\n\n\nb");
        assert_eq!(kept("> you said this\nno"), "\nno");
        assert_eq!(kept("see https://a.b/c?d=e for it"), "see # for it");
        assert_eq!(kept("[x](www.a.org/y?z) ok"), "[x](#) ok");
        assert_eq!(kept("so【4†source】 it is"), "so# it is");
        assert_eq!(kept("one ` tick"), "one # tick");
        assert_eq!(kept("unclosed\n```\neverything after"), "unclosed\n\n");
    }

    #[test]
    fn typography_is_folded() {
        assert_eq!(kept("don\u{2019}t"), "don't");
        assert_eq!(kept("really？"), "really?");
        assert_eq!(kept("τι κάνεις;"), "τι κάνεις?");
        assert_eq!(kept("e\u{301}t\u{e9}"), "\u{e9}t\u{e9}");
    }

    #[test]
    fn emoji_are_counted_once() {
        let mut buffer = String::new();
        assert_eq!(prepare("hi 😊😊 ❤️", &mut buffer), 3);
        assert_eq!(prepare("👩\u{200D}👩\u{200D}👧 there", &mut buffer), 1);
        assert_eq!(prepare("`😊`", &mut buffer), 0);
    }
}
