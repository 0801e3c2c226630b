//! Deserialising values that exports write loosely: a field of another kind than expected is absent,
//! it does not cost the conversation.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A string, borrowed where it has no escapes; `None` for every other kind of value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

impl Text<'_> {
    /// The string, unless absent or empty.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|s| !s.is_empty())
    }
}

/// A number, or a string that holds one; `None` for every other kind of value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Number(pub(crate) Option<f64>);

/// `true`, or anything else.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flag(pub(crate) bool);

/// An object of a known shape; `None` for every other kind of value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

/// How many entries a list or object has, without keeping them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count(pub(crate) usize);

/// A list of a known element; empty for every other kind of value.
#[derive(Debug, Clone)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

/// One loosely typed value: every method accepts, and the default answer is "absent".
pub(crate) trait Loose<'de>: Sized + Default {
    fn string(_: Cow<'de, str>) -> Self {
        Self::default()
    }
    fn number(_: f64) -> Self {
        Self::default()
    }
    fn flag(_: bool) -> Self {
        Self::default()
    }
    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn list<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

struct LooseVisitor<T>(PhantomData<T>);

impl<'de, T: Loose<'de>> Visitor<'de> for LooseVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<T, E> {
        Ok(T::string(Cow::Borrowed(v)))
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<T, E> {
        Ok(T::string(Cow::Owned(v.to_owned())))
    }
    fn visit_f64<E: Error>(self, v: f64) -> Result<T, E> {
        Ok(T::number(v))
    }
    fn visit_i64<E: Error>(self, v: i64) -> Result<T, E> {
        Ok(T::number(v as f64))
    }
    fn visit_u64<E: Error>(self, v: u64) -> Result<T, E> {
        Ok(T::number(v as f64))
    }
    fn visit_bool<E: Error>(self, v: bool) -> Result<T, E> {
        Ok(T::flag(v))
    }
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::object(map)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::list(seq)
    }
}

/// Deserialises any [`Loose`] value.
pub(crate) fn loose<'de, T: Loose<'de>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    d.deserialize_any(LooseVisitor(PhantomData))
}

impl<'de> Loose<'de> for Text<'de> {
    fn string(v: Cow<'de, str>) -> Self {
        Text(Some(v))
    }
}

impl<'de> Loose<'de> for Number {
    fn string(v: Cow<'de, str>) -> Self {
        Number(v.trim().parse().ok())
    }
    fn number(v: f64) -> Self {
        Number(Some(v))
    }
}

impl<'de> Loose<'de> for Flag {
    fn flag(v: bool) -> Self {
        Flag(v)
    }
}

impl<'de> Loose<'de> for Count {
    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut n = 0;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            n += 1;
        }
        Ok(Count(n))
    }
    fn list<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut n = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            n += 1;
        }
        Ok(Count(n))
    }
}

impl<'de, T: Deserialize<'de> + Default> Loose<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|t| Object(Some(t)))
    }
}

impl<'de, T: Deserialize<'de>> Loose<'de> for List<T> {
    fn list<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = seq.next_element()? {
            out.push(item);
        }
        Ok(List(out))
    }
}

macro_rules! deserialize_loosely {
    ($($name:ty),+) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                loose(d)
            }
        }
    )+ };
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose::<Text<'de>, D>(d)
    }
}

deserialize_loosely!(Number, Flag, Count);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose(d)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_are_absent_not_errors() {
        for value in ["null", "true", "1", "[1]", "{\"a\":[]}"] {
            assert!(
                serde_json::from_str::<Text<'_>>(value).unwrap().0.is_none(),
                "{value}"
            );
        }
        assert_eq!(
            serde_json::from_str::<Number>("\" 1.5 \"").unwrap().0,
            Some(1.5)
        );
        assert_eq!(serde_json::from_str::<Number>("[]").unwrap().0, None);
        assert_eq!(serde_json::from_str::<Count>("[1,[2],{}]").unwrap().0, 3);
        assert_eq!(
            serde_json::from_str::<List<Text<'_>>>("\"x\"")
                .unwrap()
                .0
                .len(),
            0
        );
    }
}
