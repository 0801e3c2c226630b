//! Places in a JSON text, and changes at them: everything between stays as it was written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::request::decode;

/// Replacements of stretches of a text; an empty stretch inserts.
pub(super) type Changes = Vec<(Range<usize>, String)>;

/// A value that lies in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    whole: &'a str,
    raw: &'a RawValue,
}

impl<'a> Node<'a> {
    /// The value that a text is; `None` where it is no JSON.
    pub(super) fn of(whole: &'a str) -> Option<Self> {
        let raw = serde_json::from_str(whole).ok()?;
        Some(Node { whole, raw })
    }

    fn with(self, raw: &'a RawValue) -> Self {
        Node { raw, ..self }
    }

    /// The value of a key, the last of several.
    pub(super) fn key(self, key: &str) -> Option<Self> {
        let map: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(self.raw.get()).ok()?;
        map.get(key).map(|raw| self.with(raw))
    }

    /// The elements of a list; none where it is no list.
    pub(super) fn list(self) -> Vec<Self> {
        let list: Vec<&'a RawValue> = serde_json::from_str(self.raw.get()).unwrap_or_default();
        list.into_iter().map(|raw| self.with(raw)).collect()
    }

    pub(super) fn is_object(self) -> bool {
        self.raw.get().starts_with('{')
    }

    pub(super) fn is_null(self) -> bool {
        self.raw.get() == "null"
    }

    /// The text as it is written.
    pub(super) fn raw(self) -> &'a str {
        self.raw.get()
    }

    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        self.raw
            .get()
            .starts_with('"')
            .then(|| decode(self.raw.get()))?
    }

    pub(super) fn number(self) -> Option<u64> {
        self.raw.get().parse().ok()
    }

    /// Where it lies.
    pub(super) fn range(self) -> Range<usize> {
        let start = (self.raw.get().as_ptr() as usize).saturating_sub(self.whole.as_ptr() as usize);
        start..start + self.raw.get().len()
    }

    /// A change that adds a field at the front of an object.
    pub(super) fn field(self, field: &str) -> Option<(Range<usize>, String)> {
        let inside = self.raw.get().strip_prefix('{')?;
        let comma = if inside.trim_start().starts_with('}') {
            ""
        } else {
            ","
        };
        let at = self.range().start + 1;
        Some((at..at, format!("{field}{comma}")))
    }

    /// A change that adds an element at the end of a list.
    pub(super) fn element(self, element: &str) -> Option<(Range<usize>, String)> {
        let inside = self.raw.get().strip_prefix('[')?;
        let comma = if inside.trim_start().starts_with(']') {
            ""
        } else {
            ","
        };
        let at = self.range().end - 1;
        Some((at..at, format!("{comma}{element}")))
    }
}

/// The text with the changes made. Of two at one place, the later replaces the earlier.
pub(super) fn changed(text: &str, changes: &Changes) -> String {
    let mut sorted: Vec<&(Range<usize>, String)> = changes.iter().collect();
    sorted.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (number, (range, new)) in sorted.iter().enumerate() {
        let again = sorted
            .get(number + 1)
            .is_some_and(|(next, _)| next == range && !range.is_empty());
        if again || range.start < at {
            continue;
        }
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(new);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_touch_nothing_else() {
        let text = r#"{ "a" : [1, {"b":"x\n", "b":"y"}],"e":[ ],"o":{} }"#;
        let node = Node::of(text).unwrap();
        let list = node.key("a").unwrap().list();
        let b = list[1].key("b").unwrap();
        assert_eq!(b.text().as_deref(), Some("y"));
        let changes = vec![
            (b.range(), "\"first\"".to_owned()),
            node.key("e").unwrap().element("7").unwrap(),
            node.key("a").unwrap().element("8").unwrap(),
            node.key("o").unwrap().field("\"f\":1").unwrap(),
            node.field("\"g\":2").unwrap(),
            (b.range(), r#""\"q\"""#.to_owned()),
        ];
        assert_eq!(
            changed(text, &changes),
            r#"{"g":2, "a" : [1, {"b":"x\n", "b":"\"q\""},8],"e":[ 7],"o":{"f":1} }"#
        );
        assert!(Node::of("[DONE]").is_none() && Node::of("{").is_none());
    }
}
