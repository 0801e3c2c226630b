//! One pass over a request body. Known keys are read, everything else is skipped; a known key with an
//! odd value is left to the upstream to judge.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Parsed, Role, Turn, decode};
use crate::dialect::Dialect;

/// Reads a whole body.
pub(super) fn read(dialect: Dialect, text: &str) -> Result<Parsed<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let base = text.as_ptr() as usize;
    let parsed = deserializer.deserialize_map(BodyVisitor { dialect, base })?;
    deserializer.end()?;
    Ok(parsed)
}

struct BodyVisitor {
    dialect: Dialect,
    base: usize,
}

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Parsed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed<'de>, A::Error> {
        let mut parsed = Parsed::default();
        let turns_key = match self.dialect {
            Dialect::Chat | Dialect::Messages => "messages",
            Dialect::Responses => "input",
            Dialect::Completions | Dialect::Embeddings => "",
        };
        let system_key = match self.dialect {
            Dialect::Responses => "instructions",
            Dialect::Messages => "system",
            _ => "",
        };
        while let Some(Key(key)) = map.next_key()? {
            let key = key.as_ref();
            if key == turns_key {
                parsed.turns = if self.dialect == Dialect::Responses {
                    input(map.next_value()?, self.base).map_err(serde::de::Error::custom)?
                } else {
                    map.next_value_seed(TurnsSeed { base: self.base })?
                };
            } else if key == system_key {
                parsed.places.system = Some(map.next_value()?);
            } else {
                parsed.field(key, &mut map)?;
            }
        }
        Ok(parsed)
    }
}

impl<'de> Parsed<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "model" => self.model = string(map.next_value()?),
            "stream" => self.stream = map.next_value::<&RawValue>()?.get() == "true",
            "user" => self.user = string(map.next_value()?),
            "safety_identifier" => self.safety_identifier = string(map.next_value()?),
            "metadata" => self.metadata_user = metadata_user(map.next_value()?),
            "tools" | "functions" => {
                let raw: &RawValue = map.next_value()?;
                self.tools = raw.get().starts_with('[') && raw.get().contains('{');
            }
            "temperature" => self.places.temperature = Some(map.next_value()?),
            "top_p" => self.places.top_p = Some(map.next_value()?),
            "stream_options" => {
                let raw: &RawValue = map.next_value()?;
                self.places.stream_options = Some(raw);
                self.include_usage = include_usage(raw).is_some_and(|raw| raw.get() == "true");
            }
            // Chat; the newer Messages field; Responses, inside `text`.
            "response_format" | "output_format" => self.structured |= is_form(map.next_value()?),
            "text" | "output_config" => self.structured |= is_form_inside(map.next_value()?),
            "previous_response_id" => self.places.previous = Some(map.next_value()?),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a description of the reply's form asks for something other than plain text.
fn is_form(raw: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Form<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Option<&'a RawValue>,
    }
    let form = serde_json::from_str::<Form<'_>>(raw.get()).ok();
    let kind = form.and_then(|form| string(form.kind?));
    kind.is_some_and(|kind| kind != "text")
}

fn is_form_inside(raw: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Inside<'a> {
        #[serde(borrow, default)]
        format: Option<&'a RawValue>,
    }
    let inside = serde_json::from_str::<Inside<'_>>(raw.get()).ok();
    inside.and_then(|inside| inside.format).is_some_and(is_form)
}

/// `input` of Responses: one text, which is the person's turn, or a list of items.
fn input(raw: &RawValue, base: usize) -> Result<Vec<Turn<'_>>, serde_json::Error> {
    if raw.get().starts_with('"') {
        return Ok(vec![Turn {
            role: Role::User,
            content: Some(raw),
            first_key: None,
        }]);
    }
    TurnsSeed { base }.deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
}

/// `include_usage` inside `stream_options`.
pub(super) fn include_usage(options: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Options<'a> {
        #[serde(borrow, default)]
        include_usage: Option<&'a RawValue>,
    }
    serde_json::from_str::<Options<'_>>(options.get())
        .ok()?
        .include_usage
}

fn metadata_user(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow, default)]
        user_id: Option<&'a RawValue>,
    }
    string(
        serde_json::from_str::<Metadata<'_>>(raw.get())
            .ok()?
            .user_id?,
    )
}

fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    raw.get().starts_with('"').then(|| decode(raw.get()))?
}

/// A key, borrowed where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor<'de>(PhantomData<&'de ()>);
        impl<'de> Visitor<'de> for KeyVisitor<'de> {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor(PhantomData))
    }
}

struct TurnsSeed {
    base: usize,
}

impl<'de> DeserializeSeed<'de> for TurnsSeed {
    type Value = Vec<Turn<'de>>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Vec<Turn<'de>>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TurnsSeed {
    type Value = Vec<Turn<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of turns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Turn<'de>>, A::Error> {
        let mut turns = Vec::new();
        while let Some(Entry(mut turn)) = seq.next_element::<Entry<'de>>()? {
            turn.first_key = turn.first_key.map(|at| at.wrapping_sub(self.base));
            turns.push(turn);
        }
        Ok(turns)
    }

    fn visit_unit<E>(self) -> Result<Vec<Turn<'de>>, E> {
        Ok(Vec::new())
    }
}

/// A turn whose `first_key` is an address, not yet an offset.
struct Entry<'a>(Turn<'a>);

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor<'de>(PhantomData<&'de ()>);
        impl<'de> Visitor<'de> for EntryVisitor<'de> {
            type Value = Entry<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a turn")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry<'de>, A::Error> {
                let mut turn = Turn {
                    role: Role::Other,
                    content: None,
                    first_key: None,
                };
                let mut first = true;
                while let Some(Key(key)) = map.next_key()? {
                    if first && let Cow::Borrowed(key) = key {
                        turn.first_key = Some(key.as_ptr() as usize);
                    }
                    first = false;
                    match key.as_ref() {
                        "role" => {
                            let raw: &RawValue = map.next_value()?;
                            turn.role = string(raw).map_or(Role::Other, |r| Role::of(&r));
                        }
                        "content" => turn.content = Some(map.next_value()?),
                        "type" => {
                            let raw: &RawValue = map.next_value()?;
                            if string(raw).is_some_and(|kind| kind.ends_with("_output")) {
                                turn.role = Role::Tool;
                            }
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Entry(turn))
            }
        }
        deserializer.deserialize_map(EntryVisitor(PhantomData))
    }
}
