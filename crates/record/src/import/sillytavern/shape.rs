//! What is read of the lines of a chat. Everything else is skipped without being kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess};

use crate::import::lenient::{Flag, List, Loose, Number, Object, Text, loose};
use crate::when::Stamp;

/// One line: the header, or a message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    // Header.
    #[serde(borrow)]
    pub(super) user_name: Text<'a>,
    #[serde(borrow)]
    pub(super) character_name: Text<'a>,
    pub(super) create_date: Stamp,
    #[serde(borrow)]
    pub(super) chat_metadata: Object<Metadata<'a>>,
    // Message.
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) is_user: Flag,
    pub(super) is_system: Flag,
    pub(super) is_name: Flag,
    pub(super) send_date: Stamp,
    #[serde(borrow)]
    pub(super) mes: Words<'a>,
    #[serde(borrow)]
    pub(super) extra: Object<Extra<'a>>,
    pub(super) swipe_id: Number,
    #[serde(borrow)]
    pub(super) swipes: List<Words<'a>>,
    #[serde(borrow)]
    pub(super) swipe_info: List<Object<SwipeInfo<'a>>>,
    pub(super) gen_started: Stamp,
    pub(super) gen_finished: Stamp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) integrity: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Extra<'a> {
    #[serde(borrow)]
    pub(super) api: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    pub(super) image: Filled,
    pub(super) file: Filled,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SwipeInfo<'a> {
    pub(super) send_date: Stamp,
    pub(super) gen_finished: Stamp,
    #[serde(borrow)]
    pub(super) extra: Object<Extra<'a>>,
}

/// Text, bare or as `{message}`; `None` for a hole.
#[derive(Debug, Default)]
pub(super) struct Words<'a>(pub(super) Option<Cow<'a, str>>);

/// Whether a value is there and not empty.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filled(pub(super) bool);

impl Record<'_> {
    pub(super) fn is_header(&self) -> bool {
        let has_names = self.user_name.0.is_some() && self.character_name.0.is_some();
        self.mes.0.is_none() && (self.chat_metadata.0.is_some() || has_names)
    }

    pub(super) fn has_attachment(&self) -> bool {
        self.extra.0.as_ref().is_some_and(|e| e.image.0 || e.file.0)
    }

    /// Number of the chosen swipe, where the message says one that exists.
    pub(super) fn chosen_swipe(&self) -> Option<usize> {
        let id = self
            .swipe_id
            .0
            .filter(|id| id.fract() == 0.0 && *id >= 0.0)?;
        Some(id as usize).filter(|i| *i < self.swipes.0.len())
    }

    /// What is recorded of one swipe. The list can be shorter than that of the swipes.
    pub(super) fn info(&self, swipe: usize) -> Option<&SwipeInfo<'_>> {
        self.swipe_info.0.get(swipe)?.0.as_ref()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wrapped<'a> {
    #[serde(borrow)]
    message: Text<'a>,
}

impl<'de> Loose<'de> for Words<'de> {
    fn string(words: Cow<'de, str>) -> Self {
        Words(Some(words))
    }
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let wrapped = Object::<Wrapped<'de>>::object(map)?.0.unwrap_or_default();
        Ok(Words(wrapped.message.0))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose::<Words<'de>, D>(d)
    }
}

impl<'de> Loose<'de> for Filled {
    fn string(v: Cow<'de, str>) -> Self {
        Filled(!v.is_empty())
    }
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        crate::import::lenient::Count::object(map).map(|n| Filled(n.0 > 0))
    }
}

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose(d)
    }
}
