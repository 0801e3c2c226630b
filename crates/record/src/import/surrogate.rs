//! Lone surrogates: `\uD83D` without its other half is valid JSON and no text.

/// Replaces the escapes of lone surrogates by `\uFFFD`, which is as long, so that offsets stay.
/// `None` if there are none; otherwise the bytes and how many were replaced.
pub(super) fn replace_lone(json: &[u8]) -> Option<(Vec<u8>, u64)> {
    let mut out = json.to_vec();
    let mut count = 0;
    let mut at = 0;
    while let Some(i) = memchr::memchr(b'\\', json.get(at..)?) {
        at += i;
        match surrogate(json, at) {
            Some(Half::High) if matches!(surrogate(json, at + 6), Some(Half::Low)) => at += 12,
            Some(_) => {
                if let Some(digits) = out.get_mut(at + 2..at + 6) {
                    digits.copy_from_slice(b"FFFD");
                }
                count += 1;
                at += 6;
            }
            None => at += 2,
        }
    }
    (count > 0).then_some((out, count))
}

enum Half {
    High,
    Low,
}

/// The surrogate that an escape at this place stands for.
fn surrogate(json: &[u8], at: usize) -> Option<Half> {
    let escape = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let code = u32::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()?;
    match code {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(json: &str) -> Option<(String, u64)> {
        replace_lone(json.as_bytes()).map(|(b, n)| (String::from_utf8(b).unwrap(), n))
    }

    #[test]
    fn only_lone_halves_go() {
        assert_eq!(replaced(r#""\ud83d\ude00 \\ud83d""#), None);
        assert_eq!(
            replaced(r#""\ud83d x""#),
            Some((r#""\uFFFD x""#.to_owned(), 1))
        );
        assert_eq!(
            replaced(r#""\ude00\ud83d""#),
            Some((r#""\uFFFD\uFFFD""#.to_owned(), 2))
        );
        assert_eq!(replaced(r#""\ud83d"#), Some((r#""\uFFFD"#.to_owned(), 1)));
    }
}
