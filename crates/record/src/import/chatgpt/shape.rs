//! What is read of a conversation object. Everything else is skipped without being kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess};

use crate::import::lenient::{Count, Flag, Loose, Number, Object, Text, loose};
use crate::when::Stamp;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) conversation_id: Text<'a>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) current_node: Text<'a>,
    #[serde(borrow)]
    pub(super) default_model_slug: Text<'a>,
    pub(super) is_do_not_remember: Flag,
    #[serde(borrow)]
    pub(super) mapping: Mapping<'a>,
}

#[derive(Debug, Default)]
pub(super) enum Mapping<'a> {
    #[default]
    Absent,
    NotAnObject,
    Nodes(Vec<Entry<'a>>),
}

#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) node: TreeNode<'a>,
    /// Not an object at all.
    pub(super) is_broken: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TreeNode<'a> {
    #[serde(borrow)]
    pub(super) parent: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Object<Message<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) author: Object<Author<'a>>,
    pub(super) create_time: Stamp,
    #[serde(borrow)]
    pub(super) content: Object<Content<'a>>,
    pub(super) weight: Number,
    #[serde(borrow)]
    pub(super) recipient: Text<'a>,
    #[serde(borrow)]
    pub(super) metadata: Object<Metadata<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Author<'a> {
    #[serde(borrow)]
    pub(super) role: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) content_type: Text<'a>,
    #[serde(borrow)]
    pub(super) parts: Parts<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) model_slug: Text<'a>,
    #[serde(borrow)]
    pub(super) thinking_effort: Text<'a>,
    pub(super) is_visually_hidden_from_conversation: Flag,
    pub(super) is_user_system_message: Flag,
    pub(super) attachments: Count,
}

/// `parts` of a content: words, or objects that may carry words.
#[derive(Debug, Default)]
pub(super) struct Parts<'a>(pub(super) Vec<Part<'a>>);

#[derive(Debug, Default)]
pub(super) enum Part<'a> {
    Words(Cow<'a, str>),
    Object(PartObject<'a>),
    #[default]
    Nothing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PartObject<'a> {
    #[serde(borrow)]
    pub(super) content_type: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

impl<'de> Loose<'de> for Mapping<'de> {
    fn string(_: Cow<'de, str>) -> Self {
        Mapping::NotAnObject
    }
    fn number(_: f64) -> Self {
        Mapping::NotAnObject
    }
    fn flag(_: bool) -> Self {
        Mapping::NotAnObject
    }
    fn list<A: SeqAccess<'de>>(seq: A) -> Result<Self, A::Error> {
        Count::list(seq).map(|_| Mapping::NotAnObject)
    }
    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut entries = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let node: Object<TreeNode<'de>> = map.next_value()?;
            let is_broken = node.0.is_none();
            entries.push(Entry {
                key,
                node: node.0.unwrap_or_default(),
                is_broken,
            });
        }
        Ok(Mapping::Nodes(entries))
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose::<Text<'de>, D>(d).map(|text| Key(text.0.unwrap_or_default()))
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
}

impl<'de> Loose<'de> for Part<'de> {
    fn string(words: Cow<'de, str>) -> Self {
        Part::Words(words)
    }
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Object::object(map).map(|o| o.0.map_or(Part::Nothing, Part::Object))
    }
}

macro_rules! deserialize_loosely {
    ($($name:ident),+) => { $(
        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                loose::<$name<'de>, D>(d)
            }
        }
    )+ };
}

deserialize_loosely!(Mapping, Parts, Part);
