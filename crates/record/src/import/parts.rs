//! Message content that is a string, or a list of strings and typed parts.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess};

use super::lenient::{Flag, Loose, Object, Text, loose};

/// A content in order of its parts.
#[derive(Debug, Default)]
pub(super) struct Parts<'a>(Vec<Part<'a>>);

#[derive(Debug, Default)]
enum Part<'a> {
    Words(Cow<'a, str>),
    /// An image, a file, or anything else without words.
    #[default]
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    thought: Flag,
}

impl Parts<'_> {
    /// All words. Parts are pieces of one text: nothing is put between them.
    pub(super) fn words(&self) -> Cow<'_, str> {
        match self.0.as_slice() {
            [Part::Words(words)] => Cow::Borrowed(words),
            parts => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Words(words) => Some(words.as_ref()),
                    Part::Other => None,
                })
                .collect(),
        }
    }

    /// Whether a part carries something else than words.
    pub(super) fn has_attachment(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Other))
    }
}

impl<'de> Loose<'de> for Parts<'de> {
    fn string(words: Cow<'de, str>) -> Self {
        Parts(vec![Part::Words(words)])
    }
    fn list<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        Ok(Parts(parts))
    }
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Part::object(map).map(|part| Parts(vec![part]))
    }
}

impl<'de> Loose<'de> for Part<'de> {
    fn string(words: Cow<'de, str>) -> Self {
        Part::Words(words)
    }
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let typed = Object::<Typed<'de>>::object(map)?.0.unwrap_or_default();
        Ok(match typed.text.0 {
            // A thought is neither words of the answer nor an attachment.
            Some(_) if typed.thought.0 => Part::Words(Cow::Borrowed("")),
            Some(words) => Part::Words(words),
            None => Part::Other,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Parts<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose::<Parts<'de>, D>(d)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose::<Part<'de>, D>(d)
    }
}
