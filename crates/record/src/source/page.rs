//! Finds the export that `chat.html` embeds.

use std::io::{self, Cursor, Read};

const MARK: &[u8] = b"var jsonData";
/// Most bytes of a page in which the mark is looked for.
const SEARCH: usize = 64 << 20;
/// Most bytes of an export written as one string literal, which has to be unescaped in memory.
const LITERAL: u64 = 512 << 20;

/// A reader that starts at the embedded JSON, and its offset in the page; `None` without one.
pub(crate) fn embedded<'a>(
    mut page: Box<dyn Read + Send + 'a>,
) -> io::Result<Option<(Box<dyn Read + Send + 'a>, u64)>> {
    let mut seen = Vec::new();
    let mut from = 0;
    let start = loop {
        if let Some(i) = memchr::memmem::find(seen.get(from..).unwrap_or_default(), MARK) {
            break from + i + MARK.len();
        }
        from = seen.len().saturating_sub(MARK.len());
        let n = page.by_ref().take(1 << 20).read_to_end(&mut seen)?;
        if n == 0 || seen.len() > SEARCH {
            return Ok(None);
        }
    };
    page.by_ref().take(1 << 16).read_to_end(&mut seen)?;
    let rest = seen.get(start..).unwrap_or_default();
    let Some(i) = rest.iter().position(|b| matches!(b, b'[' | b'(')) else {
        return Ok(None);
    };
    let at = start + i;
    let is_literal = rest.get(i) == Some(&b'(');
    let tail = seen.split_off(at + usize::from(is_literal));
    let json = Cursor::new(tail).chain(page);
    if !is_literal {
        return Ok(Some((Box::new(json), at as u64)));
    }
    let mut bytes = Vec::new();
    json.take(LITERAL).read_to_end(&mut bytes)?;
    let mut literal = serde_json::Deserializer::from_slice(&bytes);
    let text: String = serde::Deserialize::deserialize(&mut literal)?;
    Ok(Some((Box::new(Cursor::new(text.into_bytes())), at as u64)))
}
