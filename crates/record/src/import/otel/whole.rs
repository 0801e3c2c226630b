//! One OTLP document over many lines, resource by resource.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::import::UnitError;

/// Hands on each element of `resourceSpans`, or the value itself where it is a list of spans.
///
/// # Errors
/// At the first byte that is not JSON; what came before it was handed on.
pub(super) fn read(reader: &mut dyn Read, each: &mut dyn FnMut(Value)) -> Result<(), UnitError> {
    let mut input = serde_json::Deserializer::from_reader(std::io::BufReader::new(reader));
    let result = Document(each)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    result.map_err(|e| {
        UnitError::Structure(format!(
            "the JSON document ends or breaks at line {}, column {}",
            e.line(),
            e.column()
        ))
    })
}

struct Document<'e>(&'e mut dyn FnMut(Value));

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut rest = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "resourceSpans" || key == "resource_spans" {
                map.next_value_seed(Document(&mut *self.0))?;
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        if !rest.is_empty() {
            (self.0)(Value::Object(rest));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<Value>()? {
            if !value.is_object() {
                return Err(A::Error::custom("not a span"));
            }
            (self.0)(value);
        }
        Ok(())
    }
}
